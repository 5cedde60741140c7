import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Audience, MAX_NEAR, MAX_TRIED, MIN_FOR_OURS } from '../../../server/relay/audience.js';
import { Dice } from '../../kit/sim/dice.js';

const PEERS = Array.from({ length: 24 }, (_, i) => `peer ${i}`);

function audience(seed: number): Audience<string> {
  const dice = Dice.of(seed, 'audience');
  return new Audience({ below: (limit) => dice.below(limit) });
}

const lesson = fc.record({
  peer: fc.constantFrom(...PEERS),
  of: fc.constantFrom('wasNews' as const, 'wasRepeated' as const, 'dropped' as const),
});

test('everybody is told, at once or later and nobody twice; few at once, and of our own some at the least', () => {
  fc.assert(
    fc.property(fc.array(lesson), fc.subarray(PEERS), fc.boolean(), (lessons, unaware, isOurs) => {
      const told = audience(lessons.length);
      for (const { peer, of } of lessons) told[of](peer);
      const { atOnce, later } = told.divide(unaware, { isOurs });
      expect([...atOnce, ...later].sort()).toEqual([...unaware].sort());
      expect(atOnce.length).toBeLessThanOrEqual(Math.max(MAX_NEAR, MAX_TRIED));
      if (isOurs) expect(atOnce.length).toBeGreaterThanOrEqual(Math.min(MIN_FOR_OURS, unaware.length));
    }),
  );
});

test('those to whom something was news hear at once, and those who had it already later', () => {
  const told = audience(1);
  const peers = PEERS.slice(0, 6);
  for (const peer of peers.slice(0, 2)) told.wasNews(peer);
  for (const peer of peers.slice(2)) told.wasRepeated(peer);
  expect(told.divide(peers, { isOurs: false }).atOnce).toEqual(peers.slice(0, 2));
  told.wasRepeated('peer 0');
  told.wasNews('peer 5');
  expect(told.divide(peers, { isOurs: false }).atOnce).toEqual(['peer 1', 'peer 5']);
  told.dropped('peer 1');
  // It is tried out anew.
  expect(told.divide(peers, { isOurs: false }).atOnce).toEqual(['peer 5', 'peer 1']);
});

test('where nobody is near, what came from others is left for later, and what is ours goes to some by chance', () => {
  const told = audience(2);
  const peers = PEERS.slice(0, 5);
  for (const peer of peers) told.wasRepeated(peer);
  expect(told.divide(peers, { isOurs: false }).atOnce).toEqual([]);
  const drawn = Array.from({ length: 200 }, () => told.divide(peers, { isOurs: true }).atOnce);
  expect(new Set(drawn.flat())).toEqual(new Set(peers));
  expect(new Set(drawn.map(({ length }) => length))).toEqual(new Set([MIN_FOR_OURS]));
});

test('no more are near than a node can call for each transaction, and a place is free again when one goes', () => {
  const told = audience(3);
  for (const peer of PEERS) told.wasNews(peer);
  expect(told.divide(PEERS, { isOurs: false }).atOnce).toEqual(PEERS.slice(0, MAX_NEAR));
  told.dropped('peer 0');
  told.wasNews('peer 20');
  expect(told.divide(PEERS, { isOurs: false }).atOnce).toContain('peer 20');
});
