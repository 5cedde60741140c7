import type { Penalty } from './score.js';

/** Points lose half their weight in this time. The figures of this file are Lodestar's (`peers/score/constants.ts`). */
const HALF_LIFE_MS = 600_000;
/** With so many points a peer is left. */
const LEAVE_AT = 20;
/** With so many points for lies it is banned. */
const BAN_AT = 50;
/** For how long a peer is banned that has lied. */
export const LIE_BAN_MS = 1_800_000;
/** What an answer costs that breaks the contract: the peer is left at once, and banned at the third within some minutes. */
const LIE = 20;
/** What a call costs that brought nothing: the fourth in quick succession, whatever was answered in between, is one too many. */
const MISS = 5;
/** Below this, points are as good as none. */
const FORGOTTEN = 0.5;
/** Peers whose score is kept. */
export const MAX_SCORES = 1_000;

/** What has to happen to a peer. */
export type Sentence = 'stay' | 'leave' | 'ban';

interface Score {
  lies: number;
  misses: number;
  /** When the points were what they are. */
  at: number;
}

/**
 * Points against peers, by URL: they outlive the session, and fade. Pure: every call is given the time, of a clock that
 * only goes forward. Silence and lies are counted apart, for silence never leads to a ban. Bound: `MAX_SCORES`; the peer
 * that has been charged least recently makes room.
 */
export class Scores {
  readonly #scores = new Map<string, Score>();

  get size(): number {
    return this.#scores.size;
  }

  /** Adds what a penalty weighs, and says what follows. */
  charge(url: string, penalty: Penalty, now: number): Sentence {
    if (penalty === 'none' || penalty === 'renew') return 'stay';
    if (penalty === 'unfit') return 'leave';
    const score = this.#at(url, now);
    if (penalty === 'missed') score.misses += MISS;
    else score.lies += penalty === 'fatal' ? BAN_AT : LIE;
    // Put last: the order of the map is the order in which peers were charged.
    this.#scores.delete(url);
    this.#scores.set(url, score);
    this.#keepBound();
    if (score.lies >= BAN_AT) {
      // The ban is what the points were for.
      this.#scores.delete(url);
      return 'ban';
    }
    if (score.lies < LEAVE_AT && score.misses < LEAVE_AT) return 'stay';
    // Whoever is left for its silence has half its patience back when it returns: a peer behind a bad line may.
    if (score.misses >= LEAVE_AT) score.misses = LEAVE_AT / 2;
    return 'leave';
  }

  /** The points against a peer by now. */
  points(url: string, now: number): number {
    const { lies, misses } = this.#at(url, now);
    return lies + misses;
  }

  /** Forgets what was held against a peer. */
  forgive(url: string): void {
    this.#scores.delete(url);
  }

  #at(url: string, now: number): Score {
    const score = this.#scores.get(url);
    if (score === undefined) return { lies: 0, misses: 0, at: now };
    const left = 2 ** -(Math.max(0, now - score.at) / HALF_LIFE_MS);
    return { lies: faded(score.lies * left), misses: faded(score.misses * left), at: now };
  }

  #keepBound(): void {
    for (const url of this.#scores.keys()) {
      if (this.#scores.size <= MAX_SCORES) return;
      this.#scores.delete(url);
    }
  }
}

function faded(points: number): number {
  return points < FORGOTTEN ? 0 : points;
}
