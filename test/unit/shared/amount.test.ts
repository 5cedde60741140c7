import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  coins,
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

test.each([
  [0n, '0'],
  [1n, '0.00000001'],
  [150_000_000n, '1.5'],
  [100_000_000n, '1'],
  [1_000_000_000n, '10'],
  [-150_000_000n, '-1.5'],
  [-1n, '-0.00000001'],
  [123_456_789n, '1.23456789'],
])('%s base units are shown as %s', (units, text) => {
  expect(formatCoins(units)).toBe(text);
});

test('the largest number of coins is 2^53-1 base units; coins in a program that are none are a fault of ours', () => {
  expect(parseCoins('90071992.54740991')).toBe(MAX_AMOUNT);
  expect(parseCoins('90071992.54740992')).toBeUndefined();
  expect(coins('0.75')).toBe(75_000_000n);
  expect(() => coins('much')).toThrow('much is no amount of coins');
  expect(() => toAmount(2 ** 53)).toThrow('9007199254740992 is not an amount of base units');
  expect(toAmount(5)).toBe(5n);
  expect(parseAmount(0n)).toBe(0n);
});

test('a sum may equal its cap', () => {
  const values = [1n, 2n].map(toAmount);
  expect(sumAmounts(values, toAmount(3n))).toBe(3n);
  expect(sumAmounts(values, toAmount(2n))).toBeUndefined();
  expect(sumAmounts([], toAmount(0n))).toBe(0n);
});
