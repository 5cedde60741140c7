import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Candidate, whoMakesRoom } from '../../../server/net/inbound.js';

const candidate = (item: string, group: string, since: number): Candidate<string> => ({
  ...{ item, group, since, usefulAt: null },
});

const useful = (each: Candidate<string>, usefulAt: number): Candidate<string> => ({ ...each, usefulAt });

test('of the network that holds most places, the youngest makes room', () => {
  const honest = Array.from({ length: 8 }, (_, i) => candidate(`honest${i}`, `group${i}`, i));
  const flood = Array.from({ length: 8 }, (_, i) => candidate(`flood${i}`, 'one', 100 + i));
  expect(whoMakesRoom([...flood, ...honest])).toBe('flood7');
});

test('where all networks are equal, the youngest makes room', () => {
  expect(whoMakesRoom([candidate('a', '1', 3), candidate('b', '2', 1), candidate('c', '3', 2)])).toBe('a');
});

test('who has lately brought something of worth stays, and so do the longest connected', () => {
  const peers = [candidate('old', 'x', 1), useful(candidate('useful', 'x', 9), 50), candidate('young', 'y', 8)];
  expect(whoMakesRoom(peers)).toBe('young');
  expect(whoMakesRoom(peers.filter(({ item }) => item !== 'young'))).toBeUndefined();
  expect(whoMakesRoom([])).toBeUndefined();
});

test('however many newcomers seek a place, the older half and the most useful keep theirs', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 2 }), { minLength: 1, maxLength: 200 }), (groups) => {
      let peers = Array.from({ length: 24 }, (_, i) => {
        const first = candidate(`first${i}`, `${i}`, i);
        return i < 20 ? first : useful(first, i);
      });
      for (const [i, group] of groups.entries()) {
        const leaves = whoMakesRoom(peers);
        peers = [...peers.filter(({ item }) => item !== leaves), candidate(`late${i}`, group, 100 + i)];
      }
      const left = new Set(peers.map(({ item }) => item));
      for (let i = 0; i < 10; i++) expect(left).toContain(`first${i}`);
      for (let i = 20; i < 24; i++) expect(left).toContain(`first${i}`);
    }),
  );
});
