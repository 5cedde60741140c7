import { waitFor } from '../../client/cli/devnet/wait.js';

/** Looks until there is something to see; fails with what was waited for. For what goes on in the background. */
export function eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  return waitFor(look, { what, timeoutMs: 15_000, signal: new AbortController().signal });
}
