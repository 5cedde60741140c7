import { sleep } from '../../time.js';

/** The time between two looks. */
const POLL_MS = 100;

/** What to wait for, and how long. */
export interface WaitOptions {
  readonly what: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Looks until there is something to see; throws with what was waited for when time is up. A look that fails is a miss. */
export async function waitFor<T>(look: () => Promise<T | undefined | false>, options: WaitOptions): Promise<T> {
  const { what, timeoutMs, signal } = options;
  const deadline = performance.now() + timeoutMs;
  let failure = '';
  while (performance.now() < deadline) {
    signal.throwIfAborted();
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
    } catch (error) {
      failure = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    await sleep(POLL_MS, signal);
  }
  throw new Error(`${what}: not within ${timeoutMs} ms${failure}`);
}
