import type { NetworkParams } from '../shared/consensus/params.js';

/** How often a node looks after its peers, and whether it has to catch up. */
export interface Pace {
  readonly upkeepMs: number;
  readonly syncMs: number;
  /** Between two looks whether a known address is alive: two minutes at most, as in Bitcoin Core. */
  readonly feelerMs: number;
  /** After so long without a block it is time to doubt one's peers. */
  readonly staleMs: number;
  /** What a further peer is given to show that there is a better chain. */
  readonly trialMs: number;
}

const SLOWEST_MS = 30_000;
const FASTEST_MS = 2_000;
const FEELER_ROUNDS = 4;
/** Ten intervals without a block happen once in 22,000 blocks (e^-10); where intervals are short, rounds count. */
const STALE_BLOCKS = 10;
const STALE_ROUNDS = 20;
const TRIAL_ROUNDS = 5;

/** A few times for each block, but no more often than every two seconds and no less than every thirty. */
export function paceOf({ blockInterval }: NetworkParams): Pace {
  const every = Math.min(Math.max(blockInterval / 5, FASTEST_MS), SLOWEST_MS);
  return {
    upkeepMs: every,
    syncMs: every,
    feelerMs: FEELER_ROUNDS * every,
    staleMs: Math.max(STALE_BLOCKS * blockInterval, STALE_ROUNDS * every),
    trialMs: TRIAL_ROUNDS * every,
  };
}
