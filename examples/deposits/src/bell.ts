/** Tells whoever waits that something has changed. However often it rings meanwhile, it is heard once. */
export class Bell {
  #isRung = false;
  #wake = (): void => {};

  readonly ring = (): void => {
    this.#isRung = true;
    this.#wake();
  };

  /** Settles when it rings; at once where it has rung since the last time. */
  async next(): Promise<void> {
    if (!this.#isRung)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    this.#isRung = false;
  }
}
