import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { present } from '../kit/assertOk.js';
import { GUARDS } from './guards.js';
import { parseGuardsOptions } from './options.js';

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

describe('what is asked for', () => {
  const [{ name } = { name: '' }] = GUARDS;

  test('is all guards, or those that are named', () => {
    const all = { guards: GUARDS, seeds: 200, nodes: 5, processes: 2, json: false };
    expect(parseGuardsOptions([])).toEqual({ ok: true, value: all });
    const some = { ...all, guards: [present(GUARDS[0])], seeds: 7, json: true };
    expect(parseGuardsOptions(['--only', name, '--seeds', '7', '--json'])).toEqual({ ok: true, value: some });
  });

  test.each([
    [['--only', 'no such guard'], "there is no guard 'no such guard'; there are: "],
    [['--only', name, '--only', ''], "there is no guard ''"],
    [['--seeds', '0'], '--seeds 0: a whole number from 1 to 1000000 goes here'],
    [['--seeds', 'many'], '--seeds many'],
    [['--nodes', '1'], '--nodes 1'],
    [['--processes', '1.5'], '--processes 1.5'],
    [['--processes', ''], '--processes '],
    [['--seed', '4'], "Unknown option '--seed'"],
    [['more'], "Unexpected argument 'more'"],
  ])('makes no sense: %j', (args, why) => {
    expect(parseGuardsOptions(args)).toEqual({ ok: false, reject: expect.stringContaining(why) });
  });
});
