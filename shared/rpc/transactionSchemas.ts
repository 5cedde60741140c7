import * as z from 'zod';
import { MAX_TRANSACTION_BYTES } from '../consensus/params.js';
import { MAX_PACKAGE } from '../policy/relay.js';
import type { TransactionChange, transactionChangesInput } from './events.js';
import { amount, base64, count, encoded, type Page, type PageInput, timestamp, txid, wtxid } from './fields.js';
import type { estimateFeeInput, FeeEstimateView, TransactionExplanation, TransactionStatus } from './insightSchemas.js';
import type { Caller, PeerSession } from './trpc.js';
import type { TransactionView } from './views.js';

/** How many ids one announcement, one page of ids or one request for bodies may hold. */
export const MAX_IDS = 1_000;
/** The most bytes of bodies that one answer holds, raw. */
export const MAX_BODIES_BYTES = 2_000_000;

export const byTxid = z.strictObject({ txid });
/** Room above the rules' own limit, so that what is a little too large is told so by its rule. */
const signed = encoded(MAX_TRANSACTION_BYTES + 50_000);
export const submitInput = z.union([
  z.strictObject({ transaction: signed }),
  /** Several that belong together, parents first: all get in or none, and a child may pay for its parents. */
  z.strictObject({ transactions: z.array(signed).min(1).max(MAX_PACKAGE) }),
]);
const submitted = z.strictObject({ txid, wtxid, fee: amount, size: count });
/** The last one that was handed in, and those before it where there were any. */
export const submitOutput = submitted.extend({
  parents: z
    .array(submitted)
    .max(MAX_PACKAGE - 1)
    .optional(),
});
/** The same for a question. */
export const explainInput = z.strictObject({ transaction: signed });
/** A transaction that was taken in. Its fee in base units, its size in bytes. */
export type SubmittedTransaction = z.output<typeof submitOutput>;

export const summary = z.strictObject({ txid, wtxid, size: count, value: amount, fee: amount, firstSeen: timestamp });
/** A waiting transaction at a glance. Money in base units, size in bytes. */
export type WaitingTransaction = z.output<typeof summary>;

export const idsInput = z.strictObject({ cursor: wtxid.optional() });
/** A page longer than others, for ids are short; the cursor is the id that it ended with. */
export const idsOutput = z.strictObject({ items: z.array(wtxid).max(MAX_IDS), next: wtxid.nullable() });

/** By wtxid, and by txid only of peers that say `parents-by-txid`; together no more than `MAX_IDS`, and one at least. */
export const rawInput = z
  .strictObject({ wtxids: z.array(wtxid).max(MAX_IDS), txids: z.array(txid).max(MAX_IDS).optional() })
  .refine(({ wtxids, txids = [] }) => wtxids.length + txids.length > 0 && wtxids.length + txids.length <= MAX_IDS, {
    error: `from 1 to ${MAX_IDS} ids are expected, of both kinds together`,
  });
export const rawOutput = z.strictObject({ transactions: z.array(base64).max(MAX_IDS) });

export const announceInput = z.strictObject({ wtxids: z.array(wtxid).min(1).max(MAX_IDS) });
/** How many of them the callee did not have and will ask for. */
export const announceOutput = z.strictObject({ wanted: count });

/** What a node must be able to do for the `transaction` router. */
export interface TransactionApi {
  get(input: z.output<typeof byTxid>): Promise<TransactionView>;
  list(input: PageInput): Promise<Page<WaitingTransaction>>;
  ids(input: z.output<typeof idsInput>): Promise<z.input<typeof idsOutput>>;
  raw(input: z.output<typeof rawInput>): Promise<z.input<typeof rawOutput>>;
  submit(input: z.output<typeof submitInput>): Promise<SubmittedTransaction>;
  status(input: z.output<typeof byTxid>): Promise<TransactionStatus>;
  explain(input: z.output<typeof explainInput>): Promise<TransactionExplanation>;
  estimateFee(input: z.output<typeof estimateFeeInput>): Promise<FeeEstimateView>;
  onChange(
    input: z.output<typeof transactionChangesInput>,
    caller: Caller,
    signal: AbortSignal | undefined,
  ): AsyncIterable<TransactionChange>;
  announce(input: z.output<typeof announceInput>, session: PeerSession): Promise<z.input<typeof announceOutput>>;
}
