/** Something that will happen. */
export interface Scheduled {
  /** Virtual milliseconds. */
  readonly at: number;
  /** Decides among events of the same moment. */
  readonly tie: number;
  /** Decides where even that is equal: the order in which they were scheduled. */
  readonly sequence: number;
  /** `undefined` once it has been called off. */
  action: (() => void) | undefined;
}

/** What will happen, the next first: a binary heap. What was called off stays in it until its time comes. */
export class EventQueue {
  readonly #heap: Scheduled[] = [];

  get size(): number {
    return this.#heap.length;
  }

  push(event: Scheduled): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(event, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = event;
  }

  /** The next event that still stands; those called off before it are let go. */
  peek(): Scheduled | undefined {
    for (let [next] = this.#heap; next !== undefined; [next] = this.#heap) {
      if (next.action !== undefined) return next;
      this.#removeFirst();
    }
    return undefined;
  }

  pop(): Scheduled | undefined {
    const next = this.peek();
    if (next !== undefined) this.#removeFirst();
    return next;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [a, b] = [heap[left], heap[left + 1]];
      if (a === undefined) break;
      const below = b !== undefined && isBefore(b, a) ? left + 1 : left;
      const child = heap[below];
      if (child === undefined || !isBefore(child, last)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  if (a.at !== b.at) return a.at < b.at;
  return a.tie === b.tie ? a.sequence < b.sequence : a.tie < b.tie;
}
