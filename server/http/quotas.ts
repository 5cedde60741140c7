/** How much a caller may ask for. */
export interface Allowance {
  /** Milliseconds of the main thread in a second, for as long as it likes. */
  readonly rate: number;
  /** Milliseconds at once, after a pause. */
  readonly burst: number;
}

/** Callers of one kind. */
export interface Kind {
  readonly name: string;
  /** What each may ask for, and what all of them together may. */
  readonly each: Allowance;
  readonly together: Allowance;
}

/** Whether a call is answered. `strikes` is how many of its caller's calls were refused lately; one is forgiven in a second. */
export type Admitted =
  | { readonly ok: true }
  | { readonly ok: false; readonly retryMs: number; readonly strikes: number };

/** Callers whose use is remembered. */
export const MAX_CALLERS = 4_096;
/**
 * Where all together ask for too much, each is still answered this share of its allowance: enough for who asks for little,
 * and for who asks for more until those who ask for far too much are banned. Whoever was there before the crowd has the
 * whole of it, whoever comes with it next to nothing: the first calls of fifty at once must not hold up everybody.
 */
const LIGHT_BURST_SHARE = 0.1;
const LIGHT_RATE_SHARE = 0.1;
const NEWCOMERS_SHARE = 0.005;
/** Whoever asks for more than its rate, by so much of its burst, is struck for each refusal. */
const PATIENCE_SHARE = 0.25;
const STRIKES_FORGIVEN_PER_SECOND = 1;
/** What a fine counts among strikes. */
const STRIKES_OF_FINE = 2;
/** A refusal names no longer wait than this. */
const MOST_RETRY_MS = 60_000;

interface Use {
  /** Milliseconds that have been used and not yet earned back. */
  debt: number;
  /** The same of what was used while all together asked for too much, and earned back more slowly. */
  light: number;
  /** The same of all it asked for, answered or not. */
  asked: number;
  strikes: number;
  at: number;
}

/**
 * Token buckets over callers and over each kind of them (GCRA, as ATM networks have it): costs add to a debt, which time
 * pays off. Pure: every call is given the time, of a clock that only goes forward. Where all callers of a kind together
 * ask for more than there is, those that ask for little are answered and the others wait: a flood takes nothing from who
 * is no part of it. Bound: `MAX_CALLERS`; the one that has not called for the longest time is forgotten.
 */
export class Quotas {
  readonly #uses = new Map<string, Use>();
  readonly #together = new Map<string, Use>();

  get size(): number {
    return this.#uses.size;
  }

  /** Takes what a call costs, or says how long to wait. */
  take(caller: string, kind: Kind, { cost, now }: { readonly cost: number; readonly now: number }): Admitted {
    const own = this.#use(caller, kind.each, now);
    const together = paidOff(this.#together.get(kind.name), kind.together, now);
    this.#together.set(kind.name, together);
    const { rate, burst } = kind.each;
    own.asked = Math.min(own.asked + cost, 2 * burst);
    const over = own.debt + cost - burst;
    // One call that costs more than all may have at once would else never be answered.
    const isCrowded = together.debt + Math.min(cost, kind.together.burst / 2) > kind.together.burst;
    const lightOver = isCrowded ? own.light + cost - burst * LIGHT_BURST_SHARE : 0;
    if (over <= 0 && lightOver <= 0) {
      own.debt += cost;
      if (isCrowded) own.light += cost;
      together.debt = isCrowded ? Math.max(together.debt, kind.together.burst) : together.debt + cost;
      return { ok: true };
    }
    // Whom others crowd out, and who asks for no more than its rate, has done nothing wrong.
    if (over > 0 || own.asked > burst * PATIENCE_SHARE) own.strikes += 1;
    const seconds = Math.max(over / rate, lightOver / (rate * LIGHT_RATE_SHARE));
    return { ok: false, retryMs: Math.min(Math.ceil(seconds * 1_000), MOST_RETRY_MS), strikes: own.strikes };
  }

  /** Adds a fine for what a call turned out to be. It may put the caller further back than a call ever does. */
  fine(caller: string, kind: Kind, { cost, now }: { readonly cost: number; readonly now: number }): void {
    const own = this.#use(caller, kind.each, now);
    own.debt = Math.min(own.debt + cost, 2 * kind.each.burst);
    own.light = Math.min(own.light + cost, kind.each.burst);
    own.asked = Math.min(own.asked + cost, 2 * kind.each.burst);
    own.strikes += STRIKES_OF_FINE;
  }

  /** Forgets a caller: what it has used up and what was held against it. */
  forget(caller: string): void {
    this.#uses.delete(caller);
  }

  #use(caller: string, allowance: Allowance, now: number): Use {
    const use = paidOff(this.#uses.get(caller), allowance, now);
    // Put last: the order of the map is the order of the last calls.
    this.#uses.delete(caller);
    this.#uses.set(caller, use);
    if (this.#uses.size > MAX_CALLERS)
      for (const oldest of this.#uses.keys()) {
        this.#uses.delete(oldest);
        break;
      }
    return use;
  }
}

function paidOff(use: Use | undefined, { rate, burst }: Allowance, now: number): Use {
  if (use === undefined)
    return { debt: 0, light: burst * (LIGHT_BURST_SHARE - NEWCOMERS_SHARE), asked: 0, strikes: 0, at: now };
  const seconds = Math.max(0, now - use.at) / 1_000;
  use.debt = Math.max(0, use.debt - rate * seconds);
  use.asked = Math.max(0, use.asked - rate * seconds);
  use.light = Math.max(0, use.light - rate * LIGHT_RATE_SHARE * seconds);
  use.strikes = Math.max(0, use.strikes - STRIKES_FORGIVEN_PER_SECOND * seconds);
  use.at = now;
  return use;
}
