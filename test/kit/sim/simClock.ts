import type { Clock } from '../../../server/ports.js';
import type { Lifeline } from './lifeline.js';
import type { Scheduler } from './scheduler.js';

/** When a simulated network starts, in milliseconds since 1970: 1 January 2027. */
export const EPOCH_MS = 1_798_761_600_000;

/** How far a machine's clock is off. */
export interface ClockError {
  /** Milliseconds that it is ahead; behind where negative. */
  aheadMs: number;
}

/** What a machine's clock shows, in whole milliseconds since 1970; one that is right unless an error is given. */
export function clockTime({ now }: Pick<Scheduler, 'now'>, error?: ClockError): number {
  return Math.floor(EPOCH_MS + now + (error?.aheadMs ?? 0));
}

/**
 * A process's view of virtual time. The wall clock may be wrong and may jump; what durations are measured by and timers
 * run on goes on evenly, as it does on a real machine.
 */
export function simClock(scheduler: Scheduler, lifeline: Lifeline, error: ClockError): Clock {
  return {
    now: () => clockTime(scheduler, error),
    monotonic: () => scheduler.now,
    after: (ms, action) => lifeline.after(ms, action),
    yield: () => new Promise((resolve) => void lifeline.after(0, resolve)),
  };
}
