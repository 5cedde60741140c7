import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Chunk, linearize } from '../../../server/mempool/linearize.js';
import type { PoolEntry } from '../../../server/mempool/pool.js';
import { present } from '../../kit/assertOk.js';
import { PoolMaker } from '../../support/poolMaker.js';

/** Entries that hang together as the numbers say: each names some that come before it. */
function entriesOf(plans: readonly { readonly fee: number; readonly parents: readonly number[] }[]): PoolEntry[] {
  const maker = new PoolMaker();
  const entries: PoolEntry[] = [];
  for (const { fee, parents } of plans) {
    const chosen = [...new Set(parents.map((each) => each % Math.max(entries.length, 1)))];
    const own = chosen.flatMap((each) => entries[each]?.transaction ?? []);
    entries.push(maker.add({ parents: own, fee, outputs: 30 }));
  }
  return entries;
}

const plans = fc.array(
  fc.record({ fee: fc.integer({ min: 0, max: 5_000 }), parents: fc.array(fc.nat(20), { maxLength: 3 }) }),
  { minLength: 1, maxLength: 14 },
);

function txidsOf(chunks: readonly Chunk[]): string[] {
  return chunks.flatMap(({ entries }) => entries.map(({ transaction }) => transaction.txid));
}

/** Of all sets that can be taken at once, the best rate: what no order can begin better than. */
function bestRate(entries: readonly PoolEntry[]): number {
  let best = 0;
  for (let bits = 1; bits < 1 << entries.length; bits++) {
    const chosen = entries.filter((_, i) => (bits >> i) & 1);
    const txids = new Set(chosen.map(({ transaction }) => transaction.txid));
    if (!chosen.every(({ parents }) => [...parents].every((parent) => txids.has(parent)))) continue;
    const [fee, size] = [
      chosen.reduce((sum, each) => sum + Number(each.fee), 0),
      chosen.reduce((sum, each) => sum + each.size, 0),
    ];
    best = Math.max(best, fee / size);
  }
  return best;
}

describe('a cluster in order', () => {
  test('has each transaction once, parents first, in chunks whose rates never rise and whose sums are right', () => {
    fc.assert(
      fc.property(plans, (given) => {
        const entries = entriesOf(given);
        const chunks = linearize(entries);
        const order = txidsOf(chunks);
        expect([...order].sort()).toEqual(entries.map(({ transaction }) => transaction.txid).sort());
        for (const { transaction, parents } of entries)
          for (const parent of parents) expect(order.indexOf(parent)).toBeLessThan(order.indexOf(transaction.txid));
        for (const [position, chunk] of chunks.entries()) {
          expect(chunk.position).toBe(position);
          expect(chunk.after).toBe(chunks[position - 1]);
          expect(chunk.fee).toBe(chunk.entries.reduce((sum, { fee }) => sum + fee, 0n));
          expect(chunk.size).toBe(chunk.entries.reduce((sum, { size }) => sum + size, 0));
          expect(chunk.rate).toBeLessThanOrEqual(chunks[position - 1]?.rate ?? Number.POSITIVE_INFINITY);
        }
      }),
    );
  });

  test('begins with a chunk about as good as any that can be taken at once', () => {
    // Choosing by ancestor rate misses what two children pay together for one parent; merging gives part of that back.
    fc.assert(
      fc.property(
        plans.filter((given) => given.length <= 10),
        (given) => {
          const entries = entriesOf(given);
          expect(present(linearize(entries)[0]).rate).toBeGreaterThanOrEqual(bestRate(entries) * 0.5);
        },
      ),
    );
  });

  test('is the same for everybody who has the same entries in the same order', () => {
    fc.assert(
      fc.property(plans, (given) => {
        expect(txidsOf(linearize(entriesOf(given)))).toEqual(txidsOf(linearize(entriesOf(given))));
      }),
    );
  });

  test('ends with what nothing else hangs on: each chunk can go once those after it are gone', () => {
    fc.assert(
      fc.property(plans, (given) => {
        const entries = entriesOf(given);
        const left = new Set(txidsOf(linearize(entries)));
        for (const { entries: chunk } of linearize(entries).toReversed()) {
          for (const { transaction } of chunk) left.delete(transaction.txid);
          for (const { transaction, parents } of entries)
            if (left.has(transaction.txid)) for (const parent of parents) expect(left).toContain(parent);
        }
      }),
    );
  });

  test('joins a parent that pays too little with the child that pays for it, and leaves a child alone that does not', () => {
    const [parent, rich, poor] = entriesOf([
      { fee: 10, parents: [] },
      { fee: 9_000, parents: [0] },
      { fee: 20, parents: [0] },
    ]);
    const chunks = linearize([present(parent), present(rich), present(poor)]).map(({ entries }) => entries);
    expect(chunks).toEqual([[parent, rich], [poor]]);
  });

  test('takes a line of the most that may hang together, and the widest web, in a few milliseconds', () => {
    const web = entriesOf([
      ...Array.from({ length: 10 }, (_, i) => ({ fee: 100 * i, parents: [] })),
      ...Array.from({ length: 90 }, (_, i) => ({
        fee: (i * 7_919) % 3_000,
        parents: [i % 10, (i * 3) % 10, (i * 7) % 10],
      })),
    ]);
    linearize(web);
    const startedAt = performance.now();
    for (let i = 0; i < 20; i++) linearize(web);
    expect((performance.now() - startedAt) / 20).toBeLessThan(20);
  });
});
