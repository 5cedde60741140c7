import { expect, test } from 'vitest';
import { RecentSet } from '../../../shared/recentSet.js';

test('a recent set holds the last items that were added, and an item added again is among the last', () => {
  const set = new RecentSet<number>(3);
  for (const item of [1, 2, 3, 1, 4]) set.add(item);
  expect([1, 2, 3, 4].filter((item) => set.has(item))).toEqual([1, 3, 4]);
});
