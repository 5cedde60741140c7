import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  formatCoins,
  MAX_AMOUNT,
  parseAmount,
  parseCoins,
  sumAmounts,
  toAmount,
} from '../../../shared/model/amount.js';

const amount = fc.bigInt({ min: 0n, max: MAX_AMOUNT }).map(toAmount);

test('coins as people write them read back', () => {
  fc.assert(
    fc.property(amount, (value) => {
      expect(parseCoins(formatCoins(value))).toBe(value);
    }),
  );
});

test.each([
  ['1.5', 150_000_000n],
  ['0.00000001', 1n],
  ['90000000', 9_000_000_000_000_000n],
])('%s coins are %s base units', (text, units) => {
  expect(parseCoins(text)).toBe(units);
});

test.each([
  ['-1'],
  ['1e3'],
  ['1,5'],
  ['0.000000001'],
  ['.5'],
  ['1.'],
  [''],
  [' 1'],
  ['1 '],
  ['0x1'],
  ['100000000'],
  ['Infinity'],
])('%j is no number of coins', (text) => {
  expect(parseCoins(text)).toBeUndefined();
});

test('an amount is a whole number from 0 to 2^53-1', () => {
  expect(parseAmount(MAX_AMOUNT)).toBe(MAX_AMOUNT);
  expect(parseAmount(MAX_AMOUNT + 1n)).toBeUndefined();
  expect(parseAmount(-1n)).toBeUndefined();
  expect(() => toAmount(-1n)).toThrow(RangeError);
});

test('a sum stops at its cap, at whatever entry it passes it', () => {
  fc.assert(
    fc.property(fc.array(amount), amount, (values, cap) => {
      const total = values.reduce((sum, value) => sum + value, 0n);
      expect(sumAmounts(values, cap)).toBe(total > cap ? undefined : total);
    }),
  );
});
