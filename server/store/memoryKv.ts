import type { Kv } from './kv.js';
import { MemoryTable } from './memoryTable.js';

/** Storage that lives and dies with the process, for tests and experiments. */
export function memoryKv(): Kv {
  const table = new MemoryTable();
  return {
    get: (key) => table.get(key),
    range: (range) => table.range(range),
    async commit(batch) {
      table.apply(batch);
    },
    async close() {},
  };
}
