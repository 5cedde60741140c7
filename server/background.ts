import type { Logger } from './ports.js';

/** Work that nobody waits for, until the end: then everything still under way is waited for. */
export class Background {
  readonly #log: Logger;
  readonly #work = new Set<Promise<void>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Lets work go on; a failure is logged, under what the work is called. */
  run(what: string, work: Promise<void>): void {
    const guarded = work
      .catch((error: unknown) => this.#log.error(`${what} failed`, { error: String(error) }))
      .finally(() => this.#work.delete(guarded));
    this.#work.add(guarded);
  }

  /** Settles when nothing is under way, whatever was added meanwhile included. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }
}
