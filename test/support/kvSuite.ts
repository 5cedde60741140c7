import assert from 'node:assert/strict';
import type { Kv, Write } from '../../server/store/kv.js';

/** One thing that every engine must do. */
export interface KvCase {
  readonly name: string;
  run(kv: Kv): Promise<void>;
}

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const put = (key: Uint8Array, value: Uint8Array): Write => ({ kind: 'put', key, value });
const remove = (key: Uint8Array): Write => ({ kind: 'remove', key });

function keysOf(kv: Kv, range: { gte: Uint8Array; lt: Uint8Array; reverse?: boolean; limit?: number }): number[][] {
  return Array.from(kv.range(range), ([key]) => [...key]);
}

/** What a store promises, for each engine alike. Every case gets a fresh, empty store. */
export const kvSuite: readonly KvCase[] = [
  {
    name: 'a key that was never written is not there',
    async run(kv) {
      assert.equal(kv.get(bytes(1)), undefined);
      assert.deepEqual(keysOf(kv, { gte: bytes(0), lt: bytes(255) }), []);
    },
  },
  {
    name: 'what is committed is read back, a value of no bytes too',
    async run(kv) {
      await kv.commit([put(bytes(1, 2), bytes(3)), put(bytes(1), bytes())]);
      assert.deepEqual(kv.get(bytes(1, 2)), bytes(3));
      assert.deepEqual(kv.get(bytes(1)), bytes());
    },
  },
  {
    name: 'within a batch the last write of a key wins',
    async run(kv) {
      await kv.commit([put(bytes(1), bytes(1)), remove(bytes(1)), put(bytes(1), bytes(2))]);
      assert.deepEqual(kv.get(bytes(1)), bytes(2));
      await kv.commit([put(bytes(1), bytes(3)), remove(bytes(1))]);
      assert.equal(kv.get(bytes(1)), undefined);
    },
  },
  {
    name: 'removing what is not there is no error',
    async run(kv) {
      await kv.commit([remove(bytes(9)), put(bytes(1), bytes(1))]);
      assert.deepEqual(kv.get(bytes(1)), bytes(1));
    },
  },
  {
    name: 'ranges go from the first bound up to but not with the second, in byte order',
    async run(kv) {
      await kv.commit(
        [bytes(2), bytes(1, 255), bytes(1), bytes(1, 0), bytes(0, 9), bytes(200)].map((key) => put(key, key)),
      );
      assert.deepEqual(keysOf(kv, { gte: bytes(1), lt: bytes(2) }), [[1], [1, 0], [1, 255]]);
      assert.deepEqual(keysOf(kv, { gte: bytes(0), lt: bytes(255) }), [[0, 9], [1], [1, 0], [1, 255], [2], [200]]);
      assert.deepEqual(keysOf(kv, { gte: bytes(3), lt: bytes(4) }), []);
    },
  },
  {
    name: 'ranges go backwards between the same bounds',
    async run(kv) {
      await kv.commit([1, 2, 3, 4].map((key) => put(bytes(key), bytes(key))));
      assert.deepEqual(keysOf(kv, { gte: bytes(2), lt: bytes(4), reverse: true }), [[3], [2]]);
      assert.deepEqual(keysOf(kv, { gte: bytes(1), lt: bytes(9), reverse: true, limit: 2 }), [[4], [3]]);
    },
  },
  {
    name: 'a limit ends a range',
    async run(kv) {
      await kv.commit([1, 2, 3].map((key) => put(bytes(key), bytes(key))));
      assert.deepEqual(keysOf(kv, { gte: bytes(0), lt: bytes(9), limit: 2 }), [[1], [2]]);
      assert.deepEqual(keysOf(kv, { gte: bytes(0), lt: bytes(9), limit: 0 }), []);
    },
  },
  {
    name: 'what was read stays what it was, whatever is written or read later',
    async run(kv) {
      await kv.commit([put(bytes(1), bytes(1, 1, 1)), put(bytes(2), bytes(2, 2, 2))]);
      const first = kv.get(bytes(1));
      const [entry] = kv.range({ gte: bytes(1), lt: bytes(2) });
      kv.get(bytes(2));
      await kv.commit([put(bytes(1), bytes(9, 9, 9))]);
      kv.get(bytes(1));
      assert.deepEqual(first, bytes(1, 1, 1));
      assert.deepEqual(entry, [bytes(1), bytes(1, 1, 1)]);
    },
  },
  {
    name: 'what was handed in may be changed afterwards',
    async run(kv) {
      const [key, value] = [bytes(1), bytes(5)];
      await kv.commit([put(key, value)]);
      key[0] = 7;
      value[0] = 7;
      assert.deepEqual(kv.get(bytes(1)), bytes(5));
    },
  },
  {
    name: 'a value of two million bytes is kept whole',
    async run(kv) {
      const large = Uint8Array.from({ length: 2_000_000 }, (_, i) => i % 256);
      await kv.commit([put(bytes(1), large)]);
      assert.ok(Buffer.from(kv.get(bytes(1)) ?? []).equals(large));
    },
  },
  {
    name: 'a slice of what was read is a copy',
    async run(kv) {
      await kv.commit([put(bytes(1), bytes(1, 2, 3))]);
      const value = kv.get(bytes(1)) ?? bytes();
      const copy = value.slice(0, 1);
      copy[0] = 9;
      assert.equal(value[0], 1);
    },
  },
];
