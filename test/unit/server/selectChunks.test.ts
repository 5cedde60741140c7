import { expect, test } from 'vitest';
import type { PoolEntry } from '../../../server/mempool/pool.js';
import { Pool } from '../../../server/mempool/pool.js';
import { entriesOf, type Selection, selectChunks } from '../../../server/miner/selectChunks.js';
import { addRandom, bestFees, looseEntry, randomPool, seededBelow } from '../../support/randomPool.js';

/** Fails unless a block could take this: within its size, parents first, what it says of its fees true. */
function assertSound(selection: Selection, pool: Pool, maxBytes: number): void {
  const taken = new Set<string>();
  const entries = entriesOf(selection);
  const early = entries.filter(({ transaction, parents }) => {
    taken.add(transaction.txid);
    return [...parents].some((parent) => !taken.has(parent));
  });
  expect(early).toEqual([]);
  expect(taken.size).toBe(entries.length);
  expect(bytesOf(entries)).toBeLessThanOrEqual(maxBytes);
  expect(entries.reduce((sum, { fee }) => sum + fee, 0n)).toBe(selection.fees);
  expect(selection.price === 0).toBe(taken.size === pool.count);
}

function bytesOf(entries: Iterable<PoolEntry>): number {
  return [...entries].reduce((sum, { size }) => sum + size, 0);
}

test('of 1,000 small pools each block pays at least 99 % of the best that can be chosen', () => {
  for (let seed = 1; seed <= 1_000; seed++) {
    const below = seededBelow(seed);
    const pool = randomPool(below, 1 + below(14));
    const maxBytes = 100 + below(bytesOf(pool.entries()) + 100);
    const selection = selectChunks(pool.chunks(), maxBytes);
    assertSound(selection, pool, maxBytes);
    const best = bestFees([...pool.entries()], maxBytes);
    expect(Number(selection.fees), `seed ${seed}`).toBeGreaterThanOrEqual(0.99 * best);
  }
});

test('a pool of any size: the block is within its size, parents before children', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const below = seededBelow(seed);
    const pool = new Pool();
    for (let tag = 0; tag < 120; tag++) {
      addRandom(pool, below, tag);
      const [first] = pool.entries();
      if (below(20) === 0 && first !== undefined) pool.remove([first.transaction.txid]);
    }
    const maxBytes = below(bytesOf(pool.entries()) + 100);
    assertSound(selectChunks(pool.chunks(), maxBytes), pool, maxBytes);
  }
});

test('what pays best for its bytes comes first, and a child pays for its parent', () => {
  const pool = new Pool();
  const cheap = pool.add(looseEntry({ tag: 1, fee: 1_000 }));
  const middling = pool.add(looseEntry({ tag: 2, fee: 5_000 }));
  const parent = pool.add(looseEntry({ tag: 3, fee: 200 }));
  const child = pool.add(looseEntry({ tag: 4, fee: 50_000, parents: [parent.transaction.txid] }));
  const { size } = cheap;
  expect(entriesOf(selectChunks(pool.chunks(), 3 * size))).toEqual([parent, child, middling]);
  expect(entriesOf(selectChunks(pool.chunks(), size))).toEqual([middling]);
  const whole = selectChunks(pool.chunks(), 4 * size);
  expect(entriesOf(whole)).toEqual([parent, child, middling, cheap]);
  expect(whole).toMatchObject({ fees: 56_200n, price: 0 });
});

test('room that a large transaction cannot use goes to smaller ones that pay less', () => {
  const pool = new Pool();
  const small = [1, 2, 3].map((tag) => pool.add(looseEntry({ tag, fee: 1_000 })));
  const large = pool.add(looseEntry({ tag: 4, fee: 30_000, outputs: 100 }));
  const best = pool.add(looseEntry({ tag: 5, fee: 50_000 }));
  const room = best.size + large.size - 1;
  expect(new Set(entriesOf(selectChunks(pool.chunks(), room)))).toEqual(new Set([best, ...small]));
});
