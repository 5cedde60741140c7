import { expect, test } from 'vitest';
import { Routes } from '../../kit/routes.js';

const everyWay = (routes: Routes<number>, count: number): string[] =>
  Array.from({ length: count * count }, (_, i) => [Math.floor(i / count), i % count] as const)
    .filter(([from, to]) => from !== to && routes.isCut(from, to))
    .map(([from, to]) => `${from}>${to}`);

test('nothing is cut until somebody cuts, and after all is healed', () => {
  const routes = new Routes<number>();
  expect(everyWay(routes, 3)).toEqual([]);
  routes.partition([[0], [1, 2]]);
  routes.cut(1, 2);
  routes.heal();
  expect(everyWay(routes, 3)).toEqual([]);
});

test('groups do not hear each other, and whoever no group names is alone', () => {
  const routes = new Routes<number>();
  routes.partition([[0, 1]]);
  expect(everyWay(routes, 4)).toEqual(['0>2', '0>3', '1>2', '1>3', '2>0', '2>1', '2>3', '3>0', '3>1', '3>2']);
  routes.partition([[2, 0]]);
  expect(everyWay(routes, 4)).not.toContain('0>2');
  expect(everyWay(routes, 4)).toContain('0>1');
});

test('a cut goes one way, and outlasts another partition', () => {
  const routes = new Routes<number>();
  routes.cut(0, 1);
  expect(everyWay(routes, 3)).toEqual(['0>1']);
  routes.partition([[0, 1], [2]]);
  expect(everyWay(routes, 3)).toContain('0>1');
  expect(everyWay(routes, 3)).not.toContain('1>0');
});

test('circles are those who hear each other both ways, if only through others', () => {
  const routes = new Routes<number>();
  expect(routes.circles([0, 1, 2, 3, 4])).toEqual([[0, 1, 2, 3, 4]]);
  routes.cut(0, 1);
  expect(routes.circles([0, 1, 2])).toEqual([[0, 1, 2]]);
  expect(routes.circles([0, 1])).toEqual([[0], [1]]);
  routes.partition([
    [0, 3],
    [1, 4, 2],
  ]);
  expect(routes.circles([0, 1, 2, 3, 4])).toEqual([
    [0, 3],
    [1, 2, 4],
  ]);
  expect(routes.circles([4, 0])).toEqual([[4], [0]]);
  expect(routes.circles([])).toEqual([]);
});

test('who stands in two groups, or is cut from itself, is refused', () => {
  const routes = new Routes<number>();
  expect(() => routes.partition([[0], [0, 1]])).toThrow('node 0 stands in two groups');
  expect(() => routes.cut(1, 1)).toThrow('node 1 cannot be cut off from itself');
  expect(everyWay(routes, 2)).toEqual([]);
});

test('what parts a network can be put back', () => {
  const routes = new Routes<number>();
  routes.partition([[0, 1], [2]]);
  routes.cut(0, 1);
  const { parting } = routes;
  const before = everyWay(routes, 3);
  routes.heal();
  routes.cut(2, 1);
  routes.parting = parting;
  expect(everyWay(routes, 3)).toEqual(before);
});
