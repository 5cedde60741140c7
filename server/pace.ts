import type { NetworkParams } from '../shared/consensus/params.js';

/** How often a node looks after its peers, and whether it has to catch up. */
export interface Pace {
  readonly upkeepMs: number;
  readonly syncMs: number;
}

const SLOWEST_MS = 30_000;
const FASTEST_MS = 2_000;

/** A few times for each block, but no more often than every two seconds and no less than every thirty. */
export function paceOf({ blockInterval }: NetworkParams): Pace {
  const every = Math.min(Math.max(blockInterval / 5, FASTEST_MS), SLOWEST_MS);
  return { upkeepMs: every, syncMs: every };
}
