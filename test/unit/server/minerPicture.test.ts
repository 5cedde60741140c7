import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { duration, scaled } from '../../../server/cli/figures.js';
import { minerPicture, minerSummary } from '../../../server/cli/minerPicture.js';
import type { MinerView } from '../../../server/miner/minerView.js';

const node = (i: number): MinerView['nodes'][number] => ({
  url: `http://10.0.0.${i}:42221`,
  state: i === 1 ? 'away' : 'near',
  why: i === 1 ? 'it does not answer (ECONNREFUSED)' : '',
  height: 1_233,
  genesis: undefined,
});

const view: MinerView = {
  address: '0x9858EfFD232B4033E47d90003D41EC34EcaEda94',
  uptimeMs: 7_380_000,
  threads: 3,
  threadsReplaced: 0,
  hashes: 2_000_000_000n,
  hashRate: 285_312,
  hashRateOverall: 280_123,
  node: 'http://10.0.0.2:42221',
  nodes: [node(1), node(2)],
  nodeChanges: 1,
  intervalMs: null,
  isSearching: true,
  height: 1_234,
  transactions: 57,
  pays: 150_012_000n,
  hashesPerBlock: 10_000_000_000n,
  found: 12,
  accepted: 9,
  side: 1,
  refused: 0,
  lost: 1,
  earned: 1_350_000_000n,
  tipChanges: 1_000,
};
const news = Array.from({ length: 30 }, (_, i) => `12:00:00  block accepted  height ${i} ${'and more '.repeat(12)}`);
const lines = (changes: Partial<MinerView>, size: { columns: number; rows: number }): string[] =>
  stripVTControlCharacters(minerPicture({ name: 'miner', view: { ...view, ...changes }, news }, size)).split('\n');

test('the picture fits any terminal of some size, however many nodes there are: no line wraps, none scrolls away', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 20, max: 200 }),
      fc.integer({ min: 15, max: 80 }),
      fc.integer({ min: 1, max: 100 }),
      (columns, rows, nodes) => {
        const drawn = lines({ nodes: Array.from({ length: nodes }, (_, i) => node(i)) }, { columns, rows });
        expect(drawn.length).toBeLessThanOrEqual(rows);
        for (const line of drawn) expect(line.length).toBeLessThan(columns);
      },
    ),
  );
});

test('it says how fast, at what, for how long, and what came of it', () => {
  const text = lines({}, { columns: 120, rows: 24 }).join('\n');
  for (const part of [
    'mines for 0x9858EfFD232B4033E47d90003D41EC34EcaEda94, up 3 h',
    '285.3 kH/s now, 280.1 kH/s overall, 3 threads',
    'block 1,234: 57 transactions, pays 1.50012 coins',
    'a block in 10 h at this rate, 10.00 GH on average',
    '12 found, 9 accepted (13.5 coins), 1 too late, 0 refused, 1 lost, 1 on the way',
    '  http://10.0.0.1:42221  it does not answer (ECONNREFUSED)',
    '▸ http://10.0.0.2:42221  height 1,233',
    'block accepted  height 29',
  ])
    expect(text).toContain(part);
});

test('what is not known yet is not made up', () => {
  const nothing = { height: null, transactions: null, pays: null, hashesPerBlock: null, hashRate: 0, node: null };
  const text = lines(nothing, { columns: 120, rows: 24 }).join('\n');
  expect(text).toMatch(/work +none yet/);
  expect(text).toMatch(/expected +-/);
  expect(text).not.toMatch(/NaN|Infinity|null|undefined/);
});

test('a node cannot steer the terminal by its failure', () => {
  const evil = { ...node(1), why: '\u001b[2Jgone' };
  expect(
    minerPicture({ name: 'miner', view: { ...view, nodes: [evil] }, news: [] }, { columns: 120, rows: 24 }),
  ).not.toContain('\u001b[2J');
});

test('a sentence at the end', () => {
  expect(minerSummary(view)).toBe(
    'mined for 3 h at 280.1 kH/s: 12 found, 9 accepted (13.5 coins), 1 too late, 0 refused, 1 lost, 1 on the way',
  );
});

test.each([
  [0, '0 s'],
  [99_000, '99 s'],
  [99_001, '2 min'],
  [7_380_000, '3 h'],
  [400 * 3_600_000, '17 days'],
  [1e15, '31,710 years'],
])('%d ms are %s', (ms, text) => expect(duration(ms)).toBe(text));

test.each([
  [0, '0 H/s'],
  [999, '999 H/s'],
  [285_312, '285.3 kH/s'],
  [1e9, '1.000 GH/s'],
])('%d hashes a second are %s', (figure, text) => expect(scaled(figure, 'H/s')).toBe(text));
