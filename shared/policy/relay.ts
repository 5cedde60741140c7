/**
 * What this node relays and mines by choice. Blocks may break every one of these limits: policy protects a node, and
 * consensus alone decides what is valid.
 */

/** Base units a transaction must pay for each of its bytes. */
export const MIN_FEE_RATE = 1;
/** How many unconfirmed transactions may hang together in a line, the newest counted in. */
export const MAX_CHAIN = 25;
/** The most bytes of waiting transactions, raw. */
export const MAX_POOL_BYTES = 50_000_000;
/** Bytes of a block's transactions that a template fills, which leaves room for header, count and coinbase. */
export const TEMPLATE_BYTES = 1_990_000;

/** The least fee for a transaction of so many bytes. */
export function minimumFee(size: number): bigint {
  return BigInt(Math.ceil(size * MIN_FEE_RATE));
}

/** Base units for each byte: how transactions are ordered. */
export function feeRate(fee: bigint, size: number): number {
  return Number(fee) / size;
}
