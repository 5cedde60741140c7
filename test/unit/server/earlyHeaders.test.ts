import { expect, test } from 'vitest';
import { EarlyHeaders, MAX_EARLY } from '../../../server/relay/earlyHeaders.js';
import { present } from '../../kit/assertOk.js';
import { TestChain } from '../../kit/testChain.js';

/** A clock whose timers fire when they are told to. */
function handClock() {
  const timers = new Map<() => void, number>();
  return {
    waits: () => [...timers.values()],
    fire: () => {
      for (const action of [...timers.keys()]) {
        timers.delete(action);
        action();
      }
    },
    after: (ms: number, action: () => void) => {
      timers.set(action, ms);
      return () => timers.delete(action);
    },
  };
}

test('a header from ahead of the clock is tried again once, when its time has come', () => {
  const clock = handClock();
  const tried: string[] = [];
  const early = new EarlyHeaders<string>(clock, ({ hash }, source) => tried.push(`${hash} of ${source}`));
  const { header } = new TestChain().genesis;
  early.keep(header, 'a', 700);
  early.keep(header, 'b', 700);
  expect([clock.waits(), tried]).toEqual([[700], []]);
  clock.fire();
  expect(tried).toEqual([`${header.hash} of a`]);
  early.keep(header, 'c', 5);
  early.close();
  expect(clock.waits()).toEqual([]);
});

test('only so many are kept, and none that is hours ahead', () => {
  const clock = handClock();
  const early = new EarlyHeaders<string>(clock, () => {});
  const source = new TestChain();
  const blocks = source.grow(source.genesis, MAX_EARLY + 3);
  early.keep(present(blocks[0]).header, 'a', 3_600_001);
  expect(clock.waits()).toEqual([]);
  for (const { header } of blocks) early.keep(header, 'a', 1);
  expect(clock.waits()).toHaveLength(MAX_EARLY);
});
