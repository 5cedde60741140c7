import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectedBits, medianTime, type ParentContext } from '../../../shared/consensus/checkHeader.js';
import { genesisBlock } from '../../../shared/consensus/genesis.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import { asertTarget } from '../../../shared/consensus/retarget.js';
import { bitsFromTarget, difficultyOf, targetFromBits, workOfTarget } from '../../../shared/consensus/target.js';
import { present } from '../../kit/assertOk.js';

describe('compact bits', () => {
  test('a target reads back from its bits, rounded down to its three leading bytes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 256n - 1n }), (target) => {
        const read = present(targetFromBits(bitsFromTarget(target)));
        expect(read <= target && target - read < target / 2n ** 15n + 1n).toBe(true);
        expect(bitsFromTarget(read)).toBe(bitsFromTarget(target));
      }),
    );
  });

  // From Bitcoin Core's arith_uint256 tests: negative, zero and non-minimal spellings.
  test.each([
    0, 0x01000000, 0x00123456, 0x01003456, 0x02000056, 0x03000000, 0x04000000, 0x00923456, 0x01803456, 0x04923456,
    0x01fedcba, 0xff123456, 0x21010000, 0x22000100,
  ])('0x%s spell no target', (bits) => {
    expect(targetFromBits(bits)).toBeUndefined();
  });

  test.each([
    [0x1d00ffff, 0xffffn << 208n],
    [0x05009234, 0x92340000n],
    [0x20123456, 0x123456n << 232n],
    [0x01120000, 0x12n],
    [0x02123400, 0x1234n],
    [0x03123456, 0x123456n],
    [0x04123456, 0x12345600n],
    [0x207fffff, 0x7fffffn << 232n],
    [0x2100ffff, 0xffffn << 240n],
  ])('0x%s spell the number they spell in Bitcoin', (bits, target) => {
    expect(targetFromBits(bits)).toBe(target);
  });
});

test('work is how many hashes a target takes on average, and harder targets have more', () => {
  expect(workOfTarget(2n ** 255n - 1n)).toBe(2n);
  expect(workOfTarget(1n)).toBe(2n ** 255n);
  expect(workOfTarget(2n ** 256n - 1n)).toBe(1n);
  expect(workOfTarget(present(targetFromBits(0x1d00ffff)))).toBe(4_295_032_833n);
  expect(difficultyOf(50n, 100n)).toBe(2);
});

describe('ASERT', () => {
  const plan = { anchorTarget: 2n ** 200n, blockInterval: 300n, halfLife: 86_400n, limit: 2n ** 230n };

  test('on schedule the target stays; one half-life late it doubles, one early it halves', () => {
    expect(asertTarget({ ...plan, timeDifference: 300n * 11n, heightDifference: 10n })).toBe(2n ** 200n);
    expect(asertTarget({ ...plan, timeDifference: 300n * 11n + 86_400n, heightDifference: 10n })).toBe(2n ** 201n);
    expect(asertTarget({ ...plan, timeDifference: 300n * 11n - 86_400n, heightDifference: 10n })).toBe(2n ** 199n);
  });

  test('it keeps to the formula to three parts in ten thousand, however early or late, and rounds down to a whole number, down to 1', () => {
    fc.assert(
      fc.property(fc.integer({ min: -86_400 * 250, max: 86_400 * 29 }), (seconds) => {
        const target = asertTarget({ ...plan, timeDifference: BigInt(seconds) + 300n, heightDifference: 0n });
        const exact = 2 ** (200 + seconds / 86_400);
        expect(Math.abs(Number(target) - exact)).toBeLessThanOrEqual(exact * 3e-4 + 1);
      }),
    );
  });

  test('a timestamp far off is clamped before anything is computed with it', () => {
    const at = (timeDifference: bigint) => asertTarget({ ...plan, timeDifference, heightDifference: 0n });
    expect(at(10n ** 30n)).toBe(plan.limit);
    expect(at(-(10n ** 30n))).toBe(1n);
    expect(at(86_400n * 30n + 300n), 'the limit itself').toBe(plan.limit);
    expect(at(86_400n * 256n + 300n)).toBe(plan.limit);
    expect(at(-86_400n * 200n + 300n)).toBe(1n);
    expect(at(-86_400n * 201n + 300n), 'a target of 0 would ask for more than any hash can give').toBe(1n);
  });

  test('later is never harder, and no timestamp leaves the range from 1 to the limit', () => {
    const time = fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n });
    fc.assert(
      fc.property(time, time, fc.bigInt({ min: 0n, max: 2n ** 32n }), (a, b, heightDifference) => {
        const [early, late] = a < b ? [a, b] : [b, a];
        const first = asertTarget({ ...plan, timeDifference: early, heightDifference });
        const second = asertTarget({ ...plan, timeDifference: late, heightDifference });
        expect(first <= second && first >= 1n && second <= plan.limit).toBe(true);
      }),
    );
  });

  test('the first two blocks have the genesis bits, whenever the network starts; later ones follow the schedule', () => {
    const params = NETWORKS.main;
    const genesis = genesisBlock(params).header;
    const parent: ParentContext = {
      hash: genesis.hash,
      height: 0,
      timestamp: 0,
      work: 0n,
      recentTimes: [0],
      anchorTime: undefined,
      invalid: false,
    };
    expect(expectedBits(params, parent)).toBe(params.genesisBits);
    const start = 1_800_000_000_000;
    expect(expectedBits(params, { ...parent, height: 1, timestamp: start, anchorTime: start })).toBe(
      params.genesisBits,
    );
    const early = start + 99 * params.blockInterval - params.halfLife;
    const bits = expectedBits(params, { ...parent, height: 100, timestamp: early, anchorTime: start });
    expect(present(targetFromBits(bits)) * 2n).toBe(present(targetFromBits(0x1e0ffffe)));
  });
});

test('the median of up to eleven timestamps is the middle one, the later of two', () => {
  expect(medianTime([5])).toBe(5);
  expect(medianTime([1, 9])).toBe(9);
  expect(medianTime([3, 1, 2])).toBe(2);
  expect(medianTime([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 100, 100, 100])).toBe(6);
});
