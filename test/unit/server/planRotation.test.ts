import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PeerUrl } from '../../../server/net/peerUrl.js';
import { MAX_PROTECTED, planRotation, type Situation, type Sought } from '../../../server/net/planRotation.js';

const DOUBTS = { staleMs: 100, trialMs: 20 };
const TARGET = 8;

const peer = (n: number, change: Partial<Sought> = {}): Sought => ({
  url: `http://1.${n}.0.1:80` as PeerUrl,
  group: `v4:1.${n}`,
  isKept: false,
  work: 10n,
  ...change,
});
const peers = (count: number): Sought[] => Array.from({ length: count }, (_, n) => peer(n));
const at = (change: Partial<Situation>): Situation => ({
  sought: peers(TARGET),
  target: TARGET,
  work: 10n,
  tipAgeMs: 0,
  trialMs: 0,
  ...change,
});
const decide = (change: Partial<Situation>) => planRotation(at(change), DOUBTS);

describe('rotation', () => {
  test('while blocks come and every peer is of another group, nothing happens', () => {
    expect(decide({})).toEqual({ kind: 'none' });
    expect(decide({ tipAgeMs: 99 })).toEqual({ kind: 'none' });
  });

  test('a stale tip asks for one more, unless there are too few anyway or one too many already', () => {
    expect(decide({ tipAgeMs: 100 })).toEqual({ kind: 'seek' });
    expect(decide({ tipAgeMs: 100, sought: peers(7) })).toEqual({ kind: 'none' });
    expect(decide({ tipAgeMs: 100, sought: peers(9), trialMs: 19 })).toEqual({ kind: 'none' });
  });

  test('one that was of no use goes when its time is over, the newest where all are alike', () => {
    expect(decide({ tipAgeMs: 120, sought: peers(9), trialMs: 20 })).toMatchObject({ url: peer(8).url });
  });

  test('one that brought blocks stays, and another goes for it', () => {
    expect(decide({ tipAgeMs: 5, sought: peers(9), trialMs: 10 })).toMatchObject({ kind: 'leave', url: peer(7).url });
    const behind = peers(9).map((each, n) => (n === 2 ? { ...each, work: 3n } : each));
    expect(decide({ tipAgeMs: 5, sought: behind, trialMs: 10 })).toMatchObject({ url: peer(2).url });
  });

  test('two of one group ask for another, and the newer one goes for it', () => {
    const sought = peers(8).map((each, n) => (n === 6 ? { ...each, group: 'v4:1.1' } : each));
    expect(decide({ sought })).toEqual({ kind: 'seek' });
    expect(decide({ sought: [...sought, peer(8)], trialMs: 1 })).toMatchObject({ url: peer(6).url });
  });

  test('whom the operator named stays, and so do four that were found long ago', () => {
    const arbitrary = fc.record({
      count: fc.integer({ min: 8, max: 9 }),
      groups: fc.array(fc.nat(9), { minLength: 9, maxLength: 9 }),
      kept: fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
      works: fc.array(fc.constantFrom(3n, 10n, 11n), { minLength: 9, maxLength: 9 }),
      tipAgeMs: fc.nat(300),
      trialMs: fc.nat(50),
    });
    fc.assert(
      fc.property(arbitrary, ({ count, groups, kept, works, ...times }) => {
        const sought = peers(count).map((each, n) => ({
          ...each,
          group: `v4:1.${groups[n]}`,
          isKept: kept[n] === true,
          work: works[n] ?? 10n,
        }));
        const rotation = decide({ sought, ...times });
        if (rotation.kind !== 'leave') return;
        // There is never one fewer than wanted because of it.
        expect(count).toBe(9);
        const gone = sought.findIndex(({ url }) => url === rotation.url);
        expect(kept[gone]).toBe(false);
        const first = new Map<string, number>();
        for (const [n, { group, isKept, work }] of sought.entries())
          if (!isKept && work >= 10n && !first.has(group)) first.set(group, n);
        expect([...first.values()].slice(0, MAX_PROTECTED)).not.toContain(gone);
      }),
      { numRuns: 500 },
    );
  });
});
