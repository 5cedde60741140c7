import type { Clock, Logger } from '../ports.js';

/** How often long work says how far it is. */
const SAY_MS = 5_000;
/** How long work may hold the event loop before a signal is looked for. */
const HOLD_MS = 50;

/** Says now and then how far long work is, and lets signals be heard in between. */
export class Progress {
  readonly #clock: Pick<Clock, 'monotonic' | 'yield'>;
  readonly #log: Logger;
  #saidAt: number;
  #yieldedAt: number;

  constructor(clock: Pick<Clock, 'monotonic' | 'yield'>, log: Logger) {
    this.#clock = clock;
    this.#log = log;
    this.#saidAt = clock.monotonic();
    this.#yieldedAt = this.#saidAt;
  }

  /** `done` of something are done. */
  async step(what: string, done: number): Promise<void> {
    const now = this.#clock.monotonic();
    if (now - this.#saidAt >= SAY_MS) {
      this.#log.info('still at work', { what, done });
      this.#saidAt = now;
    }
    if (now - this.#yieldedAt < HOLD_MS) return;
    await this.#clock.yield();
    this.#yieldedAt = this.#clock.monotonic();
  }
}
