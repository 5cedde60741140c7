import type { SyncView } from '../../shared/rpc/infoSchemas.js';

/** What a run of synchronization is doing. */
export type SyncPhase = SyncView['phase'];

/** How far synchronization has come since this process started. Owner: the runner. */
export class SyncProgress {
  readonly #monotonic: () => number;
  #phase: SyncPhase = 'idle';
  #peer: string | null = null;
  #blocks = 0;
  #transactions = 0;
  #runs = 0;
  /** Milliseconds of the runs that brought something, up to the last block. */
  #elapsed = 0;
  /** Since when the run has been going, or when it last brought something. */
  #since = 0;
  #hasGained = false;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  enter(phase: Exclude<SyncPhase, 'idle'>, peer: string): void {
    if (this.#phase === 'idle') {
      this.#since = this.#monotonic();
      this.#hasGained = false;
    }
    this.#phase = phase;
    this.#peer = peer;
  }

  /** A block came. */
  gained(transactions: number): void {
    const now = this.#monotonic();
    this.#elapsed += now - this.#since;
    this.#since = now;
    if (!this.#hasGained) this.#runs += 1;
    this.#hasGained = true;
    this.#blocks += 1;
    this.#transactions += transactions;
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
