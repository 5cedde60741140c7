import { describe, expect, test } from 'vitest';
import { Dice } from '../../kit/sim/dice.js';
import { type LinkOptions, Links, type Passage } from '../../kit/sim/links.js';

const links = (options: LinkOptions = {}): Links => new Links(Dice.of(5, 'links'), options);
const many = (set: Links, count = 400, bytes = 100): Passage[] =>
  Array.from({ length: count }, () => set.send({ from: 'a', to: 'b', bytes, now: 0 }));
const open = (set: Links, from: string, to: string): boolean => !set.routes.isCut(from, to);
const arrivals = (passages: readonly Passage[]): number[] =>
  passages.flatMap((passage) => (passage.kind === 'arrives' ? [passage.afterMs] : []));

describe('links', () => {
  test('take their latency, and up to their jitter on top', () => {
    const times = arrivals(many(links({ latencyMs: 20, jitterMs: 10 })));
    expect(times).toHaveLength(400);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(20);
    expect(Math.max(...times)).toBeLessThan(30);
    expect(Math.max(...times)).toBeGreaterThan(28);
  });

  test('lose the share of messages they are told to, some without a word and some with a broken connection', () => {
    const kinds = many(links({ loss: 0.25 })).map(({ kind }) => kind);
    const share = (kind: Passage['kind']): number => kinds.filter((each) => each === kind).length / kinds.length;
    expect(share('lost')).toBeCloseTo(0.125, 1);
    expect(share('broken')).toBeCloseTo(0.125, 1);
  });

  test('double and hold back the shares they are told to', () => {
    const passages = many(links({ duplication: 0.5, reordering: 0.1, latencyMs: 10, jitterMs: 0 }));
    const doubled = passages.filter((passage) => passage.kind === 'arrives' && passage.again !== undefined).length;
    expect(doubled / passages.length).toBeCloseTo(0.5, 1);
    const late = arrivals(passages).filter((ms) => ms === 100).length;
    expect(late / passages.length).toBeCloseTo(0.1, 1);
  });

  test('with a bandwidth, messages wait for those before them, each direction by itself', () => {
    const set = links({ latencyMs: 1, jitterMs: 0, bandwidth: 10 });
    expect(arrivals(many(set, 3))).toEqual([11, 21, 31]);
    expect(set.send({ from: 'b', to: 'a', bytes: 100, now: 0 })).toMatchObject({ afterMs: 11 });
  });

  test('a cut goes one way, a partition both, and healing takes back either', () => {
    const set = links();
    set.routes.cut('a', 'b');
    expect([open(set, 'a', 'b'), open(set, 'b', 'a')]).toEqual([false, true]);
    expect(many(set, 5).map(({ kind }) => kind)).toEqual(Array(5).fill('lost'));
    set.routes.heal();
    set.routes.partition([['a', 'c'], ['b']]);
    expect([open(set, 'a', 'b'), open(set, 'b', 'a'), open(set, 'a', 'c'), open(set, 'd', 'a')]).toEqual([
      ...[false, false, true, false],
    ]);
    set.routes.heal();
    expect([open(set, 'a', 'b'), open(set, 'd', 'a')]).toEqual([true, true]);
  });

  test('one link may be worse than the others', () => {
    const set = links({ latencyMs: 1, jitterMs: 0 });
    set.set('a', 'b', { latencyMs: 500, jitterMs: 0 });
    expect(arrivals(many(set, 1))).toEqual([500]);
    expect(set.send({ from: 'b', to: 'a', bytes: 0, now: 0 })).toMatchObject({ afterMs: 1 });
  });
});
