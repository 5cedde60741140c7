import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BUCKET_RATES, bucketOf } from '../../../server/mempool/feeBuckets.js';
import { FeeHistogram } from '../../../server/mempool/feeHistogram.js';
import { FlowMeter } from '../../../server/mempool/flow.js';
import { MAX_RATE_ROWS } from '../../../shared/rpc/insightSchemas.js';
import { stillClock } from '../../support/memoryChain.js';

const entry = fc.record({
  rate: fc.double({ min: 0, max: 20_000, noNaN: true }),
  size: fc.integer({ min: 100, max: 100_000 }),
});

test('the histogram of what waits is the one that counting everything afresh gives', () => {
  fc.assert(
    fc.property(fc.array(entry), fc.array(fc.nat()), (entries, removals) => {
      const histogram = new FeeHistogram();
      const waiting = [...entries];
      for (const each of entries) histogram.add(each);
      for (const index of removals) {
        const [gone] = waiting.splice(index % Math.max(1, waiting.length), 1);
        if (gone !== undefined) histogram.remove(gone);
      }
      const rows = histogram.rows();
      const naive = BUCKET_RATES.map((rate, bucket) => {
        const inside = waiting.filter((each) => bucketOf(each.rate) === bucket);
        return { rate, count: inside.length, bytes: inside.reduce((sum, { size }) => sum + size, 0) };
      });
      expect(rows).toEqual(naive.filter(({ count }) => count > 0).reverse());
      for (const { rate } of waiting) {
        const dearer = waiting.filter((each) => bucketOf(each.rate) > bucketOf(rate));
        const bytes = dearer.reduce((sum, { size }) => sum + size, 0);
        expect(histogram.above(rate)).toEqual({ count: dearer.length, bytes });
      }
    }),
  );
  expect(BUCKET_RATES.length).toBeLessThanOrEqual(MAX_RATE_ROWS);
});

test('flow counts the last ten minutes and no more, whatever the clock does', () => {
  const clock = stillClock(0);
  const meter = new FlowMeter(clock);
  meter.note('accepted');
  meter.note('accepted');
  meter.note('dropped');
  expect(meter.view()).toEqual({ windowMs: 0, accepted: 2, confirmed: 0, dropped: 1 });
  clock.set(300_000);
  meter.note('confirmed');
  expect(meter.view()).toEqual({ windowMs: 300_000, accepted: 2, confirmed: 1, dropped: 1 });
  clock.set(609_999);
  expect(meter.view()).toMatchObject({ accepted: 0, confirmed: 1, dropped: 0 });
  expect(meter.view().windowMs).toBeLessThanOrEqual(600_000);
  clock.set(10_000_000);
  expect(meter.view()).toMatchObject({ accepted: 0, confirmed: 0, dropped: 0 });
});
