import type { Block } from '../model/block.js';
import type { TxId } from '../model/ids.js';
import type { OutPoint } from '../model/outpoint.js';
import { inputsOf } from '../model/transaction.js';
import type { Coin, LocatedCoin } from './coins.js';

/** How a block changes the set of coins. Coins that it makes and spends itself appear in neither list. */
export interface CoinDelta {
  readonly removed: readonly LocatedCoin[];
  readonly added: readonly LocatedCoin[];
}

/**
 * Gathers how a block changes the coins, transaction by transaction. By txid and position, not by the text of outpoints: a
 * block of a thousand payments would make some thousands of long names for nothing else.
 */
export class DeltaBuilder {
  readonly #block: Block;
  readonly #made = new Map<TxId, (LocatedCoin | undefined)[]>();
  readonly #removed: LocatedCoin[] = [];

  constructor(block: Block) {
    this.#block = block;
  }

  /** A coin that this block has made and not spent so far. */
  get({ txid, index }: OutPoint): Coin | undefined {
    return this.#made.get(txid)?.[index]?.coin;
  }

  spend(outpoint: OutPoint, coin: Coin): void {
    const made = this.#made.get(outpoint.txid);
    // A coin made earlier in this block never reaches the set.
    if (made?.[outpoint.index] === undefined) this.#removed.push({ outpoint, coin });
    else made[outpoint.index] = undefined;
  }

  make(transaction: Block['transactions'][number]): void {
    this.#made.set(transaction.txid, coinsMadeBy(this.#block, transaction));
  }

  delta(): CoinDelta {
    const added: LocatedCoin[] = [];
    for (const made of this.#made.values()) for (const located of made) if (located !== undefined) added.push(located);
    return { removed: this.#removed, added };
  }
}

/**
 * What connecting a block does to the coins, from the block and the coins it spent in order: the undo record. To
 * disconnect is the same read backwards, so that neither can forget what the other does.
 */
export function blockDelta(block: Block, spent: readonly Coin[]): CoinDelta {
  const builder = new DeltaBuilder(block);
  let next = 0;
  for (const transaction of block.transactions) {
    for (const outpoint of inputsOf(transaction)) {
      const coin = spent[next++];
      if (coin === undefined) throw new RangeError(`undo of block ${block.header.hash} ends after ${next - 1} coins`);
      builder.spend(outpoint, coin);
    }
    builder.make(transaction);
  }
  if (next !== spent.length)
    throw new RangeError(`undo of block ${block.header.hash} has ${spent.length} coins, not ${next}`);
  return builder.delta();
}

/** The coins that one transaction of a block makes. */
export function coinsMadeBy(block: Block, transaction: Block['transactions'][number]): LocatedCoin[] {
  const { txid, body } = transaction;
  return body.outputs.map(({ address, value }, index) => {
    const outpoint: OutPoint = { txid, index };
    return { outpoint, coin: { address, value, height: block.header.height, coinbase: body.kind === 'coinbase' } };
  });
}
