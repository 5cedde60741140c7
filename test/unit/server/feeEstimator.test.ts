import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BUCKET_RATES, bucketOf } from '../../../server/mempool/feeBuckets.js';
import { ENOUGH_SAMPLES, FeeEstimator, type PoolState } from '../../../server/mempool/feeEstimator.js';
import { parseId, type TxId } from '../../../shared/model/ids.js';
import { MAX_FEE_TARGET } from '../../../shared/rpc/insightSchemas.js';
import { present } from '../../kit/assertOk.js';

/** A pool that leaves the answer to what was seen. */
const BUSY: PoolState = { minimum: 1, isShort: false };

let ids = 0;
function newTxid(): TxId {
  ids += 1;
  return present(parseId<TxId>(ids.toString(16).padStart(64, '0')));
}

interface World {
  readonly rates: readonly number[];
  /** After how many blocks a rate is confirmed; `undefined` for never. */
  readonly waits: (rate: number) => number | undefined;
  readonly blocks: number;
  /** Of each rate, in each block. */
  readonly each?: number;
}

/** Runs an estimator through a world in which the fee rate decides alone. */
function live({ rates, waits, blocks, each = 2 }: World, estimator = new FeeEstimator(0), start = 0): FeeEstimator {
  const due = new Map<number, TxId[]>();
  for (let height = start; height < start + blocks; height++) {
    for (const rate of rates) {
      for (let i = 0; i < each; i++) {
        const txid = newTxid();
        estimator.accepted(txid, rate, height);
        const wait = waits(rate);
        if (wait !== undefined) due.set(height + wait, [...(due.get(height + wait) ?? []), txid]);
      }
    }
    estimator.connected(height + 1, due.get(height + 1) ?? []);
  }
  return estimator;
}

const RATES = [1, 2, 3, 5, 8, 13, 21, 34, 55];

