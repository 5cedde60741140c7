/** Runs an action later; answers how to cancel it. */
export type After = (ms: number, action: () => void) => () => void;

/** The longest a timer can run: 24 days. */
const LONGEST_MS = 2 ** 31 - 1;

/** The machine's own timers. */
export const runLater: After = (ms, action) => {
  // A longer timer would fire at once.
  if (ms > LONGEST_MS) return () => {};
  const timer = setTimeout(action, ms);
  return () => clearTimeout(timer);
};

/** Waits, or ends early on abort. */
export function sleep(ms: number, signal?: AbortSignal, after: After = runLater): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = after(ms, finish);
    if (signal?.aborted) finish();
    else signal?.addEventListener('abort', finish);
  });
}
