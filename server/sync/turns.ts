/** Work of several owners, done in turns: one that brings much of it holds up nobody else. Each item is there once. */
export class Turns<Owner, Item> {
  /** Whoever is next, first. */
  readonly #queues = new Map<Owner, Set<Item>>();

  get isEmpty(): boolean {
    return this.#queues.size === 0;
  }

  add(item: Item, owner: Owner): void {
    const queue = this.#queues.get(owner) ?? new Set();
    this.#queues.set(owner, queue);
    queue.add(item);
  }

  /** Takes out the next item. */
  next(): Item | undefined {
    for (const [owner, queue] of this.#queues) {
      this.#queues.delete(owner);
      for (const item of queue) {
        queue.delete(item);
        if (queue.size > 0) this.#queues.set(owner, queue);
        return item;
      }
    }
    return undefined;
  }
}
