import { tracked } from '@trpc/server';
import * as z from 'zod';
import { type BlockHash, parseId } from '../model/ids.js';
import { addressInput, blockHash, count, height, txid, wtxid } from './fields.js';
import { syncOutput } from './infoSchemas.js';
import { reasonCode } from './insightSchemas.js';

/** How many addresses or transactions one subscription may name. */
export const MAX_WATCHED = 100;

/**
 * The output of a subscription: a stream in which every event has a cursor. A client that reconnects hands in the cursor
 * of the last event it saw, and tRPC does that by itself.
 */
function eventStream<Event extends z.ZodType<{ cursor: string }>>(event: Event) {
  return z
    .custom<AsyncIterable<z.input<Event>>>(isAsyncIterable, 'a stream is expected')
    .transform(async function* (events) {
      for await (const each of events) {
        const checked = event.parse(each);
        yield tracked(checked.cursor, checked);
      }
    });
}

/** The same without cursors, for what is told as it is at the moment: nothing is missed by coming back. */
function momentStream<Event extends z.ZodType>(event: Event) {
  return z
    .custom<AsyncIterable<z.input<Event>>>(isAsyncIterable, 'a stream is expected')
    .transform(async function* (events) {
      for await (const each of events) yield event.parse(each);
    });
}

function isAsyncIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** What every event about a block says. */
const ofBlock = { height, hash: blockHash };

/**
 * A change of the active chain. `reset`: what was known is void or too old to go on from, start afresh from this tip; it
 * also opens a subscription that names no cursor.
 */
export const blockChange = z.strictObject({
  kind: z.enum(['reset', 'connected', 'disconnected']),
  ...ofBlock,
  previous: blockHash,
  /** The tip after this change. */
  cursor: blockHash,
});
/** A change of the active chain, as `block.onChange` tells it. */
export type BlockChange = z.output<typeof blockChange>;

export const blockChangesInput = z.strictObject({
  /** The cursor of the last change seen, or the hash of the last block: what came after it is told, once each. */
  after: blockHash.optional(),
  /** The same, set by the client when it reconnects; it goes before `after`. */
  lastEventId: blockHash.optional(),
});
export const blockChangesOutput = eventStream(blockChange);

const CURSOR = /^([0-9a-f]{64}):(0|[1-9][0-9]{0,6})$/;
const transactionCursor = z.string().regex(CURSOR);

/** How far a subscriber of transactions has come: all below a block, and so many of its own transactions. */
export interface TransactionCursor {
  readonly block: BlockHash;
  readonly count: number;
}

const transactionCursorInput = z.string().transform((text, context): TransactionCursor => {
  const [, hash = '', count = ''] = CURSOR.exec(text) ?? [];
  const block = parseId<BlockHash>(hash);
  if (block !== undefined) return { block, count: Number(count) };
  context.addIssue({ code: 'custom', message: 'a cursor is the one of an event, or <block hash>:<count>' });
  return z.NEVER;
});

/** A change of one transaction. */
export const transactionChange = z.discriminatedUnion('kind', [
  /** What was known is void, or changes were lost: start afresh from this tip. */
  z.strictObject({ kind: z.literal('reset'), ...ofBlock, cursor: transactionCursor }),
  /** A block of the active chain holds it. */
  z.strictObject({ kind: z.literal('confirmed'), txid, ...ofBlock, position: count, cursor: transactionCursor }),
  /** The block that held it has left the active chain. */
  z.strictObject({ kind: z.literal('unconfirmed'), txid, ...ofBlock, position: count, cursor: transactionCursor }),
  /** It waits here. Told only while the subscription stands; `transaction.list` knows all that wait. */
  z.strictObject({ kind: z.literal('waiting'), txid, wtxid, cursor: transactionCursor }),
  /** It waits no longer, and no block holds it: `code` says why. */
  z.strictObject({ kind: z.literal('dropped'), txid, code: reasonCode, cursor: transactionCursor }),
]);
/** A change of one transaction, as `transaction.onChange` tells it. */
export type TransactionChange = z.output<typeof transactionChange>;

/** What may become of a transaction. */
const TRANSACTION_CHANGE_KINDS = ['confirmed', 'unconfirmed', 'waiting', 'dropped'] as const;
/** One of them. */
export type TransactionChangeKind = (typeof TRANSACTION_CHANGE_KINDS)[number];

export const transactionChangesInput = z.strictObject({
  /** The cursor of the last change seen: what came after it is told, once each. */
  after: transactionCursorInput.optional(),
  /** The same, set by the client when it reconnects; it goes before `after`. */
  lastEventId: transactionCursorInput.optional(),
  /** Only what pays or spends from one of these; everything, where neither these nor ids are named. */
  addresses: z.array(addressInput).min(1).max(MAX_WATCHED).optional(),
  /** Only these. */
  txids: z.array(txid).min(1).max(MAX_WATCHED).optional(),
  /** Only changes of these kinds, and `reset`, which nobody can do without. */
  kinds: z.array(z.enum(TRANSACTION_CHANGE_KINDS)).min(1).max(TRANSACTION_CHANGE_KINDS.length).optional(),
});
export const transactionChangesOutput = eventStream(transactionChange);

export const syncChangesOutput = momentStream(syncOutput);
