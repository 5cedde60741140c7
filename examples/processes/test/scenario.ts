import assert from 'node:assert/strict';
import { coins } from 'trestle/client';
import { assertConfirmed, assertConverged, type Network } from 'trestle/testing';
import { agreedBalance, NoAgreement } from '../src/agreedBalance.js';

/** What our balance has to bear, on any network of three nodes. */
export async function scenario(net: Network): Promise<void> {
  const clients = net.nodes.map(({ client }) => client);
  const { address } = net.wallet(2);
  const amount = coins('0.25');
  assert.equal(await agreedBalance(clients, address), 0n);

  // Node 0 mines, so its wallet can pay that of node 2.
  await net.mine(0, 3);
  const { txid } = await net.send(0, 2, amount);
  await net.mine(0);
  await net.settle();
  await assertConfirmed(net, txid);
  assert.equal(await agreedBalance(clients, address), amount);

  // A node without connection gets a reward that nobody else knows of. It is outvoted.
  net.partition([0, 1], [2]);
  await net.mine(2);
  assert.equal(await agreedBalance(clients, address), amount);

  // One of the two others dies: it is one word against another.
  await net.crash(1);
  await assert.rejects(agreedBalance(clients, address), NoAgreement);

  // It comes back with all that it had, and then the network with more work than the lonely node.
  await net.restart(1);
  assert.equal(await agreedBalance(clients, address), amount);
  await net.mine(1, 2);
  net.heal();
  await net.settle();
  await assertConverged(net);
  assert.equal(await agreedBalance(clients, address), amount);
}
