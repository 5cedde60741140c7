import { setMaxListeners } from 'node:events';
import type { Logger } from './ports.js';

/** Something that has to be ended when the process ends. */
export interface Part {
  readonly name: string;
  close(): Promise<void>;
}

/**
 * The parts of a process, ended in the reverse of the order in which they were started: whoever uses another part stops
 * before it does. One signal runs through all: it aborts first, so that nothing waits for a peer any more.
 */
export class Lifecycle {
  readonly #log: Logger;
  readonly #controller = new AbortController();
  readonly #parts: Part[] = [];
  #stopping: Promise<void> | undefined;
  #failure: unknown;
  #ended = (): void => {};
  /** Settles when everything has ended, for whatever reason. */
  readonly stopped = new Promise<void>((resolve) => {
    this.#ended = resolve;
  });

  constructor(log: Logger) {
    // Every call under way listens; the usual limit of ten would be taken for a leak.
    setMaxListeners(0, this.#controller.signal);
    this.#log = log;
  }

  /** Aborts when the end begins. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Registers a part that runs now, and returns it. */
  add<P extends { close(): Promise<void> | void }>(name: string, part: P): P {
    this.#parts.push({ name, close: async () => part.close() });
    return part;
  }

  /** Why it ended by itself; `undefined` where it did not. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Ends everything because of a failure after which nobody may rely on this process. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.#log.error('this process ends, for it can no longer do its work', { error: String(error) });
    void this.stop();
  }

  /** Ends everything, once. A part that fails to end does not keep the others from ending. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll().finally(() => this.#ended());
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    this.#controller.abort();
    for (const { name, close } of this.#parts.toReversed()) {
      try {
        await close();
      } catch (error) {
        this.#log.error('a part did not end cleanly', { part: name, error: String(error) });
      }
    }
  }
}
