import type { Coin } from '../../shared/consensus/coins.js';
import type { Block } from '../../shared/model/block.js';
import { inputsOf, type Transaction } from '../../shared/model/transaction.js';

/** A transaction of a block. */
export interface FoundTransaction<Spent = readonly Coin[] | undefined> {
  readonly transaction: Transaction;
  readonly position: number;
  /** The coins it spends. */
  readonly spent: Spent;
}

/**
 * The transactions of a block with what each spends, out of the coins that the whole block does: its undo record, which a
 * block that was never on the active chain does not have.
 */
export function* transactionsOf<Coins extends readonly Coin[] | undefined>(
  { transactions }: Block,
  undo: Coins,
): Generator<FoundTransaction<Coins | readonly Coin[]>> {
  let next = 0;
  for (const [position, transaction] of transactions.entries()) {
    const end = next + inputsOf(transaction).length;
    yield { transaction, position, spent: undo?.slice(next, end) ?? undo };
    next = end;
  }
}
