/**
 * What this node relays and mines by choice. Blocks may break every one of these limits: policy protects a node, and
 * consensus alone decides what is valid.
 */

/** Base units a transaction must pay for each of its bytes. */
export const MIN_FEE_RATE = 1;
/** What a rate has to be above another for it to count as better: what relaying once more costs everybody. */
export const RATE_STEP = MIN_FEE_RATE;
/** An output worth less than spending it costs, at the least rate: an input and its signature take about so many bytes. */
export const DUST_VALUE = 100n;
/** How many unconfirmed transactions may hang together in a line, and their bytes, the newest counted in. */
export const MAX_CHAIN = 25;
export const MAX_CHAIN_BYTES = 101_000;
/** How many may hang together by whatever ways. */
export const MAX_CLUSTER = 100;
/** The most waiting transactions that one may take the place of. */
export const MAX_REPLACED = 100;
/** How many transactions may be handed in together, and are judged by what they pay together. */
export const MAX_PACKAGE = 25;
/** How long a transaction waits before it is given up, in milliseconds: three days. */
export const MAX_WAIT_MS = 72 * 3_600_000;
/** The most memory that waiting transactions take, in bytes. */
export const MAX_POOL_BYTES = 200_000_000;
/** Bytes of a block's transactions that a template fills, which leaves room for header, count and coinbase. */
export const TEMPLATE_BYTES = 1_990_000;

/** The least fee for a transaction of so many bytes, at a rate. */
export function minimumFee(size: number, rate = MIN_FEE_RATE): bigint {
  return BigInt(Math.ceil(size * rate));
}

/** Base units for each byte: how transactions are ordered. */
export function feeRate(fee: bigint, size: number): number {
  return Number(fee) / size;
}
