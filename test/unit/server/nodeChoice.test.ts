import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Look, NodeChoice } from '../../../server/miner/nodeChoice.js';

const HERE = 'aa'.repeat(32);
const ELSEWHERE = 'bb'.repeat(32);
const at = (height: number, missing = 0, genesis = HERE): Look => ({ kind: 'answered', genesis, height, missing });
const away: Look = { kind: 'away', why: 'silence' };
const refused: Look = { kind: 'refused', why: 'a directory' };

/** A choice with one look at its nodes. */
function chosen(looks: readonly Look[], genesis?: string): { choice: NodeChoice; index: number | undefined } {
  const choice = new NodeChoice(looks.length, genesis);
  choice.looked(looks, 0);
  return { choice, index: choice.choose(0) };
}

describe('whom to mine at', () => {
  test.each<[string, readonly Look[], number | undefined]>([
    ['the first of those that answer', [at(5), at(5)], 0],
    ['not one that is away', [away, at(5)], 1],
    ['not one of another network than the first that answers', [away, at(5), at(9, 0, ELSEWHERE)], 1],
    ['not one that is behind another', [at(5), at(8)], 1],
    ['one whose blocks are just coming', [at(6), at(8)], 0],
    ['not one that knows of blocks it lacks', [at(5, 3), at(5)], 1],
    ['one that is behind, where all are', [away, at(5, 100)], 1],
    ['none that is far behind', [at(5, 144), away], undefined],
    ['none where none answers', [away, away], undefined],
    ['none where nothing can be mined at', [refused], undefined],
  ])('%s', (_what, looks, expected) => {
    expect(chosen(looks).index).toBe(expected);
  });

  test('a network that was named decides, not the first that answers', () => {
    expect(chosen([at(5), at(5, 0, ELSEWHERE)], ELSEWHERE).index).toBe(1);
  });
});

describe('giving up', () => {
  test.each<[string, readonly Look[], boolean]>([
    ['all of another network', [at(5), at(6)], true],
    ['all without what miners need', [refused, refused], true],
    ['one that may come', [refused, away], false],
    ['one that is far behind', [at(5, 1_000, ELSEWHERE)], false],
  ])('%s', (_what, looks, expected) => {
    expect(chosen(looks, ELSEWHERE).choice.isHopeless).toBe(expected);
  });

  test('never once a node was of use: what it has become will pass', () => {
    const { choice } = chosen([at(5)]);
    choice.looked([refused], 1_000);
    expect([choice.isHopeless, choice.choose(1_000)]).toEqual([false, undefined]);
    choice.looked([at(5)], 2_000);
    expect(choice.choose(2_000)).toBe(0);
  });
});

describe('changing over', () => {
  test('at once when the node fails; back when it has been of use for a while', () => {
    const { choice } = chosen([at(5), at(5)]);
    choice.failed(0, 'timeout', 100);
    expect(choice.choose(100)).toBe(1);
    choice.looked([at(5), at(5)], 1_000);
    expect(choice.choose(1_000)).toBe(1);
    choice.looked([at(5), at(5)], 10_900);
    expect(choice.choose(10_900)).toBe(1);
    expect(choice.choose(11_000)).toBe(0);
  });

  test('a node that looks well and always fails is tried ever more rarely, and forgiven once it has worked for a minute', () => {
    const { choice } = chosen([at(5), at(5)]);
    const tries: number[] = [];
    for (let now = 0; now < 3_600_000; now += 1_000) {
      choice.looked([at(5), at(5)], now);
      if (choice.choose(now) !== 0) continue;
      tries.push(now);
      choice.failed(0, 'busy', now);
      expect(choice.choose(now)).toBe(1);
    }
    const gaps = tries.slice(1).map((now, i) => now - (tries[i] ?? 0));
    expect(gaps.slice(0, 6)).toEqual([11_000, 21_000, 41_000, 81_000, 161_000, 321_000]);
    expect(Math.max(...gaps)).toBe(321_000);
    choice.looked([at(5), away], 4_000_000);
    expect(choice.choose(4_000_000)).toBe(0);
    choice.worked(0, 5, 4_000_000);
    choice.worked(0, 5, 4_060_000);
    choice.failed(0, 'busy', 4_060_001);
    choice.looked([away, at(5)], 4_060_500);
    expect(choice.choose(4_060_500)).toBe(1);
    choice.looked([at(5), at(5)], 4_061_000);
    expect(choice.choose(4_061_000)).toBe(1);
    expect(choice.choose(4_071_000)).toBe(0);
  });
});

const look: fc.Arbitrary<Look> = fc.oneof(
  fc.record({
    kind: fc.constant('answered' as const),
    genesis: fc.constantFrom(HERE, HERE, HERE, ELSEWHERE),
    height: fc.integer({ min: 0, max: 300 }),
    missing: fc.constantFrom(0, 0, 0, 2, 3, 200),
  }),
  fc.constant(away),
  fc.constant(refused),
);
const NODES = 3;
const event = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('looked' as const),
      looks: fc.array(look, { minLength: NODES, maxLength: NODES }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('failed' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('worked' as const) }) },
);
const story = fc.array(fc.tuple(event, fc.integer({ min: 0, max: 30_000 })), { minLength: 1, maxLength: 60 });

test('in any story: one of use is always chosen where there is one, none that is of none ever, and a node that works is left only for an earlier one', () => {
  fc.assert(
    fc.property(story, (steps) => {
      const choice = new NodeChoice(NODES, HERE);
      let now = 0;
      let current: number | undefined;
      for (const [step, ms] of steps) {
        now += ms;
        if (step.kind === 'looked') choice.looked(step.looks, now);
        else if (current !== undefined) {
          if (step.kind === 'failed') choice.failed(current, 'timeout', now);
          else choice.worked(current, 7, now);
        }
        const states = choice.outlooks().map(({ state }) => state);
        const next = choice.choose(now);
        const best = (['near', 'lagging'] as const).find((state) => states.includes(state));
        expect(next === undefined ? undefined : states[next]).toBe(best);
        if (current !== undefined && next !== undefined && next !== current && states[current] === 'near')
          expect(next).toBeLessThan(current);
        // The choice of a moment does not hang on how often it is asked for.
        expect(choice.choose(now)).toBe(next);
        current = next;
      }
    }),
  );
});

test('after any story, an hour in which all nodes are well leads back to the first', () => {
  fc.assert(
    fc.property(story, (steps) => {
      const choice = new NodeChoice(NODES, HERE);
      let now = 0;
      for (const [step, ms] of steps) {
        now += ms;
        const current = choice.choose(now);
        if (step.kind === 'looked') choice.looked(step.looks, now);
        else if (current !== undefined && step.kind === 'failed') choice.failed(current, 'timeout', now);
      }
      for (let passed = 0; passed <= 3_600_000; passed += 5_000) {
        choice.looked([at(9), at(9), at(9)], now + passed);
        choice.choose(now + passed);
      }
      expect(choice.choose(now + 3_600_000)).toBe(0);
    }),
  );
});
