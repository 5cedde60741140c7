import type { HealthView } from '../shared/rpc/infoSchemas.js';
import type { Clock, Vitals } from './ports.js';

/** How long the event loop's delays are gathered before they start afresh. */
const WINDOW_MS = 60_000;

/** Watches how the process does. */
export class Health {
  readonly #clock: Clock;
  readonly #vitals: Vitals;
  readonly #startedAt: number;
  #cancel = (): void => {};

  constructor(clock: Clock, vitals: Vitals) {
    this.#clock = clock;
    this.#vitals = vitals;
    this.#startedAt = clock.monotonic();
    this.#startWindow();
  }

  view(): Omit<HealthView, 'ok' | 'peers' | 'sessions' | 'orphans'> {
    const { rssBytes, peakRssBytes } = this.#vitals;
    return {
      uptimeMs: Math.round(this.#clock.monotonic() - this.#startedAt),
      rssBytes,
      peakRssBytes,
      loopDelayP99Ms: Math.round(this.#vitals.loopDelayP99Ms() * 10) / 10,
    };
  }

  close(): void {
    this.#cancel();
    this.#vitals.close();
  }

  #startWindow(): void {
    this.#vitals.reset();
    this.#cancel = this.#clock.after(WINDOW_MS, () => this.#startWindow());
  }
}
