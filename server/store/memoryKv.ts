import type { Entry, Kv } from './kv.js';

/**
 * Storage that lives and dies with the process, for tests and simulations. Keys stand sorted in one array, so a write
 * costs a move of the keys behind it: fine for a hundred thousand keys.
 */
export function memoryKv(): Kv {
  const values = new Map<string, Uint8Array>();
  const sorted: string[] = [];

  return {
    get: (key) => values.get(textOf(key))?.slice(),
    range({ gte, lt, reverse = false, limit = Number.POSITIVE_INFINITY }) {
      const keys = sorted.slice(positionOf(sorted, textOf(gte)), positionOf(sorted, textOf(lt)));
      if (reverse) keys.reverse();
      return keys.slice(0, limit).map((key): Entry => [bytesOf(key), (values.get(key) ?? new Uint8Array(0)).slice()]);
    },
    async commit(batch) {
      for (const write of batch) {
        const key = textOf(write.key);
        const position = positionOf(sorted, key);
        const isThere = sorted[position] === key;
        if (write.kind === 'put') {
          if (!isThere) sorted.splice(position, 0, key);
          values.set(key, write.value.slice());
        } else if (isThere) {
          sorted.splice(position, 1);
          values.delete(key);
        }
      }
    },
    async close() {},
  };
}

/** One character a byte, so that text compares as bytes do. */
function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Where `key` stands, or would stand. */
function positionOf(sorted: readonly string[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
