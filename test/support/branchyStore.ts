import type { Chainstate } from '../../server/chain/chainstate.js';
import type { Kv } from '../../server/store/kv.js';
import { layout, SALT_BYTES } from '../../server/store/layout.js';
import { put } from '../../server/store/space.js';
import type { Block } from '../../shared/model/block.js';
import { assertOk, present } from '../kit/assertOk.js';
import { testKey, transfer } from '../kit/builders.js';
import { TestChain } from '../kit/testChain.js';
import { memoryChain } from './memoryChain.js';

const bob = testKey(2);

/** A block on `parent` in which the coinbase of `coinOf` is paid out: to Bob, and back. */
export function payingBlock(source: TestChain, parent: Block, coinOf: Block): Block {
  const spend = source.coinOf(coinOf);
  const value = spend.coin.value / 3n;
  const outputs = [
    { address: bob.address, value },
    { address: spend.key.address, value },
  ];
  const paid = transfer({ genesis: source.genesis.header.hash, spend: [spend], outputs });
  return source.extend(parent, { transactions: [paid], fees: spend.coin.value - 2n * value });
}

/** A block that pays its miner too much: nothing shows that before its coins are known. */
export function greedyBlock(source: TestChain, parent: Block): Block {
  return source.extend(parent, { fees: 1n });
}

/**
 * Fills a store with everything a node may come to hold: payments, a branch that was the chain and lost, one that never was,
 * a body that proved invalid on a better branch, headers without bodies, a header whose body was refused, and a peer.
 */
export async function branchyStore(kv: Kv): Promise<Chainstate> {
  const source = new TestChain();
  const chain = await memoryChain({ kv });
  const submit = async (...blocks: readonly Block[]): Promise<void> => {
    for (const block of blocks) await chain.submitBlock(block);
  };
  const trunk = source.grow(source.genesis, 6);
  const lost = [payingBlock(source, present(trunk[5]), present(trunk[0]))];
  lost.push(payingBlock(source, present(lost[0]), present(trunk[1])));
  await submit(...trunk, ...lost);
  // A rival branch that overtakes, with the same coins paid otherwise.
  const won = [payingBlock(source, present(trunk[5]), present(trunk[1]))];
  for (const coinOf of [trunk[0], trunk[2], trunk[3]])
    won.push(payingBlock(source, present(won.at(-1)), present(coinOf)));
  await submit(...won);
  await submit(source.extend(present(won[1])));
  // A better branch with a bad block on it: it is stored, tried, and marked.
  const fork = present(won[3]);
  const side = source.extend(present(won[2]));
  const badOnSide = greedyBlock(source, side);
  const above = source.extend(badOnSide);
  await submit(side);
  assertOk(await chain.submitHeaders([badOnSide.header, above.header]));
  await submit(badOnSide, above);
  await submit(greedyBlock(source, fork));
  assertOk(await chain.submitHeaders(source.grow(fork, 2).map(({ header }) => header)));
  // The operator does without a branch that was the chain once.
  await chain.setAside(present(chain.headers.get(present(lost[0]).header.hash)));
  // And without the last block of the chain, which then stands on its tip.
  await submit(...source.grow(fork, 2));
  await chain.setAside(chain.tip);
  const peer = { firstSeen: 5, lastSeen: 6, lastTried: null, failures: 0, place: null };
  const book = { salt: new Uint8Array(SALT_BYTES), anchors: ['http://127.0.0.1:42221'] };
  const ban = { since: 1, until: 2, why: 'operator' };
  await kv.commit([
    put(layout.peer, 'http://127.0.0.1:42221', peer),
    put(layout.book, null, book),
    put(layout.ban, '192.0.2.1', ban),
  ]);
  return chain;
}
