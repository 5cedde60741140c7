import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Kv, Write } from '../../../server/store/kv.js';
import { lmdbKv } from '../../../server/store/lmdbKv.js';
import { lockDirectory } from '../../../server/store/lock.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import { asStoreFailure } from '../../../server/store/storeFailure.js';
import { failureFrom } from '../../support/failureFrom.js';
import { kvSuite } from '../../support/kvSuite.js';
import { temporaryDirectory } from '../../support/temporary.js';

interface Engine {
  readonly name: string;
  withStore(run: (kv: Kv) => Promise<void>): Promise<void>;
}

const engines: Engine[] = [
  { name: 'memory', withStore: (run) => run(memoryKv()) },
  ...[true, false].map((synced) => ({
    name: synced ? 'lmdb, synced' : 'lmdb, unsynced',
    async withStore(run: (kv: Kv) => Promise<void>) {
      await using directory = await temporaryDirectory();
      const kv = lmdbKv({ directory: directory.path, synced });
      await run(kv).finally(() => kv.close());
    },
  })),
];

describe.each(engines)('$name', ({ withStore }) => {
  test.each(kvSuite)('$name', ({ run }) => withStore(run));
});

test('LMDB and memory hold the same after any batches, and answer any range alike', async () => {
  const key = fc.uint8Array({ minLength: 1, maxLength: 3, max: 3 });
  const write: fc.Arbitrary<Write> = fc.oneof(
    fc.record({ kind: fc.constant('put' as const), key, value: fc.uint8Array({ maxLength: 4 }) }),
    fc.record({ kind: fc.constant('remove' as const), key }),
  );
  const range = fc.record({
    gte: key,
    lt: key,
    reverse: fc.boolean(),
    limit: fc.option(fc.nat(5), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(write, { maxLength: 8 }), { maxLength: 6 }),
      fc.array(range),
      async (batches, ranges) => {
        await using directory = await temporaryDirectory();
        const [real, model] = [lmdbKv({ directory: directory.path, synced: false }), memoryKv()];
        try {
          for (const batch of batches) {
            await real.commit(batch);
            await model.commit(batch);
          }
          for (const each of ranges) expect([...real.range(each)]).toEqual([...model.range(each)]);
        } finally {
          await real.close();
        }
      },
    ),
    { numRuns: 40 },
  );
});

test('LMDB still has what was committed after it was closed and opened again', async () => {
  await using directory = await temporaryDirectory();
  const first = lmdbKv({ directory: directory.path, synced: true });
  await first.commit([{ kind: 'put', key: Uint8Array.of(1), value: Uint8Array.of(2) }]);
  await first.close();
  const second = lmdbKv({ directory: directory.path, synced: true });
  expect(second.get(Uint8Array.of(1))).toEqual(Uint8Array.of(2));
  await second.close();
});

test('a directory has one owner at a time, and the next gets it when the first lets go', async () => {
  await using directory = await temporaryDirectory();
  const first = await lockDirectory(directory.path);
  expect(await failureFrom(lockDirectory(directory.path))).toEqual({ code: 'store-locked', directory: directory.path });
  await first.release();
  await (await lockDirectory(directory.path)).release();
});

test.each([
  ['a damaged page', -30796, 'store-corrupt'],
  ['a full disk, from LMDB', 28, 'store-full'],
  ['a map that cannot grow', -30792, 'store-full'],
  ['a disk that may only be read', 'EROFS', 'store-readonly'],
  ['a path that is a file', 'ENOTDIR', 'store-readonly'],
])('%s has a code of its own', (_what, code, expected) => {
  expect(asStoreFailure(Object.assign(new Error('disk'), { code }), '/data')?.code).toBe(expected);
});
