import type { Entry, KeyRange, Write } from './kv.js';

/**
 * Ordered rows in memory. Keys stand sorted in one array, so a write costs a move of the keys behind it: fine for a
 * hundred thousand keys.
 */
export class MemoryTable {
  readonly #values: Map<string, Uint8Array>;
  readonly #sorted: string[];

  constructor(of?: MemoryTable) {
    this.#values = new Map(of === undefined ? [] : of.#values);
    this.#sorted = of === undefined ? [] : [...of.#sorted];
  }

  get size(): number {
    return this.#sorted.length;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(textOf(key))?.slice();
  }

  range({ gte, lt, reverse = false, limit = Number.POSITIVE_INFINITY }: KeyRange): Entry[] {
    const [from, to] = [this.#position(textOf(gte)), this.#position(textOf(lt))];
    const keys = reverse
      ? this.#sorted.slice(Math.max(from, to - limit), to).reverse()
      : this.#sorted.slice(from, Math.min(to, from + limit));
    return keys.map((key): Entry => [bytesOf(key), (this.#values.get(key) ?? new Uint8Array(0)).slice()]);
  }

  apply(batch: readonly Write[]): void {
    for (const write of batch) {
      const key = textOf(write.key);
      const isThere = this.#values.has(key);
      if (write.kind === 'put') {
        if (!isThere) this.#sorted.splice(this.#position(key), 0, key);
        this.#values.set(key, write.value.slice());
      } else if (isThere) {
        this.#sorted.splice(this.#position(key), 1);
        this.#values.delete(key);
      }
    }
  }

  /** The key at a place in the order. */
  keyAt(position: number): Uint8Array | undefined {
    const key = this.#sorted[position];
    return key === undefined ? undefined : bytesOf(key);
  }

  /** The same rows in a table of its own. */
  copy(): MemoryTable {
    return new MemoryTable(this);
  }

  /** Where `key` stands, or would stand. */
  #position(key: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** One character a byte, so that text compares as bytes do. */
function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
