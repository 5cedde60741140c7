import { Emitter } from '../../shared/emitter.js';
import type { SyncView } from '../../shared/rpc/infoSchemas.js';

/** What a run of synchronization is doing. */
export type SyncPhase = SyncView['phase'];

/** How far back rates look, in milliseconds, and how fine. */
const RATE_SPAN_MS = 10_000;
const RATE_STEP_MS = 500;

/** What others learn of synchronization. */
export interface ProgressEvents {
  /** Something has moved on. */
  changed: SyncPhase;
}

interface Sample {
  readonly at: number;
  readonly blocks: number;
  readonly transactions: number;
}

/** What the chain and the download know of it at the moment of a look. */
export interface Surroundings {
  readonly height: SyncView['height'];
  readonly bestHeader: SyncView['bestHeader'];
  readonly target: SyncView['target'];
  readonly peers: readonly string[];
}

/** How far synchronization has come since this process started. Owner: the runner. Bound: a sample for each half second of ten. */
export class SyncProgress {
  readonly events = new Emitter<ProgressEvents>();
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
  /** Sums at moments of this run, oldest first. */
  #samples: Sample[] = [];

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  enter(phase: Exclude<SyncPhase, 'idle'>, peer: string | null): void {
    if (this.#phase === 'idle') {
      this.#since = this.#monotonic();
      this.#hasGained = false;
      this.#samples = [];
    }
    this.#peer = peer;
    this.#move(phase);
  }

  /** A block came. */
  gained(transactions: number): void {
    const now = this.#monotonic();
    if (this.#samples.length === 0) this.#sample(this.#since);
    this.#elapsed += now - this.#since;
    this.#since = now;
    if (!this.#hasGained) this.#runs += 1;
    this.#hasGained = true;
    this.#blocks += 1;
    this.#transactions += transactions;
    if (now - (this.#samples.at(-1)?.at ?? now) >= RATE_STEP_MS) this.#sample(now);
    this.events.emit('changed', this.#phase);
  }

  finish(): void {
    this.#peer = null;
    this.#move('idle');
  }

  /** What `info.sync` shows. */
  view({ height, bestHeader, target, peers }: Surroundings): SyncView {
    const rates = this.#rates();
    const left = target === null ? 0 : target - height;
    const remainingMs = rates.blocks > 0 ? Math.round((left * 1000) / rates.blocks) : null;
    return {
      phase: this.#phase,
      peer: this.#peer,
      peers: [...peers],
      ...{ height, bestHeader, target },
      blocks: this.#blocks,
      transactions: this.#transactions,
      elapsedMs: Math.round(this.#elapsed),
      runs: this.#runs,
      blocksPerSecond: rates.blocks,
      transactionsPerSecond: rates.transactions,
      remainingMs: target === null ? null : remainingMs,
    };
  }

  #move(phase: SyncPhase): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.events.emit('changed', phase);
  }

  #sample(at: number): void {
    this.#samples.push({ at, blocks: this.#blocks, transactions: this.#transactions });
    while ((this.#samples[1]?.at ?? at) < at - RATE_SPAN_MS) this.#samples.shift();
  }

  /** What came in a second, lately; nothing while no blocks are fetched. */
  #rates(): { readonly blocks: number; readonly transactions: number } {
    const [first] = this.#samples;
    if (this.#phase !== 'blocks' || first === undefined) return { blocks: 0, transactions: 0 };
    const seconds = Math.max(this.#monotonic() - first.at, 1) / 1000;
    const perSecond = (count: number): number => Math.round((count / seconds) * 10) / 10;
    return {
      blocks: perSecond(this.#blocks - first.blocks),
      transactions: perSecond(this.#transactions - first.transactions),
    };
  }
}
