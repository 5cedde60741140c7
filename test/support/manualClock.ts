import type { Clock } from '../../server/ports.js';

/** A clock that stands still until it is told how much time goes by. */
export interface ManualClock extends Clock {
  /** Lets time go by in steps of a moment, and whatever follows from each timer happen before the next. */
  advance(ms: number): Promise<void>;
}

/** Turns of the event loop in which calls that nothing holds up are answered and asked again. */
const TURNS = 5;

/** A clock for tests that own the time. */
export function manualClock(): ManualClock {
  const timers = new Set<{ readonly at: number; readonly action: () => void }>();
  let time = 0;
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    now: () => time,
    monotonic: () => time,
    yield: settle,
    after(ms, action) {
      const timer = { at: time + ms, action };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const until = time + ms;
      await settle();
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        timers.delete(next);
        time = Math.max(time, next.at);
        next.action();
        await settle();
      }
      time = until;
      await settle();
    },
  };
}
