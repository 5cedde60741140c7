import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { HealthView } from '../shared/rpc/infoSchemas.js';
import type { Clock } from './ports.js';

/** How long the event loop's delays are gathered before they start afresh. */
const WINDOW_MS = 60_000;
const RESOLUTION_MS = 10;

/** Watches how the process does. */
export class Health {
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #cancel = (): void => {};

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
    this.#delays.enable();
    this.#startWindow();
  }

  view(): Omit<HealthView, 'ok' | 'peers' | 'sessions'> {
    // The histogram holds nanoseconds, and the timer's own interval with them.
    const delayMs = Math.max(0, this.#delays.percentile(99) / 1e6 - RESOLUTION_MS);
    return {
      uptimeMs: Math.round(this.#clock.monotonic() - this.#startedAt),
      rssBytes: process.memoryUsage.rss(),
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
      loopDelayP99Ms: Math.round(delayMs * 10) / 10,
    };
  }

  close(): void {
    this.#cancel();
    this.#delays.disable();
  }

  #startWindow(): void {
    this.#delays.reset();
    this.#cancel = this.#clock.after(WINDOW_MS, () => this.#startWindow());
  }
}
