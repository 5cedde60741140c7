import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byRate, Clusters } from '../../../server/mempool/clusters.js';
import type { Pool, PoolEntry } from '../../../server/mempool/pool.js';
import { brokenInvariantOf } from '../../model/compare.js';
import { PoolMaker } from '../../support/poolMaker.js';

function namesOf(chunks: Clusters | Pool): string[] {
  return chunks
    .chunks()
    .map(({ entries, rate }) => `${rate} ${entries.map(({ transaction }) => transaction.txid).join()}`);
}

/** The same from nothing. */
function afresh(entries: Iterable<PoolEntry>): Clusters {
  const clusters = new Clusters();
  for (const entry of [...entries].sort((a, b) => a.arrival - b.arrival)) clusters.add(entry);
  return clusters;
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ add: fc.array(fc.nat(60), { maxLength: 3 }), fee: fc.integer({ min: 0, max: 9 }) }),
  },
  { weight: 1, arbitrary: fc.record({ remove: fc.array(fc.nat(60), { minLength: 1, maxLength: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ confirm: fc.array(fc.nat(60), { minLength: 1, maxLength: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ back: fc.nat(60) }) },
);

describe('clusters', () => {
  test('are, after whatever came, went, was confirmed and came back, what they would be from nothing', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 70 }), (steps) => {
        const maker = new PoolMaker();
        const { pool } = maker;
        for (const each of steps) {
          const all = [...pool.entries()];
          const at = (i: number): PoolEntry[] => all.slice(i % Math.max(all.length, 1)).slice(0, 1);
          if ('add' in each) {
            const parents = each.add.flatMap(at).map(({ transaction }) => transaction);
            // Few fees, so that many pay the same.
            maker.add({ parents: [...new Set(parents)], fee: 100 * each.fee, outputs: 80 });
          } else if ('remove' in each)
            pool.removeWithDescendants(each.remove.flatMap(at).map(({ transaction }) => transaction.txid));
          else if ('confirm' in each) {
            const confirmed = each.confirm
              .flatMap(at)
              .flatMap(({ transaction }) => pool.withAncestors(transaction.txid));
            pool.remove(confirmed.map(({ transaction }) => transaction.txid));
          } else {
            const gone = pool.removeWithDescendants(at(each.back).map(({ transaction }) => transaction.txid));
            for (const entry of gone.toSorted((a, b) => a.arrival - b.arrival)) pool.restore(entry);
          }
          expect(brokenInvariantOf(pool)).toBeUndefined();
          expect(namesOf(pool)).toEqual(namesOf(afresh(pool.entries())));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('have their chunks best first, of equals what came first, and those of one cluster in its order', () => {
    const maker = new PoolMaker();
    const [late, early] = [maker.add({ fee: 300 }), maker.add({ fee: 300 })];
    const parent = maker.add({ fee: 900 });
    const child = maker.add({ fee: 200, parents: [parent.transaction] });
    const order = maker.pool.chunks().flatMap(({ entries }) => entries);
    expect(order).toEqual([parent, late, early, child]);
    expect([...maker.pool.chunks()].sort(byRate)).toEqual(maker.pool.chunks());
  });

  test('fall apart where nothing joins them any more', () => {
    const maker = new PoolMaker();
    const parent = maker.add({ outputs: 2 });
    const children = [1, 2].map(() => maker.add({ parents: [parent.transaction] }));
    const txids = children.map(({ transaction }) => transaction.txid);
    expect(maker.pool.clusterSize(txids, new Set())).toBe(3);
    maker.pool.remove([parent.transaction.txid]);
    for (const txid of txids) expect(maker.pool.clusterSize([txid], new Set())).toBe(1);
  });

  test('are counted without those that leave', () => {
    const maker = new PoolMaker();
    const parent = maker.add({ outputs: 3 });
    const children = [1, 2, 3].map(() => maker.add({ parents: [parent.transaction] }));
    expect(maker.pool.clusterSize([parent.transaction.txid], new Set(children.slice(1)))).toBe(2);
  });
});
