import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_OF_SOURCE, Requests } from '../../../server/relay/requests.js';
import { locatorHeights } from '../../../server/sync/locator.js';

test('each item is asked of one peer at a time, of each at most once, and in the end comes or is given up', () => {
  const announcement = fc.record({ item: fc.nat(20), source: fc.nat(4) });
  // What each peer answers to a request: whether it delivers, by the round it is asked in.
  const delivers = fc.func<[number, number], boolean>(fc.boolean());
  fc.assert(
    fc.property(
      fc.array(announcement, { maxLength: 60 }),
      delivers,
      fc.integer({ min: 1, max: 5 }),
      (told, honest, batch) => {
        const requests = new Requests<number, number>();
        for (const { item, source } of told) requests.announced(item, source);
        const asked = new Set<string>();
        const came = new Set<number>();
        for (let round = requests.next(batch); round.length > 0; round = requests.next(batch)) {
          const inRound = round.flatMap(({ items }) => items);
          expect(new Set(inRound).size).toBe(inRound.length);
          for (const { source, items } of round) {
            expect(items.length).toBeLessThanOrEqual(batch);
            for (const item of items) {
              expect(told).toContainEqual({ item, source });
              expect(asked.has(`${item} of ${source}`)).toBe(false);
              asked.add(`${item} of ${source}`);
              expect(came.has(item)).toBe(false);
              if (honest(item, source)) {
                came.add(item);
                requests.done(item);
              } else requests.failed(item, source);
            }
          }
        }
        expect(requests.size).toBe(0);
        for (const { item, source } of told) if (!came.has(item)) expect(asked.has(`${item} of ${source}`)).toBe(true);
      },
    ),
  );
});

test('of peers that are not free nothing is asked until they are, and what others have is asked of those', () => {
  const requests = new Requests<string, string>();
  requests.announced('tx', 'busy');
  requests.announced('other', 'busy');
  requests.announced('tx', 'idle');
  const isFree = (peer: string): boolean => peer !== 'busy';
  expect(requests.next(9, isFree)).toEqual([{ source: 'idle', items: ['tx'] }]);
  expect(requests.sourcesOf('tx')).toEqual(['busy']);
  expect(requests.next(9, isFree)).toEqual([]);
  requests.failed('tx', 'idle');
  expect(requests.next(9)).toEqual([{ source: 'busy', items: ['tx', 'other'] }]);
});

test('while a peer is being asked, nobody else is; when it is gone, the next one is', () => {
  const requests = new Requests<string, string>();
  requests.announced('tx', 'a');
  expect(requests.next(9)).toEqual([{ source: 'a', items: ['tx'] }]);
  requests.announced('tx', 'b');
  expect(requests.next(9)).toEqual([]);
  requests.dropped('a');
  expect(requests.next(9)).toEqual([{ source: 'b', items: ['tx'] }]);
  requests.dropped('b');
  expect(requests.size).toBe(0);
});

test('a flood of announcements stays within its bound, and takes nobody else’s place', () => {
  const requests = new Requests<number, string>();
  for (let item = 0; item < MAX_OF_SOURCE + 1_000; item++)
    expect(requests.announced(item, 'flooder')).toBe(item < MAX_OF_SOURCE);
  expect(requests.size).toBe(MAX_OF_SOURCE);
  expect(requests.announced(-1, 'honest')).toBe(true);
  expect(requests.next(9).find(({ source }) => source === 'honest')?.items).toEqual([-1]);
});

test('a peer’s share is what is noted for it and no more, whatever comes, fails and goes', () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant('announced' as const), item: fc.nat(30), source: fc.nat(3) }),
    fc.record({ kind: fc.constant('done' as const), item: fc.nat(30), source: fc.nat(3) }),
    fc.record({ kind: fc.constant('failed' as const), item: fc.nat(30), source: fc.nat(3) }),
    fc.record({ kind: fc.constant('dropped' as const), item: fc.nat(30), source: fc.nat(3) }),
    fc.record({ kind: fc.constant('next' as const), item: fc.nat(30), source: fc.nat(3) }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      const requests = new Requests<number, number>();
      for (const { kind, item, source } of events) {
        if (kind === 'announced') requests.announced(item, source);
        else if (kind === 'done') requests.done(item);
        else if (kind === 'failed') requests.failed(item, source);
        else if (kind === 'dropped') requests.dropped(source);
        else requests.next(3);
      }
      for (let item = 0; item <= 30; item++) requests.done(item);
      expect(requests.size).toBe(0);
      // With nothing noted any more, everybody has the whole share again.
      for (let source = 0; source <= 3; source++) {
        const start = 1_000_000 * (source + 1);
        for (let item = start; item < start + MAX_OF_SOURCE; item++)
          if (!requests.announced(item, source)) throw new Error(`the share of ${source} ends at ${item - start}`);
        expect(requests.announced(start - 1, source)).toBe(false);
      }
    }),
    { numRuns: 30 },
  );
});

test('a locator falls from the tip to genesis, ten dense entries first, and stays short', () => {
  fc.assert(
    fc.property(fc.nat(10_000_000), (tip) => {
      const heights = locatorHeights(tip);
      expect(heights.length).toBeLessThanOrEqual(40);
      expect(heights.at(-1)).toBe(0);
      expect(heights[0]).toBe(tip);
      for (let i = 1; i < heights.length; i++) expect(heights[i]).toBeLessThan(heights[i - 1] ?? 0);
      expect(heights.slice(0, Math.min(10, tip))).toEqual(Array.from({ length: Math.min(10, tip) }, (_, i) => tip - i));
    }),
  );
});
