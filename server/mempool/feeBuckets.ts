import { MIN_FEE_RATE } from '../../shared/policy/relay.js';

/** From one bound to the next: what two rates of one bucket differ by at most. */
const STEP = 1.1;

/**
 * Where buckets of fee rates begin, in base units for each byte: below the least that is relayed, and from there in steps
 * of a tenth up to some ten thousand times as much, with everything above in the last.
 */
export const BUCKET_RATES: readonly number[] = [0, ...Array.from({ length: 98 }, (_, i) => MIN_FEE_RATE * STEP ** i)];

/** The bucket of a fee rate: the last that begins at or below it. */
export function bucketOf(rate: number): number {
  let [low, high] = [0, BUCKET_RATES.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((BUCKET_RATES[middle] ?? 0) <= rate) low = middle;
    else high = middle;
  }
  return low;
}
