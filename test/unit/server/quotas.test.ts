import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Kind, MAX_CALLERS, Quotas } from '../../../server/http/quotas.js';

const KIND: Kind = { name: 'all', each: { rate: 100, burst: 1_000 }, together: { rate: 500, burst: 500 } };
const ALONE: Kind = { ...KIND, together: { rate: 1e9, burst: 1e9 } };

/** How much one caller gets that asks for `cost` every `everyMs`, in milliseconds of work over so much time. */
function served(quotas: Quotas, kind: Kind, { everyMs = 1, cost = 1, ms = 10_000 } = {}): number {
  let sum = 0;
  for (let now = 0; now < ms; now += everyMs) if (quotas.take('a', kind, { cost, now }).ok) sum += cost;
  return sum;
}

describe('a quota', () => {
  test('gives a caller its burst, and then no more than its rate', () => {
    expect(served(new Quotas(), ALONE)).toBeGreaterThan(1_900);
    expect(served(new Quotas(), ALONE)).toBeLessThanOrEqual(2_001);
    fc.assert(
      fc.property(fc.array(fc.record({ cost: fc.integer({ min: 1, max: 50 }), pause: fc.nat(40) })), (calls) => {
        const quotas = new Quotas();
        let [now, sum] = [0, 0];
        for (const { cost, pause } of calls) {
          now += pause;
          if (quotas.take('a', ALONE, { cost, now }).ok) sum += cost;
          expect(sum).toBeLessThanOrEqual(ALONE.each.burst + (ALONE.each.rate * now) / 1_000 + 1e-6);
        }
      }),
    );
  });

  test('never refuses who stays below the rate, for however long', () => {
    expect(served(new Quotas(), ALONE, { everyMs: 100, cost: 9, ms: 600_000 })).toBe(54_000);
  });

  test('says how long to wait, and answers then', () => {
    const quotas = new Quotas();
    served(quotas, ALONE, { ms: 5_000 });
    const refused = quotas.take('a', ALONE, { cost: 10, now: 5_000 });
    if (refused.ok) throw new Error('answered');
    expect(refused.retryMs).toBeGreaterThan(0);
    expect(quotas.take('a', ALONE, { cost: 10, now: 5_000 + refused.retryMs - 10 }).ok).toBe(false);
    expect(quotas.take('a', ALONE, { cost: 10, now: 5_000 + refused.retryMs }).ok).toBe(true);
  });

  test('of one caller is not another’s', () => {
    const quotas = new Quotas();
    served(quotas, ALONE);
    expect(quotas.take('b', ALONE, { cost: 900, now: 10_000 }).ok).toBe(true);
  });

  test('where many ask for too much, is left to who asks for little', () => {
    const quotas = new Quotas();
    let [refused, greedy] = [0, 0];
    for (let now = 0; now < 20_000; now += 10) {
      // Twenty milliseconds of work in a second, before the others come and for ten seconds beside them.
      if (now % 50 === 0 && !quotas.take('modest', KIND, { cost: 1, now }).ok) refused += 1;
      if (now < 10_000) continue;
      for (let i = 0; i < 40; i++) if (quotas.take(`greedy${i}`, KIND, { cost: 5, now }).ok) greedy += 5;
    }
    expect(refused).toBe(0);
    // All together get what there is, each its light share beyond.
    expect(greedy).toBeLessThanOrEqual(500 + 500 * 10 + 40 * (10 + 10 * 10));
  });

  test('counts strikes against who goes on beyond its own, and none against who is crowded out', () => {
    const quotas = new Quotas();
    let strikes = 0;
    for (let now = 0; now < 1_000; now++) {
      const admitted = quotas.take('a', ALONE, { cost: 20, now });
      if (!admitted.ok) strikes = admitted.strikes;
    }
    expect(strikes).toBeGreaterThan(900);
    const later = quotas.take('a', ALONE, { cost: 5_000, now: 1_000_000 });
    expect(later).toMatchObject({ ok: false, strikes: 1 });
    for (let i = 0; i < 40; i++) for (let call = 0; call < 12; call++) quotas.take(`c${i}`, KIND, { cost: 10, now: 0 });
    const crowded = Array.from({ length: 8 }, () => quotas.take('new', KIND, { cost: 30, now: 0 }));
    expect(crowded.at(-1)).toMatchObject({ ok: false, strikes: 0 });
  });

  test('is used up by fines, and a caller is never put back for longer than twice its burst', () => {
    const quotas = new Quotas();
    for (let i = 0; i < 100; i++) quotas.fine('a', ALONE, { cost: 150, now: 0 });
    const refused = quotas.take('a', ALONE, { cost: 1, now: 0 });
    expect(refused).toMatchObject({ ok: false });
    expect(quotas.take('a', ALONE, { cost: 1, now: 11_000 }).ok).toBe(true);
  });

  test('is remembered for a bounded number of callers, however many there are', () => {
    const quotas = new Quotas();
    for (let i = 0; i < 3 * MAX_CALLERS; i++) quotas.take(`${i}`, ALONE, { cost: 1, now: i });
    expect(quotas.size).toBe(MAX_CALLERS);
  });
});
