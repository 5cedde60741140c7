import { blockDelta, type CoinDelta } from '../../shared/consensus/blockDelta.js';
import type { Coin, LocatedCoin } from '../../shared/consensus/coins.js';
import { toAmount } from '../../shared/model/amount.js';
import type { Block } from '../../shared/model/block.js';
import { HEADER_BYTES } from '../../shared/model/header.js';
import { inputsOf } from '../../shared/model/transaction.js';
import type { ChainStore } from '../store/chainStore.js';
import type { Write } from '../store/kv.js';
import { type Balance, layout, type Totals, type TxPlace } from '../store/layout.js';
import { put, remove } from '../store/space.js';
import { addressDelta } from './addressDelta.js';

/** All that a block changes in the store, and the sums that result. */
export interface BlockWrites {
  readonly writes: readonly Write[];
  readonly totals: Totals;
}

/** What the writes are computed from. */
export interface BlockContext {
  readonly store: ChainStore;
  readonly block: Block;
  /** The coins the block spends, in order. */
  readonly spent: readonly Coin[];
  /** What the block does to the coins; worked out from the two above where it is not at hand. */
  readonly delta?: CoinDelta;
  /** The sums before. */
  readonly totals: Totals;
}

/**
 * The writes that connect a block: coins, undo and every index. Undo goes into the same batch as the coins: apart, a
 * crash between the two would leave a tip that can never be disconnected.
 */
export function connectWrites(context: BlockContext): BlockWrites {
  const { block, spent } = context;
  const { hash, height } = block.header;
  const writes = [put(layout.chain, height, hash), put(layout.undo, hash, spent)];
  for (const [txid, place] of placesOf(block)) writes.push(put(layout.txIndex, txid, place));
  return indexWrites(context, 1, writes);
}

/** The writes that take the tip off again: the same read backwards. Block and undo stay, so that it can come back. */
export function disconnectWrites(context: BlockContext): BlockWrites {
  const { block } = context;
  const writes = [remove(layout.chain, block.header.height)];
  for (const { txid } of block.transactions) writes.push(remove(layout.txIndex, txid));
  return indexWrites(context, -1, writes);
}

/** Coins, balances, history and the rich list, forwards (1) or backwards (-1). */
function indexWrites(context: BlockContext, direction: 1 | -1, writes: Write[]): BlockWrites {
  const { store, block, spent, totals } = context;
  const { added, removed } = context.delta ?? blockDelta(block, spent);
  for (const coin of direction === 1 ? removed : added) writes.push(...coinRemoval(coin));
  for (const coin of direction === 1 ? added : removed) writes.push(...coinAddition(coin));
  const { rows, sums } = addressDelta(block, spent);
  for (const { address, position, txid, received, spent: paid } of rows) {
    const key = { address, height: block.header.height, position };
    writes.push(
      direction === 1
        ? put(layout.addressHistory, key, { txid, received, spent: paid })
        : remove(layout.addressHistory, key),
    );
  }
  let { addresses } = totals;
  for (const [address, sum] of sums) {
    const before = store.balance(address);
    const after = moved(before, sum, direction);
    if (before.transactions === 0) addresses += 1;
    if (after.transactions === 0) addresses -= 1;
    writes.push(after.transactions === 0 ? remove(layout.balance, address) : put(layout.balance, address, after));
    if (before.balance === after.balance) continue;
    if (before.balance > 0n) writes.push(remove(layout.rich, { balance: before.balance, address }));
    if (after.balance > 0n) writes.push(put(layout.rich, { balance: after.balance, address }, null));
  }
  const change = sumOf(added) - sumOf(removed);
  return {
    writes,
    totals: {
      addresses,
      transactions: totals.transactions + direction * block.transactions.length,
      supply: toAmount(totals.supply + BigInt(direction) * change),
    },
  };
}

function moved(
  before: Balance,
  sum: { received: bigint; spent: bigint; coins: number; rows: number },
  direction: 1 | -1,
): Balance {
  const sign = BigInt(direction);
  return {
    balance: toAmount(before.balance + sign * (sum.received - sum.spent)),
    received: before.received + sign * sum.received,
    sent: before.sent + sign * sum.spent,
    coins: before.coins + direction * sum.coins,
    transactions: before.transactions + direction * sum.rows,
  };
}

function coinAddition({ outpoint, coin }: LocatedCoin): Write[] {
  const { address, ...rest } = coin;
  return [put(layout.coin, outpoint, coin), put(layout.addressCoin, { address, outpoint }, rest)];
}

function coinRemoval({ outpoint, coin: { address } }: LocatedCoin): Write[] {
  return [remove(layout.coin, outpoint), remove(layout.addressCoin, { address, outpoint })];
}

function sumOf(coins: readonly LocatedCoin[]): bigint {
  return coins.reduce((sum, { coin }) => sum + coin.value, 0n);
}

function* placesOf(block: Block): Generator<[Block['transactions'][number]['txid'], TxPlace]> {
  const bytesOfAll = block.transactions.reduce((sum, { raw }) => sum + raw.length, 0);
  let offset = block.raw.length - bytesOfAll;
  if (offset <= HEADER_BYTES) throw new RangeError(`block ${block.header.hash} is shorter than its transactions`);
  let spentBefore = 0;
  for (const [position, transaction] of block.transactions.entries()) {
    const size = transaction.raw.length;
    yield [transaction.txid, { height: block.header.height, position, offset, size, spentBefore }];
    offset += size;
    spentBefore += inputsOf(transaction).length;
  }
}
