/**
 * The last so many things that were added. A cache that keeps room for all of them from the start costs megabytes and
 * milliseconds for each peer and node that never fills it; this one grows with what it holds.
 */
export class RecentSet<T> {
  readonly #max: number;
  readonly #items = new Set<T>();

  constructor(max: number) {
    this.#max = max;
  }

  has(item: T): boolean {
    return this.#items.has(item);
  }

  delete(item: T): void {
    this.#items.delete(item);
  }

  /** Adds an item, or makes it the latest again; the oldest goes where there are too many. */
  add(item: T): void {
    this.#items.delete(item);
    this.#items.add(item);
    if (this.#items.size <= this.#max) return;
    for (const oldest of this.#items) {
      this.#items.delete(oldest);
      return;
    }
  }
}
