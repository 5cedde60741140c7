import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { SCRIPT } from '../support/cli.js';

/**
 * The program as it is, with a watch on its event loop: each SIGUSR2 writes what was seen since the last one into the
 * file that the first argument names. The delay is measured inside the process, for only there it can be: once by the
 * clock, and once without the time in which the process was ready and other processes had the processor.
 */
const RESOLUTION_MS = 10;
const [file = ''] = process.argv.splice(2, 1);
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();
const own = createHistogram();

let [lastAt, lastWaited] = [performance.now(), waitedMs()];
setInterval(() => {
  const [at, waited] = [performance.now(), waitedMs()];
  const delay = at - lastAt - RESOLUTION_MS - (waited - lastWaited);
  own.record(Math.max(1, Math.round(delay * 1_000)));
  [lastAt, lastWaited] = [at, waited];
}, RESOLUTION_MS).unref();

process.on('SIGUSR2', () => {
  // The histogram holds nanoseconds, and the timer's own interval with them.
  const byClock = Math.max(0, delays.percentile(99) / 1e6 - RESOLUTION_MS);
  const figures = {
    p99Ms: tenths(byClock),
    ownP99Ms: tenths(own.percentile(99) / 1e3),
    ownMaxMs: tenths(own.max / 1e3),
  };
  writeFileSync(`${file}.new`, JSON.stringify(figures));
  renameSync(`${file}.new`, file);
  delays.reset();
  own.reset();
});

/** How long the main thread has waited for a processor so far; 0 where the system does not tell (other than Linux). */
function waitedMs(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1] ?? 0) / 1e6;
  } catch {
    return 0;
  }
}

function tenths(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}

await import(pathToFileURL(SCRIPT).href);
