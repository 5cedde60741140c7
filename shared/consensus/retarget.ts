import { bitsFromTarget } from './target.js';

const RADIX_BITS = 16n;
const RADIX = 1n << RADIX_BITS;

/** Where a chain stands against its ideal schedule. All times are in one unit; all differences may be negative. */
export interface AsertInput {
  /** Target of the anchor block. */
  readonly anchorTarget: bigint;
  /** Time of the block's parent, less the time of the anchor's parent. */
  readonly timeDifference: bigint;
  /** Height of the block's parent, less the anchor's height. */
  readonly heightDifference: bigint;
  /** Ideal time from block to block. */
  readonly blockInterval: bigint;
  /** Being this late doubles the target; being this early halves it. */
  readonly halfLife: bigint;
  /** The easiest target. */
  readonly limit: bigint;
}

/**
 * The next block's target by aserti3-2d, as specified for Bitcoin Cash (upgrade of 2020-11-15):
 * `anchor * 2^((time - interval * (height + 1)) / halfLife)`, in 16-bit fixed point with a cubic for the fraction of the
 * power. It depends on nothing but the anchor and the parent, so timestamps can be bent by nobody for long.
 */
export function asertTarget(input: AsertInput): bigint {
  const { anchorTarget, timeDifference, heightDifference, blockInterval, halfLife, limit } = input;
  // BigInt division truncates toward zero, as the specification's C does. A floor here would leave its vectors.
  const exponent = ((timeDifference - blockInterval * (heightDifference + 1n)) * RADIX) / halfLife;
  const shifts = exponent >> RADIX_BITS;
  const fraction = exponent - (shifts << RADIX_BITS);
  const factor =
    RADIX +
    ((195_766_423_245_049n * fraction +
      971_821_376n * fraction * fraction +
      5_127n * fraction * fraction * fraction +
      (1n << 47n)) >>
      48n);
  // Clamped before shifting: a timestamp far off would otherwise ask for a number of millions of digits. The other way
  // needs no clamp: a BigInt shifted left by a negative number is shifted right, and nothing is left of it but 0.
  if (shifts >= 256n) return limit;
  const target = ((anchorTarget * factor) << shifts) >> RADIX_BITS;
  if (target === 0n) return 1n;
  return target > limit ? limit : target;
}

/** The same in compact form, which is what a header holds. */
export function asertBits(input: AsertInput): number {
  return bitsFromTarget(asertTarget(input));
}
