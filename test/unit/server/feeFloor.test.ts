import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FeeFloor } from '../../../server/mempool/feeFloor.js';

const HOUR_MS = 3_600_000;
const START = 1_800_000_000_000;

function raised(rate: number): FeeFloor {
  const floor = new FeeFloor();
  floor.rate(START, 1);
  floor.raise(rate, START);
  return floor;
}

describe('the fee floor', () => {
  test('is what this node relays at all while nothing had to be given up', () => {
    expect(new FeeFloor().rate(START, 1)).toBe(1);
  });

  test('rises above what was given up, by what relaying costs', () => {
    expect(raised(9).rate(START, 1)).toBe(10);
  });

  test('never falls because something cheaper was given up', () => {
    const floor = raised(9);
    floor.raise(3, START);
    expect(floor.rate(START, 1)).toBe(10);
  });

  test.each([
    [1, 12],
    [0.5, 12],
    [0.49, 6],
    [0.25, 6],
    [0.24, 3],
    [0, 3],
  ])('halves, where a share of %d is taken, in %i hours', (fill, hours) => {
    const floor = raised(79);
    expect(floor.rate(START + hours * HOUR_MS, fill)).toBeCloseTo(40, 9);
    expect(floor.rate(START + 2 * hours * HOUR_MS, fill)).toBeCloseTo(20, 9);
  });

  test('is gone for good once it is below half of the least', () => {
    const floor = raised(7);
    expect(floor.rate(START + 12 * HOUR_MS * 4.1, 1)).toBe(1);
    // A remainder would be there again if the clock went back.
    floor.raise(0.2, START);
    expect(floor.rate(START, 1)).toBe(1.2);
  });

  test('is the same whether it was looked at often or once', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: HOUR_MS }), { maxLength: 40 }), (waits) => {
        const [often, once] = [raised(500), raised(500)];
        let now = START;
        for (const wait of waits) {
          now += wait;
          often.rate(now, 1);
        }
        expect(often.rate(now, 1)).toBeCloseTo(once.rate(now, 1), 6);
      }),
    );
  });

  test('neither rises nor falls by a clock that is set back', () => {
    const floor = raised(79);
    expect(floor.rate(START - 100 * HOUR_MS, 1)).toBe(80);
    expect(floor.rate(START - 88 * HOUR_MS, 1)).toBeCloseTo(40, 9);
  });
});
