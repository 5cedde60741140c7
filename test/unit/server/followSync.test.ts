import { describe, expect, test } from 'vitest';
import { syncLine } from '../../../server/cli/showSync.js';
import { followSync, SYNC_EVENT_MS } from '../../../server/events/followSync.js';
import { type ProgressEvents, SyncProgress } from '../../../server/sync/progress.js';
import type { Emitter } from '../../../shared/emitter.js';
import { toHeight } from '../../../shared/model/height.js';

/** Progress on a clock that is moved by hand. */
function scene() {
  let now = 0;
  const timers: { at: number; action: () => void }[] = [];
  const progress = new SyncProgress(() => now);
  const clock = {
    monotonic: () => now,
    after: (ms: number, action: () => void) => {
      const timer = { at: now + ms, action };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
  };
  const surroundings = { height: toHeight(10), bestHeader: toHeight(110), target: toHeight(110), peers: ['a', 'b'] };
  const view = () => progress.view(surroundings);
  const advance = (ms: number): void => {
    now += ms;
    for (const { action } of timers.filter(({ at }) => at <= now)) action();
  };
  const sync: { view: typeof view; progress: { events: Emitter<ProgressEvents> } } = { view, progress };
  return { progress, clock, view, advance, sync };
}

describe('the progress of synchronization', () => {
  test('is told at the ends of phases, and once a second in between', async () => {
    const { progress, clock, advance, sync } = scene();
    const ending = new AbortController();
    const heard: string[] = [];
    const done = (async () => {
      for await (const { phase, blocks } of followSync(sync, { clock, signal: ending.signal }))
        heard.push(`${phase} ${blocks}`);
    })();
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    await turn();
    progress.enter('blocks', null);
    await turn();
    for (let block = 0; block < 100; block++) {
      progress.gained(5);
      await turn();
    }
    expect(heard).toEqual(['idle 0', 'blocks 0']);
    advance(SYNC_EVENT_MS);
    await turn();
    expect(heard.at(-1)).toBe('blocks 100');
    progress.finish();
    await turn();
    expect(heard).toEqual(['idle 0', 'blocks 0', 'blocks 100', 'idle 100']);
    ending.abort();
    await done;
  });

  test('comes with rates over the last seconds, and with the time that is left', () => {
    const { progress, view, advance } = scene();
    progress.enter('blocks', null);
    for (let second = 0; second < 60; second++) {
      advance(1_000);
      for (let block = 0; block < (second < 40 ? 1 : 10); block++) progress.gained(50);
    }
    const { blocksPerSecond, transactionsPerSecond, remainingMs } = view();
    expect(blocksPerSecond).toBeGreaterThan(9);
    expect(blocksPerSecond).toBeLessThan(11);
    expect(transactionsPerSecond).toBeCloseTo(50 * blocksPerSecond, -1);
    expect(remainingMs).toBe(Math.round((100 * 1_000) / blocksPerSecond));
    expect(syncLine(view())).toMatch(
      /^synchronizing: block 10 of 110 \(9 %\), \d+ transactions a second, \d+ s left, 2 peers in use$/,
    );
    progress.finish();
    expect(view()).toMatchObject({ phase: 'idle', blocksPerSecond: 0, transactionsPerSecond: 0 });
  });
});
