import type { Clock } from '../../server/ports.js';

/** A clock that stands still until it is moved on by hand, and whose timers then fire. */
export interface HandClock extends Clock {
  /** Moves on, and fires what comes due on the way, in its order. */
  advance(ms: number): void;
  /** Timers that have not fired. */
  readonly pending: number;
}

export function handClock(start = 1_800_000_000_000): HandClock {
  let now = start;
  const timers = new Set<{ readonly at: number; readonly action: () => void }>();
  return {
    now: () => now,
    monotonic: () => now,
    after(ms, action) {
      const timer = { at: now + ms, action };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    yield: () => Promise.resolve(),
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.action();
      }
      now = end;
    },
    get pending() {
      return timers.size;
    },
  };
}
