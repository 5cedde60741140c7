import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PagedList, type Snapshot } from '../../../server/miner/pagedList.js';

const step = fc.oneof(
  fc.record({ kind: fc.constant('push' as const), count: fc.nat(200) }),
  fc.record({ kind: fc.constant('pop' as const), count: fc.nat(200) }),
  fc.record({ kind: fc.constant('set' as const), index: fc.nat() }),
  fc.record({ kind: fc.constant('snapshot' as const) }),
);

test('a snapshot shows the list as it was, whatever is changed afterwards', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const list = new PagedList<number>();
      const model: number[] = [];
      const seen: { snapshot: Snapshot<number>; items: number[] }[] = [];
      let item = 0;
      for (const each of steps) {
        if (each.kind === 'push')
          for (let i = 0; i < each.count; i++) {
            list.push(++item);
            model.push(item);
          }
        if (each.kind === 'pop') for (let i = 0; i < each.count; i++) expect(list.pop()).toBe(model.pop());
        if (each.kind === 'set' && model.length > 0) {
          const index = each.index % model.length;
          list.set(index, ++item);
          model[index] = item;
        }
        if (each.kind === 'snapshot') seen.push({ snapshot: list.snapshot(), items: [...model] });
        expect(list.length).toBe(model.length);
      }
      seen.push({ snapshot: list.snapshot(), items: model });
      for (const { snapshot, items } of seen) {
        expect([...snapshot]).toEqual(items);
        expect(snapshot.length).toBe(items.length);
      }
    }),
  );
});

test('an item that is not there cannot be set', () => {
  const list = new PagedList<number>();
  list.push(1);
  for (const index of [-1, 1, 0.5]) expect(() => list.set(index, 2)).toThrow(`no item ${index} among 1`);
});

test('snapshots share the pages that did not change between them', () => {
  const list = new PagedList<object>();
  for (let i = 0; i < 10_000; i++) list.push({});
  const first = list.snapshot();
  expect(list.snapshot()).toBe(first);
  const before = process.memoryUsage().heapUsed;
  const kept = Array.from({ length: 1_000 }, (_, i) => {
    list.set(i, {});
    return list.snapshot();
  });
  // Whole copies would take 80 MB and more.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000);
  expect(new Set(kept).size).toBe(1_000);
});
