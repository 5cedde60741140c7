import type { TransactionCursor } from '../../shared/rpc/events.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { HeaderRecord } from '../store/layout.js';
import { onceActive } from './followBlocks.js';

/**
 * How far somebody who follows transactions has come: everything below a block is known, and the first `count` of the
 * block's own transactions.
 */
export interface Position {
  readonly record: HeaderRecord;
  readonly count: number;
}

/** The position after a whole block. */
export function endOf(record: HeaderRecord): Position {
  return { record, count: transactionsIn(record) };
}

/** A position as subscribers hand it back. */
export function formatPosition({ record, count }: Position): string {
  return `${record.header.hash}:${count}`;
}

/** The position a subscriber names; `undefined` where nobody can go on from it. */
export function findPosition(chain: Chainstate, { block, count }: TransactionCursor): Position | undefined {
  const record = onceActive(chain, block);
  return record === undefined || count > transactionsIn(record) ? undefined : { record, count };
}

/** The way from a position towards the tip: one transaction of `record` more, or one less; `undefined` at the end. */
export function nextMove(
  chain: Chainstate,
  { record, count }: Position,
):
  | { readonly kind: 'confirmed' | 'unconfirmed'; readonly record: HeaderRecord; readonly position: number }
  | undefined {
  if (chain.isActive(record)) {
    if (count < transactionsIn(record)) return { kind: 'confirmed', record, position: count };
    const above = chain.at(record.header.height + 1);
    return above === undefined ? undefined : { kind: 'confirmed', record: above, position: 0 };
  }
  if (count > 0) return { kind: 'unconfirmed', record, position: count - 1 };
  const below = chain.headers.require(record.header.previous);
  return nextMove(chain, endOf(below));
}

function transactionsIn({ body }: HeaderRecord): number {
  return body?.transactions ?? 0;
}
