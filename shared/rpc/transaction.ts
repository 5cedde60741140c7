import * as z from 'zod';
import { MAX_TRANSACTION_BYTES } from '../consensus/params.js';
import { amount, base64, count, encoded, type Page, page, pageInput, timestamp, txid, wtxid } from './fields.js';
import type { Context } from './nodeApi.js';
import { type PeerSession, procedures } from './trpc.js';
import { type TransactionView, transactionView } from './views.js';

/** How many ids one announcement, one page of ids or one request for bodies may hold. */
export const MAX_IDS = 1_000;
/** The most bytes of bodies that one answer holds, raw. */
export const MAX_BODIES_BYTES = 2_000_000;

const byTxid = z.strictObject({ txid });
const submitInput = z.strictObject({ transaction: encoded(MAX_TRANSACTION_BYTES) });
const submitOutput = z.strictObject({ txid, wtxid, fee: amount, size: count });
export type SubmittedTransaction = z.output<typeof submitOutput>;

const summary = z.strictObject({ txid, wtxid, size: count, value: amount, fee: amount, firstSeen: timestamp });
export type WaitingTransaction = z.output<typeof summary>;

const idsInput = z.strictObject({ after: wtxid.optional() });
const idsOutput = z.strictObject({ wtxids: z.array(wtxid).max(MAX_IDS), more: z.boolean() });

const rawInput = z.strictObject({ wtxids: z.array(wtxid).min(1).max(MAX_IDS) });
const rawOutput = z.strictObject({ transactions: z.array(base64).max(MAX_IDS) });

const announceInput = z.strictObject({ wtxids: z.array(wtxid).min(1).max(MAX_IDS) });
/** How many of them the callee did not have and will ask for. */
const announceOutput = z.strictObject({ wanted: count });

/** What a node must be able to do for the `transaction` router. */
export interface TransactionApi {
  get(input: z.output<typeof byTxid>): Promise<TransactionView>;
  list(input: { cursor?: string | undefined; limit: number }): Promise<Page<WaitingTransaction>>;
  ids(input: z.output<typeof idsInput>): Promise<z.input<typeof idsOutput>>;
  raw(input: z.output<typeof rawInput>): Promise<z.input<typeof rawOutput>>;
  submit(input: z.output<typeof submitInput>): Promise<SubmittedTransaction>;
  announce(input: z.output<typeof announceInput>, session: PeerSession): Promise<z.input<typeof announceOutput>>;
}

const { router, open, peer } = procedures<Context>();

/** Transactions: sending, finding and relaying them. */
export const transactionRouter = router({
  /** A transaction, whether it waits or is confirmed. */
  get: open
    .input(byTxid)
    .output(transactionView)
    .query(({ ctx, input }) => ctx.node.transaction.get(input)),
  /** The waiting transactions, newest first. */
  list: open
    .input(z.strictObject(pageInput))
    .output(page(summary))
    .query(({ ctx, input }) => ctx.node.transaction.list(input)),
  /** Names of the waiting transactions, in the order of their wtxids. */
  ids: open
    .input(idsInput)
    .output(idsOutput)
    .query(({ ctx, input }) => ctx.node.transaction.ids(input)),
  /** Bodies of waiting transactions, parents before children; those that do not wait here are left out. */
  raw: open
    .input(rawInput)
    .output(rawOutput)
    .query(({ ctx, input }) => ctx.node.transaction.raw(input)),
  /** Checks a transaction by every rule and takes it in. Answers once it survives the death of this process. */
  submit: open
    .input(submitInput)
    .output(submitOutput)
    .mutation(({ ctx, input }) => ctx.node.transaction.submit(input)),
  /** A peer has transactions that may be new here. */
  announce: peer
    .input(announceInput)
    .output(announceOutput)
    .mutation(({ ctx, input }) => ctx.node.transaction.announce(input, ctx.session)),
});
