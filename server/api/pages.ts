import { parseHex, toHex } from '../../shared/bytes/hex.js';
import { TrestleError } from '../../shared/errors.js';
import type { Page } from '../../shared/rpc/fields.js';

/** A list read in the order of its keys: the cursor is the key that the page before ended with. */
export function pageOfRows<Row extends { readonly at: Uint8Array }, Item>(
  input: { readonly cursor?: string | undefined; readonly limit: number },
  read: (part: { after: Uint8Array | undefined; limit: number }) => readonly Row[],
  show: (row: Row) => Item,
): Page<Item> {
  const after = input.cursor === undefined ? undefined : parseHex(input.cursor);
  if (input.cursor !== undefined && after === undefined) throw badCursor();
  // One more than asked for tells whether there is a next page.
  const rows = read({ after, limit: input.limit + 1 });
  const items = rows.slice(0, input.limit);
  const last = items.at(-1);
  const next = rows.length > input.limit && last !== undefined ? toHex(last.at) : null;
  return { items: items.map(show), next };
}

/** A list read by number: the cursor is the number that comes next. */
export function pageOfNumbers<Item>(
  input: { readonly cursor?: string | undefined; readonly limit: number },
  numbers: { readonly first: number; readonly step: 1 | -1; readonly end: number },
  show: (number: number) => Item,
): Page<Item> {
  const { first, step, end } = numbers;
  let number = input.cursor === undefined ? first : parseCursor(input.cursor);
  const isInside = (): boolean => (step === 1 ? number >= first && number < end : number <= first && number > end);
  const items: Item[] = [];
  for (; isInside() && items.length < input.limit; number += step) items.push(show(number));
  return { items, next: isInside() ? String(number) : null };
}

/** The number that a cursor stands for. Throws `bad-request` where it stands for none. */
export function parseCursor(cursor: string): number {
  if (!/^\d{1,10}$/.test(cursor)) throw badCursor();
  return Number(cursor);
}

/** A page of a list that is there as a whole: the cursor is the position that comes next. Only what it holds is shown. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  input: { readonly cursor?: string | undefined; readonly limit: number },
  show: (row: Row, position: number) => Item,
): Page<Item> {
  const start = input.cursor === undefined ? 0 : parseCursor(input.cursor);
  const end = start + input.limit;
  const items = rows.slice(start, end).map((row, i) => show(row, start + i));
  return { items, next: end < rows.length ? String(end) : null };
}

/** How many rows fit a page of so many bytes, one at least: a page of a hundred large things would be no page. */
export function fitting<Row>(
  rows: readonly Row[],
  input: { readonly cursor?: string | undefined; readonly limit: number },
  { bytes, sizeOf }: { readonly bytes: number; readonly sizeOf: (row: Row) => number },
): number {
  const start = input.cursor === undefined ? 0 : parseCursor(input.cursor);
  let [count, sum] = [0, 0];
  for (const row of rows.slice(start, start + input.limit)) {
    sum += sizeOf(row);
    if (count > 0 && sum > bytes) break;
    count += 1;
  }
  return Math.max(count, 1);
}

function badCursor(): TrestleError {
  return new TrestleError({ code: 'bad-request', detail: 'cursor: not one that this list gave out' });
}
