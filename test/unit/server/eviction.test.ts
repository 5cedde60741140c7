import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseVictims } from '../../../server/mempool/eviction.js';
import type { PoolEntry } from '../../../server/mempool/pool.js';
import { PoolMaker } from '../../support/poolMaker.js';

const nobody: ReadonlySet<PoolEntry> = new Set();

describe('what is given up when memory is short', () => {
  test('is what would be mined last, no more of it than needed, and nobody while there is room', () => {
    const maker = new PoolMaker();
    const entries = [500, 300, 900, 200].map((fee) => maker.add({ fee }));
    const { usage } = maker.pool;
    expect(chooseVictims(maker.pool, nobody, usage)).toEqual([]);
    const victims = chooseVictims(maker.pool, nobody, usage - 1)?.flatMap(({ entries }) => entries);
    expect(victims).toEqual([entries[3]]);
    const two = chooseVictims(maker.pool, nobody, usage - (entries[3]?.usage ?? 0) - 1);
    expect(two?.flatMap(({ entries }) => entries)).toEqual([entries[3], entries[1]]);
  });

  test('is not the parent whose child pays for it', () => {
    const maker = new PoolMaker();
    const parent = maker.add({ fee: 1 });
    maker.add({ fee: 5_000, parents: [parent.transaction] });
    const middling = maker.add({ fee: 400 });
    const victims = chooseVictims(maker.pool, nobody, maker.pool.usage - 1);
    expect(victims?.flatMap(({ entries }) => entries)).toEqual([middling]);
  });

  test('is nobody where the newcomer itself is among the last', () => {
    const maker = new PoolMaker();
    maker.add({ fee: 500 });
    const newcomer = maker.add({ fee: 300 });
    expect(chooseVictims(maker.pool, new Set([newcomer]), maker.pool.usage - 1)).toBeUndefined();
  });

  test('leaves nothing behind that cannot do without it, nor takes what a newcomer stands on', () => {
    const plan = fc.record({ parents: fc.array(fc.nat(40), { maxLength: 3 }), fee: fc.integer({ min: 0, max: 6 }) });
    fc.assert(
      fc.property(
        fc.array(plan, { minLength: 2, maxLength: 40 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (plans, share) => {
          const maker = new PoolMaker();
          const { pool } = maker;
          const all: PoolEntry[] = [];
          for (const { parents, fee } of plans) {
            const own = parents.flatMap((i) => all[i % Math.max(all.length, 1)]?.transaction ?? []);
            all.push(maker.add({ parents: [...new Set(own)], fee: 100 * fee, outputs: 50 }));
          }
          const newcomers = new Set(all.slice(-1));
          const limit = pool.usage * share;
          const victims = chooseVictims(pool, newcomers, limit);
          const gone = new Set(victims?.flatMap(({ entries }) => entries));
          for (const entry of gone)
            for (const below of pool.withDescendants(entry.transaction.txid)) expect(gone).toContain(below);
          for (const newcomer of newcomers)
            for (const above of pool.withAncestors(newcomer.transaction.txid)) expect(gone).not.toContain(above);
          if (victims === undefined) return;
          pool.remove([...gone].map(({ transaction }) => transaction.txid));
          expect(pool.usage).toBeLessThanOrEqual(limit);
        },
      ),
    );
  });
});
