import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPublicGroup } from '../../../server/net/netGroup.js';
import type { PeerUrl } from '../../../server/net/peerUrl.js';
import { type Candidate, type Candidates, isCrowded, MAX_NAMED, planDials } from '../../../server/net/planDials.js';
import { Dice } from '../../kit/sim/dice.js';

const of = (group: string, name: string): Candidate => ({ url: `http://${group}/${name}` as PeerUrl, group });
const NOBODY: Candidates = { kept: [], tried: [], fresh: [] };

const candidate = fc
  .tuple(fc.constantFrom('v4:1.1', 'v4:2.2', 'v4:3.3', 'v6:4:4', 'name:a.org', 'private:10.0.0.1:1'), fc.nat(1_000_000))
  .map(([group, n]) => of(group, String(n)));
const table = fc.array(fc.array(candidate, { maxLength: 8 }), { maxLength: 12 });
const candidates: fc.Arbitrary<Candidates> = fc.record({
  kept: fc.array(candidate, { maxLength: 3 }),
  tried: table,
  fresh: table,
});
const order = fc.record({ count: fc.nat(10), isStrict: fc.boolean(), seed: fc.nat() });

describe('the choice of dials', () => {
  test('is as many as asked for where there are so many, none twice, and by the same chance the same', () => {
    fc.assert(
      fc.property(candidates, order, (from, { count, isStrict, seed }) => {
        const choose = (): PeerUrl[] => {
          const dice = Dice.of(seed, 'dials');
          // What has no range cannot be drawn from.
          const draw = (limit: number): number => {
            expect(limit).toBeGreaterThan(0);
            return dice.below(limit);
          };
          return planDials(from, { count, groups: [], isStrict, draw });
        };
        const chosen = choose();
        const all = [...from.kept, ...from.tried.flat(), ...from.fresh.flat()];
        if (isStrict) expect(chosen.length).toBeLessThanOrEqual(count);
        else expect(chosen).toHaveLength(Math.min(count, all.length));
        expect(choose()).toEqual(chosen);
      }),
    );
  });

  test('takes two of one public group only where no other group is left', () => {
    fc.assert(
      fc.property(candidates, order, (given, { count, isStrict, seed }) => {
        const from = { ...given, kept: [] };
        const dice = Dice.of(seed, 'dials');
        const sought = ['v4:1.1'];
        const chosen = planDials(from, { count, groups: sought, isStrict, draw: (limit) => dice.below(limit) });
        const groupOf = (url: PeerUrl): string => url.split('/')[2] ?? '';
        const groups = [...sought, ...chosen.map(groupOf)];
        const shared = groups.filter(isPublicGroup);
        if (shared.length === new Set(shared).size) return;
        expect(isStrict).toBe(false);
        const others = [...from.tried.flat(), ...from.fresh.flat()].filter(({ group }) => !groups.includes(group));
        expect(others).toEqual([]);
      }),
    );
  });

  test('does not follow how many addresses somebody has, but in how many buckets they are', () => {
    const flood = Array.from({ length: 8 }, (_, n) => of('v4:6.6', String(n)));
    const honest = Array.from({ length: 9 }, (_, n) => [of(`v4:7.${n}`, 'honest')]);
    const dice = Dice.of(1, 'dials');
    let flooded = 0;
    for (let i = 0; i < 1_000; i++) {
      const from = { ...NOBODY, tried: [flood, ...honest] };
      const [first] = planDials(from, { count: 1, groups: [], isStrict: false, draw: (limit) => dice.below(limit) });
      if (first?.includes('6.6')) flooded += 1;
    }
    expect(flooded).toBeGreaterThan(60);
    expect(flooded).toBeLessThan(150);
  });

  test('seeks half of the nodes by name at most, while there are others', () => {
    const names = Array.from({ length: 20 }, (_, n) => [of(`name:n${n}.org`, 'n')]);
    const addresses = Array.from({ length: 4 }, (_, n) => [of(`v4:1.${n}`, 'a')]);
    for (let seed = 0; seed < 50; seed++) {
      const dice = Dice.of(seed, 'dials');
      const draw = (limit: number): number => dice.below(limit);
      const from = { ...NOBODY, tried: [...names, ...addresses] };
      const chosen = planDials(from, { count: 8, groups: [], isStrict: false, draw });
      expect(chosen.filter((url) => url.includes('name:'))).toHaveLength(MAX_NAMED);
    }
  });

  test('knows crowds by public groups alone', () => {
    expect(isCrowded('v4:1.1', ['v4:1.1'])).toBe(true);
    expect(isCrowded('v4:1.2', ['v4:1.1'])).toBe(false);
    expect(isCrowded('private:10.0.0.1:1', ['private:10.0.0.1:1'])).toBe(false);
  });
});
