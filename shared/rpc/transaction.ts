import * as z from 'zod';
import { transactionChangesInput, transactionChangesOutput } from './events.js';
import { page, pageInput } from './fields.js';
import { estimateFeeInput, estimateFeeOutput, explainOutput, statusOutput } from './insightSchemas.js';
import type { Context } from './nodeApi.js';
import {
  announceInput,
  announceOutput,
  byTxid,
  explainInput,
  idsInput,
  idsOutput,
  rawInput,
  rawOutput,
  submitInput,
  submitOutput,
  summary,
} from './transactionSchemas.js';
import { procedures } from './trpc.js';
import { transactionView } from './views.js';

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
  /** What has become of a transaction, and why: whether it waits, is confirmed, or left unconfirmed. */
  status: open
    .input(byTxid)
    .output(statusOutput)
    .query(({ ctx, input }) => ctx.node.transaction.status(input)),
  /** What each rule says to a transaction. Nothing is taken in, stored or told to others. */
  explain: open
    .input(explainInput)
    .output(explainOutput)
    .query(({ ctx, input }) => ctx.node.transaction.explain(input)),
  /** What to pay for each byte to be confirmed within so many blocks, by what this node has seen. */
  estimateFee: open
    .input(estimateFeeInput)
    .output(estimateFeeOutput)
    .query(({ ctx, input }) => ctx.node.transaction.estimateFee(input)),
  /**
   * Changes of transactions, as they come: confirmed, unconfirmed, waiting, dropped. A client that comes back hears once
   * each what blocks brought and took back meanwhile.
   */
  onChange: open
    .input(transactionChangesInput)
    .output(transactionChangesOutput)
    .subscription(({ ctx, input, signal }) => ctx.node.transaction.onChange(input, ctx.caller, signal)),
  /** A peer has transactions that may be new here. */
  announce: peer
    .input(announceInput)
    .output(announceOutput)
    .mutation(({ ctx, input }) => ctx.node.transaction.announce(input, ctx.session)),
});
