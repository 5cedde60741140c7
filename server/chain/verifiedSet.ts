import type { Wtxid } from '../../shared/model/ids.js';
import { RecentSet } from '../../shared/recentSet.js';

/** How many signed transactions are remembered: a few blocks' worth beyond what waits. */
const REMEMBERED = 100_000;

/**
 * Signed transactions whose signatures all passed. A wtxid fixes the signatures and, through the outpoints, the owners
 * and values of what is spent, so the verdict never changes. It skips signature checks and no other rule; a failure is
 * never remembered, and never by txid: somebody else's junk signatures must not censor the real ones.
 */
export class VerifiedSet {
  readonly #seen = new RecentSet<Wtxid>(REMEMBERED);

  has(wtxid: Wtxid): boolean {
    return this.#seen.has(wtxid);
  }

  add(wtxid: Wtxid): void {
    this.#seen.add(wtxid);
  }
}
