import { runLater } from '../../../client/time.js';

/** Actions at moments to come, by the machine's own timers. */
export class Schedule {
  readonly #timers = new Set<() => void>();
  readonly #onFailure: (error: unknown) => void;
  #isClosed = false;

  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Runs an action after so many milliseconds; one whose moment has passed, at once. */
  after(ms: number, action: () => void | Promise<void>): void {
    if (this.#isClosed) return;
    const cancel = runLater(Math.max(ms, 0), () => {
      this.#timers.delete(cancel);
      void this.#run(action);
    });
    this.#timers.add(cancel);
  }

  /** Forgets what has not begun. What is under way fails with the network that it works on, and nobody needs to know. */
  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  async #run(action: () => void | Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (!this.#isClosed) this.#onFailure(error);
    }
  }
}
