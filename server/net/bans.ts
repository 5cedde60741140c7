import { MAX_BAN_MINUTES } from '../../shared/rpc/nodeSchemas.js';
import { Background } from '../background.js';
import type { Clock, Logger } from '../ports.js';
import type { Kv, Write } from '../store/kv.js';
import { layout } from '../store/layout.js';
import { put, remove, scan } from '../store/space.js';

/** Bans kept at once. */
export const MAX_BANS = 1_000;
/** The longest ban, and so the most that a wrong clock can make of one. */
export const MAX_BAN_MS = MAX_BAN_MINUTES * 60_000;
/** Shorter bans are not written down: a flood of callers that are put off for minutes must not keep the disk busy. */
const LEAST_STORED_MS = 1_800_000;
/** Why an operator's bans stand. */
export const BY_OPERATOR = 'operator';

/** Something that is kept out. */
export interface Ban {
  /** A peer's URL, or an address as `addressKey` writes it. */
  readonly target: string;
  /** When it ends, in milliseconds since 1970. */
  readonly until: number;
  /** `operator`, or the code of what was done. */
  readonly why: string;
}

interface Kept extends Ban {
  /** When it ends, by the clock that only goes forward. */
  readonly endsAt: number;
  readonly isStored: boolean;
}

/** What bans need. */
export interface BanParts {
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly log: Logger;
}

/**
 * Who is kept out, until when. While the process runs, bans end by a clock that cannot be set; over a restart they are
 * kept with their dates, and none lasts longer than it was to last from the start. Bound: `MAX_BANS`; the one that would
 * end first makes room, those of the operator last.
 */
export class Bans {
  readonly #parts: BanParts;
  readonly #bans = new Map<string, Kept>();
  readonly #background: Background;
  #kv: Kv | undefined;

  constructor(parts: BanParts) {
    this.#parts = parts;
    this.#background = new Background(parts.log);
  }

  /** Takes up the bans that a store holds, and keeps them there from now on. */
  async keepIn(kv: Kv): Promise<void> {
    const { clock } = this.#parts;
    this.#kv = kv;
    const over: string[] = [];
    for (const { key: target, value } of scan(kv, layout.ban, { limit: MAX_BANS })) {
      const left = Math.min(value.until - clock.now(), value.until - value.since, MAX_BAN_MS);
      if (left > 0) this.#bans.set(target, { target, why: value.why, isStored: true, ...this.#ending(left) });
      else over.push(target);
    }
    if (over.length > 0) await kv.commit(over.map((target) => remove(layout.ban, target)));
  }

  /** Settles once everything is written. */
  async close(): Promise<void> {
    await this.#background.settled();
  }

  /** Keeps somebody out for so long from now. A longer ban that stands is not cut short, but by the operator. */
  ban(target: string, ms: number, why: string): Ban {
    const standing = this.find(target);
    const { until, endsAt } = this.#ending(Math.min(ms, MAX_BAN_MS));
    if (standing !== undefined && why !== BY_OPERATOR && (standing.why === BY_OPERATOR || standing.until >= until))
      return standing;
    const isStored = why === BY_OPERATOR || ms >= LEAST_STORED_MS;
    const ban: Kept = { target, until, why, endsAt, isStored };
    this.#remove(target, isStored);
    this.#bans.set(target, ban);
    if (isStored) this.#write(put(layout.ban, target, { since: this.#parts.clock.now(), until, why }));
    this.#keepBound();
    this.#parts.log.info('banned', { target, why, until: new Date(until).toISOString() });
    return ban;
  }

  /** Lets somebody in again; answers whether it was kept out. */
  lift(target: string): boolean {
    const isBanned = this.find(target) !== undefined;
    this.#remove(target);
    return isBanned;
  }

  /** The ban on a URL or an address, if one stands. */
  find(target: string): Ban | undefined {
    const ban = this.#bans.get(target);
    if (ban === undefined || ban.endsAt > this.#parts.clock.monotonic()) return ban;
    this.#remove(target);
    return undefined;
  }

  /** Those that stand, the first to end first. */
  all(): Ban[] {
    return [...this.#bans.keys()].flatMap((target) => this.find(target) ?? []).sort((a, b) => a.until - b.until);
  }

  #ending(ms: number): { until: number; endsAt: number } {
    const { clock } = this.#parts;
    return { until: clock.now() + ms, endsAt: clock.monotonic() + ms };
  }

  /** Takes a ban out, and its row with it unless another is about to take its place. */
  #remove(target: string, isReplaced = false): void {
    const ban = this.#bans.get(target);
    this.#bans.delete(target);
    if (ban?.isStored && !isReplaced) this.#write(remove(layout.ban, target));
  }

  #keepBound(): void {
    while (this.#bans.size > MAX_BANS) {
      const [first] = [...this.#bans.values()].sort(
        (a, b) => Number(a.why === BY_OPERATOR) - Number(b.why === BY_OPERATOR) || a.endsAt - b.endsAt,
      );
      if (first === undefined) return;
      this.#remove(first.target);
    }
  }

  /** The store is a help: a ban holds as long as the process, whether it can be written or not. */
  #write(row: Write): void {
    if (this.#kv !== undefined) this.#background.run('saving the list of bans', this.#kv.commit([row]));
  }
}
