import type { Coin } from '../../shared/consensus/coins.js';
import { TrestleError } from '../../shared/errors.js';
import type { Block } from '../../shared/model/block.js';
import { inputsOf, type Transaction } from '../../shared/model/transaction.js';
import type { Bid, Tid } from '../../shared/rpc/fields.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { HeaderRecord } from '../store/layout.js';

/** The record of the block that a caller names. Throws `not-found`. */
export function findRecord(chain: Chainstate, bid: Bid): HeaderRecord {
  if (bid === 'last') return chain.tip;
  const record = typeof bid === 'number' ? chain.at(bid) : chain.headers.get(bid);
  if (record === undefined) throw notFound(`block ${bid}`);
  return record;
}

/** The same, where the body is needed: of a block that is known by its header alone there is none. */
export function findBlock(chain: Chainstate, bid: Bid): { readonly record: HeaderRecord; readonly block: Block } {
  const record = findRecord(chain, bid);
  if (record.body === null) throw notFound(`the body of block ${record.header.hash}`);
  return { record, block: chain.store.block(record.header.hash) };
}

/** A transaction of a block. */
export interface FoundTransaction {
  readonly transaction: Transaction;
  readonly position: number;
  /** The coins it spends; `undefined` where its block never was on the active chain. */
  readonly spent: readonly Coin[] | undefined;
}

/** The transactions of a block with what they spent, one by one. */
export function* transactionsOf(chain: Chainstate, block: Block): Generator<FoundTransaction> {
  const undo = chain.store.undo(block.header.hash);
  let next = 0;
  for (const [position, transaction] of block.transactions.entries()) {
    const end = next + inputsOf(transaction).length;
    yield { transaction, position, spent: undo?.slice(next, end) };
    next = end;
  }
}

/** The transaction of a block that a caller names. Throws `not-found`. */
export function findTransaction(chain: Chainstate, block: Block, tid: Tid): FoundTransaction {
  for (const found of transactionsOf(chain, block))
    if (found.position === tid || found.transaction.txid === tid) return found;
  throw notFound(`transaction ${tid} in block ${block.header.hash}`);
}

/** A failure for something that is not there. */
export function notFound(detail: string): TrestleError {
  return new TrestleError({ code: 'not-found', detail });
}
