import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type NodeGlance, picture, type Scene } from '../../../client/cli/devnet/display.js';

const node = (name: string): NodeGlance => ({
  name,
  url: 'http://127.0.0.1:42221',
  state: 'mining, fetched 20 blocks',
  height: 1_234,
  tip: 'ab'.repeat(32),
  transactions: 12_345,
  waiting: 7,
  peers: 3,
  rssBytes: 150_000_000,
  supply: 150_000_000n,
});
const scene: Scene = {
  nodes: ['A', 'B', 'C', 'D'].map(node),
  network: { directoryUrl: 'http://127.0.0.1:42020', minedAt: () => ['A', 'B'] },
  steps: Array.from({ length: 30 }, (_, i) => `step ${i} ${'of a long way '.repeat(5)}`),
  traffic: { posted: [] },
};

const lines = (size: { columns: number; rows: number }): string[] =>
  stripVTControlCharacters(picture(scene, size)).split('\n');

test('the picture fits any terminal of some size: no line wraps, none scrolls away', () => {
  fc.assert(
    fc.property(fc.integer({ min: 20, max: 200 }), fc.integer({ min: 15, max: 80 }), (columns, rows) => {
      const drawn = lines({ columns, rows });
      expect(drawn.length).toBeLessThanOrEqual(rows);
      for (const line of drawn) expect(line.length).toBeLessThan(columns);
    }),
  );
});

test('what matters most stays where there is little room; where there is much, all is shown', () => {
  const narrow = lines({ columns: 60, rows: 24 }).join('\n');
  expect(narrow).toMatch(/node +height +.*waiting +peers +state/);
  expect(narrow).not.toContain('address');
  expect(narrow).toContain('▸ step 29');
  expect(lines({ columns: 160, rows: 50 }).join('\n')).toMatch(
    /tip +transactions +waiting +peers +memory +state +address/,
  );
});
