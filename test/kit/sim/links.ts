import { Routes } from '../routes.js';
import type { Dice } from './dice.js';

/** How messages travel between two machines. What is left out is as good as it gets. */
export interface LinkOptions {
  /** The least time that a message takes, in milliseconds; 5 unless given. */
  readonly latencyMs?: number | undefined;
  /** The most time on top of that, drawn for each message; 5 unless given. Above 0, messages overtake each other. */
  readonly jitterMs?: number | undefined;
  /** The share of messages that get lost, from 0 to 1. */
  readonly loss?: number | undefined;
  /** The share of requests that arrive twice. */
  readonly duplication?: number | undefined;
  /** The share of messages that take ten times as long as others, and so come after those sent later. */
  readonly reordering?: number | undefined;
  /** Bytes in a millisecond; without limit unless given. Messages wait for those before them. */
  readonly bandwidth?: number | undefined;
}

/** The same, complete. */
export type Link = { readonly [Key in keyof LinkOptions]-?: number };

/** What becomes of one message. */
export type Passage =
  | { readonly kind: 'arrives'; readonly afterMs: number; readonly again: number | undefined }
  /** Nothing comes: the sender waits until its patience ends. */
  | { readonly kind: 'lost' }
  /** The connection breaks, and the sender learns it. */
  | { readonly kind: 'broken'; readonly afterMs: number };

/** How messages travel at a moment, for a snapshot. */
export interface LinkConditions {
  readonly usual: Link;
  /** Of single links, by their direction. */
  readonly own: ReadonlyMap<string, Link>;
}

/** What has become of messages so far. */
export interface MessageCounts {
  lost: number;
  broken: number;
  /** Requests that came twice. */
  doubled: number;
  /** Never sent, for the way was cut or parted. */
  blocked: number;
}

const PLAIN: Link = {
  latencyMs: 5,
  jitterMs: 5,
  loss: 0,
  duplication: 0,
  reordering: 0,
  bandwidth: Number.POSITIVE_INFINITY,
};
/** How much longer a message takes that is reordered. */
const STRAGGLING = 10;

/** The links between all machines, by name, each direction by itself. */
export class Links {
  readonly counts: MessageCounts = { lost: 0, broken: 0, doubled: 0, blocked: 0 };
  readonly routes = new Routes<string>();
  readonly #dice: Dice;
  #own = new Map<string, Link>();
  readonly #busyUntil = new Map<string, number>();
  #usual: Link;

  constructor(dice: Dice, usual: LinkOptions) {
    this.#dice = dice;
    this.#usual = complete(usual);
  }

  /** How messages travel where nothing else is said. */
  setUsual(options: LinkOptions): void {
    this.#usual = complete(options);
  }

  /** Forgets what was said of single links. */
  clearOwn(): void {
    this.#own.clear();
  }

  /** How messages travel from one machine to another. */
  set(from: string, to: string, options: LinkOptions): void {
    this.#own.set(directed(from, to), complete(options));
  }

  get conditions(): LinkConditions {
    return { usual: this.#usual, own: new Map(this.#own) };
  }

  set conditions({ usual, own }) {
    this.#usual = usual;
    this.#own = new Map(own);
  }

  /** Forgets what was on its way, where the network goes back in time. */
  clear(): void {
    this.#busyUntil.clear();
  }

  /** Draws what becomes of a message that is sent now. */
  send({ from, to, bytes, now }: { from: string; to: string; bytes: number; now: number }): Passage {
    const name = directed(from, to);
    const link = this.#own.get(name) ?? this.#usual;
    if (this.routes.isCut(from, to)) {
      this.counts.blocked += 1;
      return { kind: 'lost' };
    }
    const afterMs = this.#queueing(name, { bytes, now, link }) + this.#latency(link);
    if (this.#dice.chance(link.loss)) return this.#lose(afterMs);
    const again = this.#dice.chance(link.duplication) ? afterMs + this.#latency(link) : undefined;
    return { kind: 'arrives', afterMs, again };
  }

  #lose(afterMs: number): Passage {
    const isBroken = this.#dice.chance(0.5);
    this.counts[isBroken ? 'broken' : 'lost'] += 1;
    return isBroken ? { kind: 'broken', afterMs } : { kind: 'lost' };
  }

  #latency({ latencyMs, jitterMs, reordering }: Link): number {
    const ms = latencyMs + this.#dice.fraction() * jitterMs;
    return this.#dice.chance(reordering) ? ms * STRAGGLING : ms;
  }

  #queueing(name: string, { bytes, now, link }: { bytes: number; now: number; link: Link }): number {
    if (link.bandwidth === Number.POSITIVE_INFINITY) return 0;
    const start = Math.max(now, this.#busyUntil.get(name) ?? 0);
    const end = start + bytes / link.bandwidth;
    this.#busyUntil.set(name, end);
    return end - now;
  }
}

/** What was given and what is left out. Throws where it makes no sense. */
function complete(options: LinkOptions): Link {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const link: Link = { ...PLAIN, ...Object.fromEntries(given) };
  const { latencyMs, jitterMs, loss, duplication, reordering, bandwidth } = link;
  for (const [name, share] of Object.entries({ loss, duplication, reordering }))
    if (!(share >= 0 && share <= 1))
      throw new RangeError(`${name} ${share}: a share of messages is a number from 0 to 1`);
  for (const [name, ms] of Object.entries({ latencyMs, jitterMs }))
    if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) throw new RangeError(`${name} ${ms}: a time is a number from 0`);
  if (!(bandwidth > 0)) throw new RangeError(`bandwidth ${bandwidth}: bytes in a millisecond are a number above 0`);
  return link;
}

function directed(from: string, to: string): string {
  return `${from}>${to}`;
}
