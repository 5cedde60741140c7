import type { SyncView } from '../../shared/rpc/infoSchemas.js';

/** What a run of synchronization is doing. */
export type SyncPhase = SyncView['phase'];

/** How far a run has come, and how many have brought something. Owner: the runner. */
export class SyncProgress {
  readonly #monotonic: () => number;
  #phase: SyncPhase = 'idle';
  #peer: string | null = null;
  #blocks = 0;
  #transactions = 0;
  #startedAt = 0;
  #elapsed = 0;
  #runs = 0;
  #isFirst = true;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  enter(phase: Exclude<SyncPhase, 'idle'>, peer: string): void {
    if (this.#phase === 'idle') {
      this.#startedAt = this.#monotonic();
      this.#isFirst = true;
    }
    this.#phase = phase;
    this.#peer = peer;
  }

  /** A block came. The counters start again with a run's first, so that the last run that brought something stays readable. */
  gained(transactions: number): void {
    if (this.#isFirst) {
      this.#blocks = 0;
      this.#transactions = 0;
      this.#runs += 1;
      this.#isFirst = false;
    }
    this.#blocks += 1;
    this.#transactions += transactions;
    this.#elapsed = this.#monotonic() - this.#startedAt;
  }

  finish(): void {
    this.#phase = 'idle';
    this.#peer = null;
  }

  /** What `info.sync` shows, the chain's own figures aside. */
  view(): Omit<SyncView, 'height' | 'bestHeader'> {
    return {
      phase: this.#phase,
      peer: this.#peer,
      blocks: this.#blocks,
      transactions: this.#transactions,
      elapsedMs: Math.round(this.#elapsed),
      runs: this.#runs,
    };
  }
}
