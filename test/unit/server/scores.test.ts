import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Penalty } from '../../../server/net/score.js';
import { MAX_SCORES, Scores } from '../../../server/net/scores.js';

const URL = 'http://192.0.2.1:80';
const MINUTE = 60_000;

describe('points against a peer', () => {
  test('one lie and it is left, three within some minutes and it is banned', () => {
    const scores = new Scores();
    expect([0, 1, 2].map((i) => scores.charge(URL, 'lie', i * MINUTE))).toEqual(['leave', 'leave', 'ban']);
    // The ban is what they were for: it begins afresh.
    expect(scores.points(URL, 2 * MINUTE)).toBe(0);
  });

  test('what no honest node sends is banned at once', () => {
    expect(new Scores().charge(URL, 'fatal', 0)).toBe('ban');
  });

  test('they halve every ten minutes, and lies that are far enough apart never lead to a ban', () => {
    const scores = new Scores();
    scores.charge(URL, 'lie', 0);
    expect(scores.points(URL, 10 * MINUTE)).toBe(10);
    expect(scores.points(URL, 20 * MINUTE)).toBe(5);
    expect(scores.points(URL, 100 * MINUTE)).toBe(0);
    const seldom = Array.from({ length: 1_000 }, (_, i) => scores.charge(URL, 'lie', (i + 2) * 10 * MINUTE));
    expect(seldom).not.toContain('ban');
  });

  test('silence makes them, too: the fourth in a row is one too many, whatever was answered in between', () => {
    const scores = new Scores();
    expect([0, 1, 2, 3].map(() => scores.charge(URL, 'missed', 0))).toEqual(['stay', 'stay', 'stay', 'leave']);
    // It may come back, with half the patience.
    expect([0, 1].map(() => scores.charge(URL, 'missed', 0))).toEqual(['stay', 'leave']);
  });

  test('what is nobody’s fault makes none', () => {
    const scores = new Scores();
    for (let i = 0; i < 1_000; i++) {
      expect(scores.charge(URL, 'none', i)).toBe('stay');
      expect(scores.charge(URL, 'unfit', i)).toBe('leave');
    }
    expect([scores.size, scores.points(URL, 1_000)]).toEqual([0, 0]);
  });

  test('whatever happens to an honest peer, partitions and restarts and quotas of its own, it is never banned', () => {
    const penalty = fc.constantFrom<Penalty>('none', 'missed', 'renew', 'unfit');
    fc.assert(
      fc.property(fc.array(fc.tuple(penalty, fc.nat(MINUTE)), { maxLength: 500 }), (charges) => {
        const scores = new Scores();
        let now = 0;
        for (const [each, pause] of charges) {
          now += pause;
          expect(scores.charge(URL, each, now)).not.toBe('ban');
        }
      }),
    );
  });

  test('of ever so many peers a bounded number is remembered, those that were charged last', () => {
    const scores = new Scores();
    for (let i = 0; i < 3 * MAX_SCORES; i++) {
      scores.charge(`http://192.0.2.1:${i + 1}`, 'missed', i);
      scores.charge(URL, 'missed', i);
    }
    expect(scores.size).toBe(MAX_SCORES);
    expect(scores.points(URL, 3 * MAX_SCORES)).toBeGreaterThan(0);
    expect(scores.points('http://192.0.2.1:1', 3 * MAX_SCORES)).toBe(0);
  });

  test('a clock that does not move, or is asked twice, changes nothing', () => {
    const scores = new Scores();
    scores.charge(URL, 'lie', 100);
    expect(scores.points(URL, 100)).toBe(20);
    expect(scores.points(URL, 50)).toBe(20);
  });
});
