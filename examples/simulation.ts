import { coins } from 'trestle/client';
import { assertConfirmed, assertConverged, simulate } from 'trestle/testing';

// Five real nodes in this process, on virtual time. Each has a wallet, which is paid for the blocks that the node mines.
await using net = await simulate({ nodes: 5, seed: 7 });
await net.mine(0, 3);
await net.settle();

// Two sides that do not hear each other. The payment gets into a block of the side that will lose.
net.partition([0, 1], [2, 3, 4]);
const { txid } = await net.send(0, 1, coins('0.75'));
await net.mine(0, 2);
await net.mine(2, 3);
net.heal();
await net.settle();
assertConverged(net);

// The reorganisation has taken it off the chain, and it waits. Whoever mines next confirms it again.
await net.mine(4);
await net.settle();
assertConfirmed(net, txid);
