import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Vitals } from '../ports.js';

const RESOLUTION_MS = 10;

/** Watches this process; until it is closed, a timer of the event loop's own runs. */
export function processVitals(): Vitals {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  return {
    // The histogram holds nanoseconds, and the timer's own interval with them.
    loopDelayP99Ms: () => Math.max(0, delays.percentile(99) / 1e6 - RESOLUTION_MS),
    reset: () => delays.reset(),
    get rssBytes() {
      return process.memoryUsage.rss();
    },
    get peakRssBytes() {
      return process.resourceUsage().maxRSS * 1024;
    },
    close: () => delays.disable(),
  };
}