describe('fee estimates', () => {
  test('every rate has the bucket that begins at or below it', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), (rate) => {
        const bucket = bucketOf(rate);
        expect(BUCKET_RATES[bucket]).toBeLessThanOrEqual(rate);
        expect(BUCKET_RATES[bucket + 1] ?? Number.POSITIVE_INFINITY).toBeGreaterThan(rate);
      }),
    );
    expect(BUCKET_RATES[bucketOf(1)]).toBe(1);
  });

  test('where a rate of X and above is confirmed within n blocks and no other, the estimate for n comes to about X', () => {
    fc.assert(
      fc.property(fc.double({ min: 2, max: 500, noNaN: true }), fc.integer({ min: 1, max: 12 }), (x, n) => {
        const rates = Array.from({ length: 9 }, (_, i) => x * 1.3 ** (i - 4));
        const waits = (rate: number): number | undefined => (rate >= x ? n : undefined);
        const estimator = live({ rates, waits, blocks: 120 });
        const { feeRate, reason } = estimator.estimate(n, BUSY);
        expect(reason).toBeNull();
        expect(feeRate).toBeGreaterThan(x / 1.11);
        expect(feeRate).toBeLessThanOrEqual(x * 1.01);
        // In fewer blocks nothing was ever confirmed.
        if (n > 1)
          expect(estimator.estimate(n - 1, BUSY)).toMatchObject({ feeRate: null, reason: 'too-few-confirmed' });
      }),
      { numRuns: 30 },
    );
  });

  test('a few odd ones, whose miner took them for nothing or left them out, do not change it much', () => {
    const estimator = live({ rates: RATES, waits: (rate) => (rate >= 10 ? 1 : undefined), blocks: 100, each: 4 });
    // One in ten of the dear ones left unconfirmed, a few of the cheap ones were taken.
    const odd = new FeeEstimator(0);
    let turn = 0;
    live(
      {
        rates: RATES,
        waits: (rate) => (turn++ % 10 === 0 ? undefined : rate >= 10 ? 1 : undefined),
        blocks: 100,
        each: 4,
      },
      odd,
    );
    expect(odd.estimate(1, BUSY).feeRate).toBe(estimator.estimate(1, BUSY).feeRate);
  });

  test('more blocks never cost more, and no estimate is below what the pool takes', () => {
    const step = fc.record({
      rate: fc.double({ min: 0.5, max: 200, noNaN: true }),
      wait: fc.integer({ min: 1, max: 30 }),
      fate: fc.constantFrom('confirmed', 'left', 'waits'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), fc.double({ min: 1, max: 20, noNaN: true }), (steps, minimum) => {
        const estimator = new FeeEstimator(0);
        const [due, leaving] = [new Map<number, TxId[]>(), new Map<number, TxId[]>()];
        let height = 0;
        for (const [i, { rate, wait, fate }] of steps.entries()) {
          const txid = newTxid();
          estimator.accepted(txid, rate, height);
          if (fate !== 'waits') {
            const fates = fate === 'confirmed' ? due : leaving;
            fates.set(height + wait, [...(fates.get(height + wait) ?? []), txid]);
          }
          if (i % 5 !== 4) continue;
          height += 1;
          estimator.connected(height, due.get(height) ?? []);
          for (const each of leaving.get(height) ?? []) estimator.left(each);
        }
        let before = Number.POSITIVE_INFINITY;
        for (let blocks = 1; blocks <= MAX_FEE_TARGET; blocks++) {
          const { feeRate, reason } = estimator.estimate(blocks, { minimum, isShort: blocks % 2 === 0 });
          expect(feeRate === null).toBe(reason !== null);
          if (blocks % 2 === 1) {
            expect(feeRate ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(before);
            before = feeRate ?? before;
          }
          if (feeRate !== null) expect(feeRate).toBeGreaterThanOrEqual(minimum);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('too little data gives no estimate, and says so', () => {
    const nothing = { feeRate: null, samples: 0, reason: 'too-little-data' };
    expect(new FeeEstimator(7).estimate(6, BUSY)).toEqual(nothing);
    expect(new FeeEstimator(7).estimate(6, { minimum: 1, isShort: true })).toEqual(nothing);
    const some = live({ rates: [5], waits: () => 1, blocks: ENOUGH_SAMPLES - 1, each: 1 });
    expect(some.estimate(6, BUSY)).toMatchObject({ feeRate: null, reason: 'too-little-data' });
  });

  test('what was learnt fades: two thousand blocks without a payment leave too little, and a changed price is learnt', () => {
    const estimator = live({ rates: RATES, waits: (rate) => (rate >= 10 ? 1 : undefined), blocks: 100 });
    expect(estimator.estimate(1, BUSY).feeRate).toBeGreaterThan(9);
    const dearer = live({ rates: RATES, waits: (rate) => (rate >= 30 ? 1 : undefined), blocks: 300 }, estimator, 100);
    expect(dearer.estimate(1, BUSY).feeRate).toBeGreaterThan(29);
    const quiet = live({ rates: RATES, waits: () => 1, blocks: 100 });
    expect(quiet.estimate(1, BUSY).samples).toBeGreaterThan(100);
    quiet.connected(2_100, []);
    expect(quiet.estimate(1, BUSY)).toMatchObject({ feeRate: null, samples: 0 });
  });

  test('where nobody has had to wait and hardly anything waits, the least is enough, if enough was seen', () => {
    const short = { minimum: 1.5, isShort: true };
    // Nobody offers less than 8, and all are confirmed at once.
    const calm = live({ rates: [8, 13], waits: () => 1, blocks: 40 });
    expect(calm.estimate(1, short)).toMatchObject({ feeRate: 1.5, reason: null });
    expect(calm.estimate(1, { ...short, isShort: false }).feeRate).toBeGreaterThan(7);
    const seldom = live({ rates: [8], waits: () => 1, blocks: 12, each: 1 });
    expect(seldom.estimate(1, short).feeRate).toBeNull();
    // Somebody waited two blocks, a moment ago: for one block that is no calm, for three it is.
    const troubled = live({ rates: [8, 13], waits: (rate) => (rate < 10 ? 3 : 1), blocks: 40 });
    expect(troubled.estimate(1, short).feeRate).toBeGreaterThan(7);
    expect(troubled.estimate(3, short).feeRate).toBe(1.5);
  });

  test('what leaves unconfirmed is a failure for the targets it outlived, and for no other', () => {
    const make = (stay: number): FeeEstimator => {
      const estimator = live({ rates: [5], waits: () => 1, blocks: 50, each: 1 });
      const failed = Array.from({ length: 40 }, newTxid);
      for (const txid of failed) estimator.accepted(txid, 5, 50);
      for (let i = 1; i <= stay; i++) estimator.connected(50 + i, []);
      for (const txid of failed) estimator.left(txid);
      return estimator;
    };
    expect(make(0).estimate(1, BUSY).feeRate).not.toBeNull();
    expect(make(3).estimate(3, BUSY)).toMatchObject({ feeRate: null, reason: 'too-few-confirmed' });
    expect(make(3).estimate(4, BUSY).feeRate).not.toBeNull();
  });

  test('what still waits counts against the targets it has outlived', () => {
    const estimator = live({ rates: [5], waits: () => 1, blocks: 50, each: 1 });
    for (let i = 0; i < 40; i++) estimator.accepted(newTxid(), 5, 50);
    for (let i = 1; i <= 3; i++) estimator.connected(50 + i, []);
    expect(estimator.estimate(3, BUSY).feeRate).toBeNull();
    expect(estimator.estimate(4, BUSY).feeRate).not.toBeNull();
  });

  test('a reorganisation counts nobody twice', () => {
    const estimator = new FeeEstimator(0);
    const txids = Array.from({ length: 30 }, newTxid);
    for (const txid of txids) estimator.accepted(txid, 5, 0);
    estimator.connected(1, txids);
    const once = estimator.estimate(1, BUSY);
    expect(once.samples).toBe(30);
    // The block leaves, its payments wait again, and another branch confirms them at the same height and at the next.
    for (let round = 0; round < 5; round++) {
      estimator.disconnected(txids);
      for (const txid of txids) estimator.accepted(txid, 5, 0);
      estimator.connected(1, txids);
      for (const txid of txids) estimator.accepted(txid, 5, 1);
    }
    estimator.connected(2, txids);
    expect(estimator.estimate(1, BUSY).samples).toBeLessThanOrEqual(30);
    // Taken in on one branch and confirmed by the other at no greater height: nobody knows how long that was.
    const other = Array.from({ length: 30 }, newTxid);
    for (const txid of other) estimator.accepted(txid, 5, 2);
    estimator.connected(2, other);
    estimator.connected(3, other);
    expect(estimator.estimate(1, BUSY).samples).toBeLessThanOrEqual(30);
    // While the chain is lower than it was, nothing is followed: waits would seem shorter than they are.
    const late = newTxid();
    estimator.accepted(late, 5, 1);
    estimator.connected(4, [late]);
    expect(estimator.estimate(1, BUSY).samples).toBeLessThanOrEqual(30);
  });

  test('a rate that a dearer child pays for is no example', () => {
    const estimator = new FeeEstimator(0);
    const cheap = Array.from({ length: 30 }, newTxid);
    for (const txid of cheap) estimator.accepted(txid, 1, 0);
    for (const txid of cheap) estimator.paidFor(txid, 50);
    const dear = newTxid();
    estimator.accepted(dear, 50, 0);
    estimator.paidFor(dear, 1);
    estimator.connected(1, [...cheap, dear]);
    expect(estimator.estimate(1, BUSY)).toMatchObject({ feeRate: null, samples: 1 });
  });

  test('what is kept is small, and another estimator goes on with it, what waited counted as having waited', () => {
    const estimator = live({ rates: RATES, waits: (rate) => (rate >= 10 ? 2 : undefined), blocks: 300 });
    const state = estimator.state();
    expect(state.confirmed.size + state.left.size).toBeLessThan(3_000);
    const again = new FeeEstimator(300, state);
    for (const blocks of [1, 2, 6, 144]) {
      const [before, after] = [estimator.estimate(blocks, BUSY), again.estimate(blocks, BUSY)];
      expect(after.feeRate).toBe(before.feeRate);
      expect(Math.abs(after.samples - before.samples)).toBeLessThan(2);
    }
    // Blocks that came meanwhile let it fade.
    expect(new FeeEstimator(444, state).estimate(2, BUSY).samples).toBeLessThan(again.estimate(2, BUSY).samples * 0.6);
  });

  test('a hundred thousand blocks at once, and one by one, keep all numbers finite', () => {
    const estimator = live({ rates: RATES, waits: () => 1, blocks: 50 });
    estimator.connected(100_000, []);
    for (let height = 100_001; height < 120_000; height++) estimator.connected(height, []);
    expect(estimator.estimate(1, BUSY)).toEqual({ feeRate: null, samples: 0, reason: 'too-little-data' });
    live({ rates: RATES, waits: () => 1, blocks: 50 }, estimator, 119_999);
    expect(estimator.estimate(1, BUSY)).toMatchObject({ feeRate: 1, reason: null });
    for (let height = 120_050; height < 123_000; height++) estimator.connected(height, []);
    expect(estimator.estimate(1, BUSY).samples).toBe(0);
  });
});
