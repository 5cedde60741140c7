import { MAX_RANGE } from '../../shared/rpc/blockSchemas.js';

/** How long a request should take, by what a peer has shown so far: short, so that what it fails at is soon noticed. */
const TARGET_MS = 1_000;
/** The most raw bytes asked for at once: reading an answer must not hold up everything else. */
const REQUEST_BYTES = 1_000_000;
/** How much more may be asked for than the time before. */
const GROWTH = 4;
/** How much the latest answer counts in the rate. */
const WEIGHT = 0.3;
/** Requests under way at a peer whose pace is known; one before. */
const MAX_IN_FLIGHT = 2;
/** The wait after a failure, doubled with each more in a row. */
const REST_MS = 1_000;
const LONGEST_REST_MS = 60_000;

/** How fast one peer delivers bodies, and what may be asked of it. It outlives a download: a slow peer stays one. */
export class Pace {
  #bytesPerMs: number | undefined;
  #count = 1;
  #failures = 0;
  #restUntil = Number.NEGATIVE_INFINITY;
  /** Requests that have not been answered. */
  inFlight = 0;

  /** Raw bytes in a millisecond; `undefined` before the first answer. */
  get bytesPerMs(): number | undefined {
    return this.#bytesPerMs;
  }

  /** Failures since the last answer. */
  get failures(): number {
    return this.#failures;
  }

  isFree(now: number): boolean {
    return now >= this.#restUntil && this.inFlight < (this.#bytesPerMs === undefined ? 1 : MAX_IN_FLIGHT);
  }

  /** How many blocks to ask for, at this many bytes each. */
  count(blockBytes: number): number {
    if (this.#bytesPerMs === undefined) return 1;
    const fitting = Math.min(this.#bytesPerMs * TARGET_MS, REQUEST_BYTES) / blockBytes;
    return Math.max(1, Math.min(Math.floor(fitting), this.#count * GROWTH, MAX_RANGE));
  }

  /** How long it takes for so many bytes; `undefined` before the first answer. */
  expectedMs(bytes: number): number | undefined {
    return this.#bytesPerMs === undefined ? undefined : bytes / this.#bytesPerMs;
  }

  /** An answer came. */
  delivered({ bytes, blocks, ms }: { readonly bytes: number; readonly blocks: number; readonly ms: number }): void {
    const rate = bytes / Math.max(ms, 1);
    this.#bytesPerMs = this.#bytesPerMs === undefined ? rate : this.#bytesPerMs + (rate - this.#bytesPerMs) * WEIGHT;
    this.#count = blocks;
    this.#failures = 0;
  }

  /** No answer, or none in time: it is asked for less, and later. */
  failed(now: number): void {
    this.#restUntil = now + Math.min(REST_MS * 2 ** this.#failures, LONGEST_REST_MS);
    this.#failures += 1;
    this.#count = 1;
  }
}
