/**
 * Wakes the one who waits for news. What rings while nobody waits is not kept: look first, then wait, with no turn of the
 * event loop in between. Once the signal aborts, nobody waits any more.
 */
export class Bell implements Disposable {
  readonly #signal: AbortSignal | undefined;
  #wake = (): void => {};

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    signal?.addEventListener('abort', this.ring);
  }

  readonly ring = (): void => this.#wake();

  /** Settles when the bell rings or the signal aborts. */
  async next(): Promise<void> {
    if (this.#signal?.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  [Symbol.dispose](): void {
    this.#signal?.removeEventListener('abort', this.ring);
  }
}
