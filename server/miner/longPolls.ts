import type { BlockHash } from '../../shared/model/ids.js';
import type { Cancel, Clock } from '../ports.js';

/** Miners that wait at once, of one caller and of all. */
const WAITING_EACH = 16;
const WAITING = 1_024;
/** The time between two looks at what a fresh template would pay, each of which costs about a millisecond. */
const LOOK_MS = 200;

/** What somebody works on while waiting for something better. */
export interface CurrentWork {
  readonly caller: string;
  /** The block it builds on. */
  readonly previous: BlockHash;
  /** The fees from which on another template on the same tip is clearly better. */
  readonly enough: bigint;
}

/** When waiting ends without anything better. */
export interface Patience {
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
}

interface Waiter {
  readonly work: CurrentWork;
  readonly finish: () => void;
}

/**
 * Miners that wait for something better. A new tip ends all their waits; fees that have grown end those to whom it matters.
 * A transaction that comes in costs one comparison: only where it could make a difference to somebody are a template's
 * fees really asked for, and that at most every `LOOK_MS`, for all who wait together. Bounds: 1,024 who wait, 16 of one
 * caller; one more ends the wait of that caller's first, which is most likely to have gone.
 */
export class LongPolls {
  readonly #waiting = new Set<Waiter>();
  readonly #clock: Pick<Clock, 'after'>;
  /** The fees that a fresh template would collect. */
  readonly #feesNow: () => bigint;
  /** The least fees that would matter to anybody; `undefined` while that is not known. */
  #least: bigint | undefined;
  /** Runs from one look on until there may be another. */
  #pause: Cancel | undefined;
  #isLookDue = false;
  #isClosed = false;

  constructor(clock: Pick<Clock, 'after'>, feesNow: () => bigint) {
    this.#clock = clock;
    this.#feesNow = feesNow;
  }

  get count(): number {
    return this.#waiting.size;
  }

  /** Settles when the tip moves or fees are enough, when time is up, or on abort. */
  async wait(work: CurrentWork, { waitMs, signal }: Patience): Promise<void> {
    if (this.#isClosed || waitMs === 0 || signal?.aborted || this.#waiting.size >= WAITING) return;
    const own = [...this.#waiting].filter((waiter) => waiter.work.caller === work.caller);
    if (own.length >= WAITING_EACH) own[0]?.finish();
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        this.#waiting.delete(waiter);
        this.#least = undefined;
        signal?.removeEventListener('abort', finish);
        cancel();
        resolve();
      };
      const waiter: Waiter = { work, finish };
      const cancel = this.#clock.after(waitMs, finish);
      signal?.addEventListener('abort', finish);
      this.#waiting.add(waiter);
      this.#least = undefined;
    });
  }

  tipMoved(tip: BlockHash): void {
    for (const { work, finish } of [...this.#waiting]) if (work.previous !== tip) finish();
  }

  /** Fees may have grown so far, and no further. */
  feesMayBe(most: number): void {
    if (this.#waiting.size === 0 || most <= Number(this.#leastEnough())) return;
    if (this.#pause === undefined) this.#look();
    else this.#isLookDue = true;
  }

  close(): void {
    this.#isClosed = true;
    this.#pause?.();
    for (const { finish } of [...this.#waiting]) finish();
  }

  #look(): void {
    const fees = this.#feesNow();
    for (const { work, finish } of [...this.#waiting]) if (fees > work.enough) finish();
    this.#isLookDue = false;
    this.#pause = this.#clock.after(LOOK_MS, () => {
      this.#pause = undefined;
      if (this.#isLookDue && this.#waiting.size > 0) this.#look();
    });
  }

  #leastEnough(): bigint {
    if (this.#least === undefined) {
      for (const { work } of this.#waiting)
        if (this.#least === undefined || work.enough < this.#least) this.#least = work.enough;
    }
    return this.#least ?? 0n;
  }
}
