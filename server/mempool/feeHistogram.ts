import { BUCKET_RATES, bucketOf } from './feeBuckets.js';

/** How much of something waits. */
export interface Amassed {
  readonly count: number;
  /** Raw. */
  readonly bytes: number;
}

/** The transactions of one bucket: those that pay `rate` or more for each byte, and less than the next bucket's. */
export interface RateRow extends Amassed {
  readonly rate: number;
}

/** What counts of a transaction here. */
interface Rated {
  readonly rate: number;
  readonly size: number;
}

/** How many bytes wait at which fee rates, kept up with each that comes and goes: whoever asks costs nothing. */
export class FeeHistogram {
  readonly #counts = new Int32Array(BUCKET_RATES.length);
  readonly #bytes = new Float64Array(BUCKET_RATES.length);

  add({ rate, size }: Rated): void {
    this.#change(bucketOf(rate), 1, size);
  }

  remove({ rate, size }: Rated): void {
    this.#change(bucketOf(rate), -1, -size);
  }

  /** The buckets that hold something, the dearest first. */
  rows(): RateRow[] {
    return BUCKET_RATES.flatMap((rate, bucket) => {
      const count = this.#counts[bucket] ?? 0;
      return count === 0 ? [] : [{ rate, count, bytes: this.#bytes[bucket] ?? 0 }];
    }).reverse();
  }

  /** What waits in dearer buckets than a rate's own. */
  above(rate: number): Amassed {
    let [count, bytes] = [0, 0];
    for (let bucket = bucketOf(rate) + 1; bucket < BUCKET_RATES.length; bucket++) {
      count += this.#counts[bucket] ?? 0;
      bytes += this.#bytes[bucket] ?? 0;
    }
    return { count, bytes };
  }

  #change(bucket: number, count: number, bytes: number): void {
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    this.#bytes[bucket] = (this.#bytes[bucket] ?? 0) + bytes;
  }
}
