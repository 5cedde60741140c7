import type { Kv } from '../../server/store/kv.js';

/** A store of which one operation fails. */
export interface FlakyKv {
  readonly kv: Kv;
  /** From now on the operation with this number fails, once; 0 is the next one. */
  failAt(operation: number): void;
  /** Whether it has failed. */
  hasFailed(): boolean;
}

/** Lays a fault over a store: reads, scans and commits count alike. */
export function flakyKv(inner: Kv): FlakyKv {
  let left = Number.POSITIVE_INFINITY;
  let failed = false;
  const count = (): void => {
    left -= 1;
    if (left >= 0) return;
    left = Number.POSITIVE_INFINITY;
    failed = true;
    throw new Error('the disk failed');
  };
  return {
    failAt(operation) {
      left = operation;
      failed = false;
    },
    hasFailed: () => failed,
    kv: {
      get(key) {
        count();
        return inner.get(key);
      },
      range(range) {
        count();
        return inner.range(range);
      },
      async commit(batch) {
        count();
        await inner.commit(batch);
      },
      close: () => inner.close(),
    },
  };
}
