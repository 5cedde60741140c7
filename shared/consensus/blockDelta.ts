import type { Block } from '../model/block.js';
import { type OutPoint, type OutPointKey, outPointKey } from '../model/outpoint.js';
import { inputsOf } from '../model/transaction.js';
import type { Coin, LocatedCoin } from './coins.js';

/** How a block changes the set of coins. Coins that it makes and spends itself appear in neither list. */
export interface CoinDelta {
  readonly removed: readonly LocatedCoin[];
  readonly added: readonly LocatedCoin[];
}

/**
 * What connecting a block does to the coins, from the block and the coins it spent in order: the undo record. To
 * disconnect is the same read backwards, so that neither can forget what the other does.
 */
export function blockDelta(block: Block, spent: readonly Coin[]): CoinDelta {
  const added = new Map<OutPointKey, LocatedCoin>();
  const removed: LocatedCoin[] = [];
  let next = 0;
  for (const transaction of block.transactions) {
    for (const outpoint of inputsOf(transaction)) {
      const coin = spent[next++];
      if (coin === undefined) throw new RangeError(`undo of block ${block.header.hash} ends after ${next - 1} coins`);
      // A coin made earlier in this block never reaches the set.
      if (!added.delete(outPointKey(outpoint))) removed.push({ outpoint, coin });
    }
    for (const located of coinsMadeBy(block, transaction)) added.set(outPointKey(located.outpoint), located);
  }
  if (next !== spent.length)
    throw new RangeError(`undo of block ${block.header.hash} has ${spent.length} coins, not ${next}`);
  return { removed, added: [...added.values()] };
}

/** The coins that one transaction of a block makes. */
export function coinsMadeBy(block: Block, transaction: Block['transactions'][number]): LocatedCoin[] {
  const { txid, body } = transaction;
  return body.outputs.map(({ address, value }, index) => {
    const outpoint: OutPoint = { txid, index };
    return { outpoint, coin: { address, value, height: block.header.height, coinbase: body.kind === 'coinbase' } };
  });
}
