import type { Coin } from '../../shared/consensus/coins.js';
import type { Block } from '../../shared/model/block.js';
import { inputsOf, type Transaction } from '../../shared/model/transaction.js';
import type { ChainStore } from '../store/chainStore.js';

/** A transaction of a block. */
export interface FoundTransaction {
  readonly transaction: Transaction;
  readonly position: number;
  /** The coins it spends; `undefined` where its block never was on the active chain. */
  readonly spent: readonly Coin[] | undefined;
}

/** The transactions of a block with what they spent, one by one. */
export function* transactionsOf(store: ChainStore, block: Block): Generator<FoundTransaction> {
  const undo = store.undo(block.header.hash);
  let next = 0;
  for (const [position, transaction] of block.transactions.entries()) {
    const end = next + inputsOf(transaction).length;
    yield { transaction, position, spent: undo?.slice(next, end) };
    next = end;
  }
}
