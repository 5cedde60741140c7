import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { GUARDS } from './guards.js';

const read = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../${file}`, import.meta.url)), 'utf8');

test.each(GUARDS.flatMap(({ name, edits }) => edits.map((edit) => ({ name, ...edit }))))(
  'the guard against “$name” still stands in $file, once',
  ({ file, find, replace }) => {
    expect(read(file).split(find)).toHaveLength(2);
    expect(replace).not.toBe(find);
  },
);

test('every guard has a name of its own, and there are at least twelve', () => {
  expect(new Set(GUARDS.map(({ name }) => name)).size).toBe(GUARDS.length);
  expect(GUARDS.length).toBeGreaterThanOrEqual(12);
});
