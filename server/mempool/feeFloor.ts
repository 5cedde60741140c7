import { MIN_FEE_RATE, RATE_STEP } from '../../shared/policy/relay.js';

/** In so long the floor falls to half; faster where there is much room again. */
const HALF_LIFE_MS = 12 * 3_600_000;
/** Below this share of the limit it falls twice as fast, and below the second four times. */
const ROOMY = 1 / 2;
const VERY_ROOMY = 1 / 4;

/**
 * The least fee rate that gets in. While there is room it is what this node relays at all; when transactions had to be
 * given up it rises above what they paid, so that nobody can have the same room filled and emptied for nothing, and then
 * falls back by and by (Bitcoin Core's rolling minimum). Pure: it is given the time.
 */
export class FeeFloor {
  #rate = 0;
  #at = 0;

  /** The least rate by now. `fill` is how much of the memory is taken, from 0 to 1. */
  rate(now: number, fill: number): number {
    this.#decay(now, fill);
    return Math.max(MIN_FEE_RATE, this.#rate);
  }

  /** Transactions that paid this rate have been given up: from now on others have to pay more. */
  raise(rate: number, now: number): void {
    if (rate + RATE_STEP <= this.#rate) return;
    this.#rate = rate + RATE_STEP;
    this.#at = now;
  }

  #decay(now: number, fill: number): void {
    if (this.#rate === 0) return;
    const speed = fill < VERY_ROOMY ? 4 : fill < ROOMY ? 2 : 1;
    // A clock that was set back stops the fall, and never makes it a rise.
    const elapsed = Math.max(now - this.#at, 0);
    this.#rate *= 0.5 ** ((elapsed * speed) / HALF_LIFE_MS);
    this.#at = now;
    if (this.#rate < MIN_FEE_RATE / 2) this.#rate = 0;
  }
}
