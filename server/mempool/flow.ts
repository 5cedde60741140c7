import type { Clock } from '../ports.js';

/** Milliseconds that are counted together. */
const SLOT_MS = 10_000;
/** How many of them are remembered: ten minutes. */
const SLOTS = 60;

/** What may happen to a transaction that waits or wants to. */
export const FLOWS = ['accepted', 'confirmed', 'dropped'] as const;
/** One of them. */
export type FlowKind = (typeof FLOWS)[number];

/** What came and went lately: `windowMs` is how far back it was counted, at most ten minutes. */
export type Flow = Readonly<Record<FlowKind, number>> & { readonly windowMs: number };

/** Counts what comes and goes over a moving window, in slots of ten seconds: memory and answers are the same under any load. */
export class FlowMeter {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #startedAt: number;
  readonly #counts: Readonly<Record<FlowKind, Float64Array>> = {
    accepted: new Float64Array(SLOTS),
    confirmed: new Float64Array(SLOTS),
    dropped: new Float64Array(SLOTS),
  };
  /** The slot that counts now, by number since the clock's zero. */
  #slot: number;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
    this.#slot = Math.floor(this.#startedAt / SLOT_MS);
  }

  note(kind: FlowKind): void {
    this.#turn();
    const at = this.#slot % SLOTS;
    this.#counts[kind][at] = (this.#counts[kind][at] ?? 0) + 1;
  }

  view(): Flow {
    const now = this.#turn();
    const since = Math.max(this.#startedAt, (this.#slot - SLOTS + 1) * SLOT_MS);
    const { accepted, confirmed, dropped } = this.#counts;
    return {
      windowMs: Math.max(0, Math.floor(now - since)),
      accepted: sum(accepted),
      confirmed: sum(confirmed),
      dropped: sum(dropped),
    };
  }

  /** Clears the slots that have passed unused. Answers the time. */
  #turn(): number {
    const now = this.#clock.monotonic();
    const slot = Math.floor(now / SLOT_MS);
    for (let each = Math.max(this.#slot + 1, slot - SLOTS + 1); each <= slot; each++)
      for (const kind of FLOWS) this.#counts[kind][each % SLOTS] = 0;
    this.#slot = Math.max(this.#slot, slot);
    return now;
  }
}

function sum(counts: Float64Array): number {
  return counts.reduce((total, count) => total + count, 0);
}
