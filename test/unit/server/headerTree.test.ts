import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stepTowards } from '../../../server/chain/headerTree.js';
import type { HeaderRecord } from '../../../server/store/layout.js';
import { assertOk, present } from '../../kit/assertOk.js';
import { memoryChain } from '../../kit/memoryChain.js';
import { TestChain } from '../../kit/testChain.js';

test('any ancestor, the fork of two branches and the path between are what walking step by step finds', async () => {
  const source = new TestChain();
  const { headers, ...chain } = await openWith(source);
  const walk = (from: HeaderRecord, height: number): HeaderRecord => {
    let at = from;
    while (at.header.height > height) at = headers.require(at.header.previous);
    return at;
  };
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (m, n) => {
      const a = present(chain.records[m % chain.records.length]);
      const b = present(chain.records[n % chain.records.length]);
      const height = n % (a.header.height + 1);
      expect(headers.ancestor(a, height)).toEqual(walk(a, height));
      const fork = headers.fork(a, b);
      expect(headers.descends(a, fork) && headers.descends(b, fork)).toBe(true);
      const above = fork.header.height + 1;
      if (a.header.height >= above && b.header.height >= above)
        expect(walk(a, above).header.hash).not.toBe(walk(b, above).header.hash);
      const path = headers.path(fork, a);
      expect(path.map(({ header }) => header.height)).toEqual(path.map((_, i) => above + i));
      expect(path.at(-1) ?? fork).toEqual(a);
    }),
    { numRuns: 300 },
  );
});

test('a million blocks up, any ancestor is at most 150 steps away', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.nat(1_000_000), (m, n) => {
      const [target, top] = m < n ? [m, n] : [n, m];
      let steps = 0;
      for (let at = top; at > target; steps++) {
        const next = stepTowards(at, target);
        expect(next < at && next >= target).toBe(true);
        at = next;
      }
      expect(steps).toBeLessThanOrEqual(150);
    }),
  );
});

async function openWith(source: TestChain) {
  const chain = await memoryChain();
  const main = source.grow(source.genesis, 60);
  const side = source.grow(present(main[20]), 50);
  const twig = source.grow(present(side[40]), 5);
  const records: HeaderRecord[] = [chain.tip];
  for (const { header } of [...main, ...side, ...twig]) records.push(assertOk(await chain.submitHeaders([header])));
  return { headers: chain.headers, records };
}
