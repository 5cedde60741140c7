import * as z from 'zod';
import type { TxReject } from '../consensus/reject.js';
import { parseReason } from '../parseReason.js';
import type { PoolReject } from '../policy/reject.js';
import { isReasonCode, type ReasonCode } from '../reasons.js';
import { amount, blockHash, count, height, timestamp, txid, wtxid } from './fields.js';

/** How many blocks ahead `transaction.estimateFee` looks at most. */
export const MAX_FEE_TARGET = 144;
/** How many missing coins or rivals `transaction.explain` names at most. */
export const MAX_NAMED = 100;

/** One of our codes. */
export const reasonCode = z.custom<ReasonCode>(
  (value) => typeof value === 'string' && isReasonCode(value),
  'no code of ours',
);
const rejection = z.custom<TxReject | PoolReject>((value) => parseReason(value) !== null, 'no reason of ours');
/** Base units for each byte. */
const feeRate = z.number().min(0);

/** What every answer says of a transaction that waited here and left without being confirmed. */
const gone = {
  txid,
  /** When it left. */
  at: timestamp,
  code: reasonCode,
};

export const statusOutput = z.discriminatedUnion('state', [
  /** It waits here. */
  z.strictObject({
    state: z.literal('pending'),
    txid,
    firstSeen: timestamp,
    fee: amount,
    size: count,
    feeRate,
    /** What waits at clearly higher rates: in higher buckets of the histogram. */
    ahead: z.strictObject({ count, bytes: count }),
  }),
  /** A block of the active chain holds it; `depth` counts that block and those on it. */
  z.strictObject({
    state: z.literal('confirmed'),
    txid,
    hash: blockHash,
    height,
    position: count,
    depth: count.min(1),
  }),
  /** Another waiting transaction that spends a coin of it has taken its place: `by`, where that is known. */
  z.strictObject({ state: z.literal('replaced'), ...gone, by: txid.nullable() }),
  /**
   * A coin it spends was taken by a block, or is no longer there. `block` is the one that took it, where that is known;
   * `active` is whether the chain still holds that block.
   */
  z.strictObject({
    state: z.literal('conflicted'),
    ...gone,
    block: z.strictObject({ hash: blockHash, height, active: z.boolean() }).nullable(),
  }),
  /** It waited too long. */
  z.strictObject({ state: z.literal('expired'), ...gone }),
  /** The pool was full, and others paid more. */
  z.strictObject({ state: z.literal('evicted'), ...gone }),
  /** After a switch of branches, or a start, it broke another rule. */
  z.strictObject({ state: z.literal('refused'), ...gone }),
  /** It never waited here, or left so long ago that nobody remembers. */
  z.strictObject({ state: z.literal('unknown'), txid }),
]);
/** What has become of a transaction: what `transaction.status` answers. */
export type TransactionStatus = z.output<typeof statusOutput>;

export const ruleVerdict = z.discriminatedUnion('result', [
  z.strictObject({ code: reasonCode, result: z.literal('passed') }),
  z.strictObject({ code: reasonCode, result: z.literal('failed'), reason: rejection }),
  /** A rule before it failed. */
  z.strictObject({ code: reasonCode, result: z.literal('not-reached') }),
]);
/** One rule's verdict on a transaction. */
export type RuleVerdict = z.output<typeof ruleVerdict>;

const outpoint = z.string().regex(/^[0-9a-f]{64}:\d{1,5}$/);

export const explainOutput = z.strictObject({
  /** Whether `transaction.submit` would take it in now. */
  accepted: z.boolean(),
  /** `null` where the bytes are no transaction. */
  txid: txid.nullable(),
  wtxid: wtxid.nullable(),
  /** Bytes. */
  size: count,
  /** `null` where coins are missing or overspent, and of a coinbase. */
  fee: amount.nullable(),
  feeRate: feeRate.nullable(),
  /** Coins it spends that neither the chain nor a waiting transaction has, as `<txid>:<index>`; the first hundred. */
  missing: z.array(outpoint).max(MAX_NAMED),
  /** Waiting transactions that spend the same coins; the first hundred. */
  conflicts: z.array(txid).max(MAX_NAMED),
  /** Every rule, in the order in which they are checked. */
  rules: z.array(ruleVerdict).min(1).max(64),
});
/** What the rules say to a transaction: what `transaction.explain` answers. */
export type TransactionExplanation = z.output<typeof explainOutput>;

export const estimateFeeInput = z.strictObject({ blocks: z.int().min(1).max(MAX_FEE_TARGET).default(6) });
export const estimateFeeOutput = z.strictObject({
  /** Base units for each byte; `null` where too little is known to name one. */
  feeRate: feeRate.nullable(),
  /** The question. */
  blocks: z.int().min(1).max(MAX_FEE_TARGET),
  /** How many transactions it rests on, older ones counted in part. */
  samples: count,
  /** Why there is no rate: too few were seen, or at no rate were enough confirmed in time. */
  reason: z.enum(['too-little-data', 'too-few-confirmed']).nullable(),
});
/** What to pay to be confirmed in time: what `transaction.estimateFee` answers. */
export type FeeEstimateView = z.output<typeof estimateFeeOutput>;

export const rateRow = z.strictObject({ rate: feeRate, count, bytes: count });
/** How many rows a histogram of fee rates has at most. */
export const MAX_RATE_ROWS = 128;
export const flowOutput = z.strictObject({
  /** How far back it was counted, at most ten minutes. */
  windowMs: count,
  accepted: count,
  confirmed: count,
  dropped: count,
});
