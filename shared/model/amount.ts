import type { Branded } from './brand.js';

/**
 * Money in base units, 100,000,000 to the coin, 0 to 2^53-1: never a fraction, never a float. The bound keeps sums exact
 * even where they are taken as numbers.
 */
export type Amount = Branded<bigint, 'Amount'>;

/** Base units in one coin. */
export const COIN = 100_000_000n;
/** The largest amount any format holds, in base units. */
export const MAX_AMOUNT = 2n ** 53n - 1n;
const DECIMALS = 8;
const COINS = /^(\d{1,8})(?:\.(\d{1,8}))?$/;

/** An amount this program computed. Throws when it is out of range: that is a fault of ours, not bad data. */
export function toAmount(value: bigint | number): Amount {
  const amount = parseAmount(BigInt(value));
  if (amount === undefined) throw new RangeError(`${value} is not an amount of base units`);
  return amount;
}

/** An amount from outside, or `undefined` when it is below 0 or above 2^53-1. */
export function parseAmount(value: bigint): Amount | undefined {
  return value >= 0n && value <= MAX_AMOUNT ? (value as Amount) : undefined;
}

/** No money. */
export const ZERO_AMOUNT = toAmount(0n);

/** The sum, or `undefined` as soon as a partial sum passes `cap` (CVE-2010-5139: a sum that wrapped made money). */
export function sumAmounts(amounts: Iterable<Amount>, cap: Amount): Amount | undefined {
  let sum = 0n;
  for (const amount of amounts) {
    sum += amount;
    if (sum > cap) return undefined;
  }
  return sum as Amount;
}

/** Coins as people write them: `1.5` for 150,000,000 base units. */
export function formatCoins(amount: bigint): string {
  const sign = amount < 0n ? '-' : '';
  const units = amount < 0n ? -amount : amount;
  const fraction = (units % COIN).toString().padStart(DECIMALS, '0').replace(/0+$/, '');
  return `${sign}${units / COIN}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The same, for coins that stand in a program: `coins('0.75')`. Throws `RangeError` for what is no amount. */
export function coins(text: string): Amount {
  const amount = parseCoins(text);
  if (amount === undefined) throw new RangeError(`${text} is no amount of coins`);
  return amount;
}

/** Reads coins as people write them, with a point and at most eight decimals; `undefined` for anything else. */
export function parseCoins(text: string): Amount | undefined {
  const match = COINS.exec(text);
  if (match === null) return undefined;
  const fraction = (match[2] ?? '').padEnd(DECIMALS, '0');
  return parseAmount(BigInt(match[1] ?? '0') * COIN + BigInt(fraction));
}
