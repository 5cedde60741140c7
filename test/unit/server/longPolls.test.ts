import { expect, test } from 'vitest';
import { LongPolls } from '../../../server/miner/longPolls.js';
import { type BlockHash, idFromBytes } from '../../../shared/model/ids.js';
import { handClock } from '../../support/handClock.js';

const TIP = idFromBytes<BlockHash>(new Uint8Array(32).fill(1));
const NEXT = idFromBytes<BlockHash>(new Uint8Array(32).fill(2));

function scene() {
  const clock = handClock();
  const pool = { fees: 0n, looks: 0 };
  const polls = new LongPolls(clock, () => {
    pool.looks += 1;
    return pool.fees;
  });
  return {
    clock,
    pool,
    polls,
    /** Waits, and tells whether it still does. */
    wait(enough: bigint, { caller = 'a miner', previous = TIP, waitMs = 4_000 } = {}) {
      let isOver = false;
      void polls.wait({ caller, previous, enough }, { waitMs, signal: undefined }).then(() => {
        isOver = true;
      });
      return async () => {
        await Promise.resolve();
        await Promise.resolve();
        return isOver;
      };
    },
  };
}

test('what cannot make a difference to anybody asks for no fees, however many wait', () => {
  const { polls, pool, wait } = scene();
  polls.feesMayBe(1_000_000);
  for (let i = 0; i < 100; i++) wait(1_000n + BigInt(i), { caller: `miner ${i}` });
  for (let fees = 0; fees <= 1_000; fees++) polls.feesMayBe(fees);
  expect(pool.looks).toBe(0);
  expect(polls.count).toBe(100);
});

test('only those leave to whom the fees are enough, all after one look', async () => {
  const { polls, pool, wait } = scene();
  const [modest, greedy] = [wait(100n), wait(200n)];
  pool.fees = 150n;
  polls.feesMayBe(150);
  expect([await modest(), await greedy()]).toEqual([true, false]);
  expect(pool.looks).toBe(1);
  // The fees that would matter are now those of who is left.
  polls.feesMayBe(200);
  expect(pool.looks).toBe(1);
});

test('fees that seem enough time and again are looked at five times a second at most, and not forgotten', async () => {
  const { polls, pool, wait, clock } = scene();
  const isOver = wait(100n);
  for (let ms = 0; ms < 1_000; ms++) {
    polls.feesMayBe(150);
    clock.advance(1);
  }
  expect(pool.looks).toBeLessThanOrEqual(6);
  expect(await isOver()).toBe(false);
  const before = pool.looks;
  clock.advance(200);
  clock.advance(1_000);
  expect(pool.looks - before).toBeLessThanOrEqual(1);
  polls.feesMayBe(150);
  pool.fees = 101n;
  polls.feesMayBe(150);
  expect(await isOver()).toBe(false);
  clock.advance(200);
  expect(await isOver()).toBe(true);
});

test('a new tip ends every wait on another one without a look at any fees', async () => {
  const { polls, pool, wait } = scene();
  const [old, fresh] = [wait(100n), wait(100n, { previous: NEXT })];
  polls.tipMoved(NEXT);
  expect([await old(), await fresh()]).toEqual([true, false]);
  expect(pool.looks).toBe(0);
});

test('one caller cannot have more than 16 wait: one more ends the wait of the first', async () => {
  const { polls, wait } = scene();
  const other = wait(100n, { caller: 'another' });
  const own = Array.from({ length: 18 }, () => wait(100n));
  expect(await Promise.all(own.map((isOver) => isOver()))).toEqual(own.map((_, i) => i < 2));
  expect(await other()).toBe(false);
  expect(polls.count).toBe(17);
});

test('where 1,024 wait, the next one does not', async () => {
  const { polls, wait } = scene();
  const all = Array.from({ length: 1_025 }, (_, i) => wait(100n, { caller: `miner ${i}` }));
  expect(await Promise.all(all.map((isOver) => isOver()))).toEqual(all.map((_, i) => i === 1_024));
  expect(polls.count).toBe(1_024);
});

test('once closed, nobody waits and no timer runs, and whoever comes does not wait either', async () => {
  const { polls, pool, wait, clock } = scene();
  const isOver = wait(200n);
  pool.fees = 0n;
  polls.feesMayBe(300);
  polls.close();
  expect(await isOver()).toBe(true);
  expect(await wait(100n)()).toBe(true);
  expect([polls.count, clock.pending]).toEqual([0, 0]);
});
