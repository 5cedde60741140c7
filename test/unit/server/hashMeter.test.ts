import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HashMeter } from '../../../server/miner/hashMeter.js';

test('a steady rate shows as what it is, however often and unevenly it is looked at', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000_000 }),
      fc.array(fc.integer({ min: 1, max: 8_000 }), { minLength: 1, maxLength: 200 }),
      (perMs, gaps) => {
        const meter = new HashMeter(50);
        let now = 50;
        for (const gap of gaps) {
          now += gap;
          const rates = meter.look(BigInt(perMs) * BigInt(now - 50), now);
          expect(rates.now).toBeCloseTo(perMs * 1_000, 3);
          expect(rates.overall).toBeCloseTo(perMs * 1_000, 3);
        }
      },
    ),
  );
});

test('the rate of the moment forgets what is older than ten seconds, the other one does not', () => {
  const meter = new HashMeter(0);
  for (let now = 0; now <= 60_000; now += 500) meter.look(BigInt(now), now);
  for (let now = 60_500; now <= 70_500; now += 500) meter.look(60_000n, now);
  const rates = meter.look(60_000n, 71_000);
  expect(rates.now).toBe(0);
  expect(rates.overall).toBeCloseTo(845, 0);
});

test('before any time has gone by there is no rate', () => {
  expect(new HashMeter(7).look(100n, 7)).toEqual({ now: 0, overall: 0 });
});
