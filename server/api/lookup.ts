import { TrestleError } from '../../shared/errors.js';
import type { Block } from '../../shared/model/block.js';
import type { Bid, Tid } from '../../shared/rpc/fields.js';
import type { Chainstate } from '../chain/chainstate.js';
import { type FoundTransaction, transactionsOf } from '../chain/transactionsOf.js';
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

/** The transaction of a block that a caller names. Throws `not-found`. */
export function findTransaction(chain: Chainstate, block: Block, tid: Tid): FoundTransaction {
  for (const found of transactionsOf(block, chain.store.undo(block.header.hash)))
    if (found.position === tid || found.transaction.txid === tid) return found;
  throw notFound(`transaction ${tid} in block ${block.header.hash}`);
}

/** A failure for something that is not there. */
export function notFound(detail: string): TrestleError {
  return new TrestleError({ code: 'not-found', detail });
}
