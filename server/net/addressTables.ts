import type { NetGroup } from './netGroup.js';
import type { PeerUrl } from './peerUrl.js';
import { saltedHash } from './saltedHash.js';

/** Addresses in a bucket. */
export const BUCKET_SIZE = 8;
/** Rows and columns of the new table: an address's group decides the column, the group of who named it the row. */
const NEW_SIDE = 16;
export const NEW_BUCKETS = NEW_SIDE * NEW_SIDE;
export const TRIED_BUCKETS = 128;
/** Buckets of the tried table that one group can reach: 32 addresses of 1,024. */
export const TRIED_BUCKETS_OF_GROUP = 4;
/**
 * Addresses in both tables. Bitcoin Core keeps 80,000 for a network of 10,000 nodes; this is enough to find one honest
 * node among them, is read within a moment at the start, and takes about a megabyte.
 */
export const MAX_BOOK = BUCKET_SIZE * (NEW_BUCKETS + TRIED_BUCKETS);
/** The most of them that one group can fill, and the most of the new ones that one group can name. */
export const MAX_NEW_OF_GROUP = NEW_SIDE * BUCKET_SIZE;
export const MAX_TRIED_OF_GROUP = TRIED_BUCKETS_OF_GROUP * BUCKET_SIZE;

/** After so many failures in a row an address that once answered is forgotten; one that never did, after the fewer. */
const MAX_FAILURES = 12;
const MAX_FAILURES_NEW = 4;
/** Failures after which an address that once answered makes room for another among the new. */
const POOR_FAILURES = 4;
/** Without an answer for so long, it does so too. */
const STALE_MS = 30 * 24 * 3_600_000;
/** Who has answered within this time keeps its place among the tried without being asked again, as in Bitcoin Core. */
const SURE_MS = 4 * 3_600_000;
/** Contests at once. Where there are more, the newcomer has to win its place another time. */
const MAX_CONTESTS = 16;

/** What is known of an address. Times in milliseconds since 1970. */
export interface Known {
  readonly url: PeerUrl;
  readonly group: NetGroup;
  /** The group of whoever named it. */
  readonly source: NetGroup;
  /** Whether it stands in the tried table. */
  readonly tried: boolean;
  readonly firstSeen: number;
  /** When it last answered; `null`: never yet. */
  readonly lastSeen: number | null;
  readonly lastTried: number | null;
  /** Attempts that failed since it last answered. */
  readonly failures: number;
}

/** How an address comes into the book. */
export interface Naming {
  readonly group: NetGroup;
  readonly source: NetGroup;
  readonly now: number;
}

/** What has become of an address: what is known of it now, or that it is forgotten. */
export type Change =
  | { readonly kind: 'put'; readonly known: Known }
  | { readonly kind: 'forget'; readonly url: PeerUrl };

/** A place among the tried that two addresses want. */
export interface Contest {
  readonly incumbent: PeerUrl;
  readonly challenger: PeerUrl;
}

/** How an address has answered: when we called it of our own accord, or when it had called us first. */
export type Answered = 'ours' | 'theirs';

/**
 * The addresses of a book in two tables of buckets, after Bitcoin Core's address manager and Heilman et al. 2015. `new`
 * holds what others told; an address's bucket follows from its group and the group of who named it, so that either
 * reaches a sixteenth of the table, and both together one bucket. `tried` holds what has answered when we called it
 * of our own accord; a group reaches four of its buckets. A secret salt decides which: nobody can aim at a bucket.
 *
 * Nothing that answers is pushed out. A full bucket of `new` takes an address in the place of one that never answered
 * when it was called, or not for long. Where a bucket of `tried` is full, the incumbent of a place that follows from the
 * challenger's address has to be tested first, and leaves only if it does not answer.
 *
 * Addresses that the operator named stand beside the tables and are never forgotten.
 */
export class AddressTables {
  readonly #salt: Uint8Array;
  readonly #known = new Map<PeerUrl, Known>();
  readonly #kept = new Set<PeerUrl>();
  readonly #new: PeerUrl[][] = Array.from({ length: NEW_BUCKETS }, () => []);
  readonly #tried: PeerUrl[][] = Array.from({ length: TRIED_BUCKETS }, () => []);
  /** Challengers by the incumbents that are to be tested. */
  readonly #contests = new Map<PeerUrl, PeerUrl>();

  constructor(salt: Uint8Array) {
    this.#salt = salt;
  }

  get(url: PeerUrl): Known | undefined {
    return this.#known.get(url);
  }

  all(): Known[] {
    return [...this.#known.values()];
  }

  isKept(url: PeerUrl): boolean {
    return this.#kept.has(url);
  }

  /** What the operator named. */
  kept(): Known[] {
    return [...this.#kept].flatMap((url) => this.#known.get(url) ?? []);
  }

  /** The buckets of a table that are not empty. */
  buckets(table: 'new' | 'tried'): Known[][] {
    const filled = (table === 'new' ? this.#new : this.#tried).filter(({ length }) => length > 0);
    return filled.map((bucket) => bucket.flatMap((url) => this.#known.get(url) ?? []));
  }

  /** Places that are contested, for whoever tests the incumbents. */
  contests(): Contest[] {
    return Array.from(this.#contests, ([incumbent, challenger]) => ({ incumbent, challenger }));
  }

  /** Puts back what was kept on disk; answers `false` where there is no place for it. */
  restore(known: Known): boolean {
    return (known.tried && this.#placeTried(known)) || this.#placeNew({ ...known, tried: false }).isPlaced;
  }

  /** Notes an address that somebody named. */
  learn(url: PeerUrl, naming: Naming): Change[] {
    if (this.#known.has(url)) return [];
    const known = newcomer(url, naming);
    const { isPlaced, changes } = this.#placeNew(known, naming.now);
    return isPlaced ? [...changes, { kind: 'put', known }] : [];
  }

  /** Notes an address that the operator named. */
  keep(url: PeerUrl, naming: Naming): Change[] {
    this.#kept.add(url);
    const known = this.#known.get(url) ?? newcomer(url, naming);
    this.#takeOut(known);
    return this.#put({ ...known, tried: false });
  }

  /** Notes that an address has answered. Whoever called first has chosen the moment, and is not taken for tried. */
  succeeded(url: PeerUrl, { group, now, answered }: { group: NetGroup; now: number; answered: Answered }): Change[] {
    const before = this.#known.get(url) ?? newcomer(url, { group, source: group, now });
    const known = { ...before, lastSeen: now, lastTried: now, failures: 0 };
    this.#contests.delete(url);
    if (this.#kept.has(url) || known.tried) return this.#put(known);
    if (answered === 'ours') {
      const tried = this.#promote(known);
      if (tried !== undefined) return this.#put(tried);
      this.#challenge(known, now);
    }
    if (this.#known.has(url)) return this.#put(known);
    const { isPlaced, changes } = this.#placeNew(known, now);
    if (isPlaced) return [...changes, { kind: 'put', known }];
    this.#withdraw(url);
    return [];
  }

  /**
   * Notes that an address did not answer. Too many failures in a row are its end, unless we reach nobody at all: then
   * the fault is more likely ours, and a night without a network must not empty the book.
   */
  failed(url: PeerUrl, { now, isAlone }: { now: number; isAlone: boolean }): Change[] {
    const before = this.#known.get(url);
    if (before === undefined) return [];
    const limit = before.lastSeen === null ? MAX_FAILURES_NEW : MAX_FAILURES;
    const failures = isAlone && !this.#kept.has(url) ? Math.min(before.failures + 1, limit - 1) : before.failures + 1;
    const known = { ...before, lastTried: now, failures };
    const challenger = this.#contests.get(url);
    if (challenger !== undefined && !isAlone) return this.#depose(known, { challenger, now });
    return !this.#kept.has(url) && failures >= limit ? this.#drop(known) : this.#put(known);
  }

  /** Forgets an address that is none of this network's nodes. One that the operator named counts as not reached. */
  forget(url: PeerUrl, now: number): Change[] {
    const known = this.#known.get(url);
    if (known === undefined) return [];
    return this.#kept.has(url) ? this.failed(url, { now, isAlone: false }) : this.#drop(known);
  }

  /** Forgets an address whoever named it. */
  dismiss(url: PeerUrl): Change[] {
    this.#kept.delete(url);
    const known = this.#known.get(url);
    return known === undefined ? [] : this.#drop(known);
  }

  #drop(known: Known): Change[] {
    this.#takeOut(known);
    this.#known.delete(known.url);
    return [{ kind: 'forget', url: known.url }];
  }

  /** The incumbent was tested and is gone from its place, which goes to the challenger; it may stay among the new. */
  #depose(incumbent: Known, { challenger, now }: { challenger: PeerUrl; now: number }): Change[] {
    this.#takeOut(incumbent);
    const winner = this.#known.get(challenger);
    const tried = winner === undefined || winner.tried ? undefined : this.#promote(winner);
    const changes = tried === undefined ? [] : this.#put(tried);
    const demoted = { ...incumbent, tried: false };
    const place = this.#placeNew(demoted, now);
    if (place.isPlaced) return [...changes, ...place.changes, { kind: 'put', known: demoted }];
    this.#known.delete(incumbent.url);
    return [...changes, { kind: 'forget', url: incumbent.url }];
  }

  /** Moves an address from `new` to `tried`, where there is room; answers what it is then. */
  #promote(known: Known): Known | undefined {
    const tried = { ...known, tried: true };
    if (this.#triedBucket(known).length >= BUCKET_SIZE) return undefined;
    this.#takeOut(known);
    this.#placeTried(tried);
    return tried;
  }

  /** Has the incumbent tested in whose place an address would stand, unless it answered not long ago. */
  #challenge(known: Known, now: number): void {
    const { url } = known;
    const bucket = this.#triedBucket(known);
    const incumbent = this.#known.get(bucket[saltedHash(this.#salt, ['place', url], bucket.length)] ?? url);
    const isSure = incumbent?.lastSeen != null && Math.abs(now - incumbent.lastSeen) < SURE_MS;
    if (incumbent === undefined || (isSure && incumbent.failures === 0)) return;
    if (this.#contests.size < MAX_CONTESTS && !this.#contests.has(incumbent.url))
      this.#contests.set(incumbent.url, url);
  }

  #placeTried(known: Known): boolean {
    const bucket = this.#triedBucket(known);
    if (bucket.length >= BUCKET_SIZE) return false;
    bucket.push(known.url);
    this.#known.set(known.url, known);
    return true;
  }

  #placeNew(known: Known, now?: number): { isPlaced: boolean; changes: Change[] } {
    const bucket = this.#newBucket(known);
    let changes: Change[] = [];
    if (bucket.length >= BUCKET_SIZE) {
      const poorest = now === undefined ? undefined : this.#poorest(bucket, now);
      if (poorest === undefined) return { isPlaced: false, changes };
      changes = this.#drop(poorest);
    }
    bucket.push(known.url);
    this.#known.set(known.url, known);
    return { isPlaced: true, changes };
  }

  /** Of those in a bucket that may have to make room, the one that failed most. */
  #poorest(bucket: readonly PeerUrl[], now: number): Known | undefined {
    return bucket
      .flatMap((url) => this.#known.get(url) ?? [])
      .filter((known) => isPoor(known, now))
      .sort((a, b) => b.failures - a.failures)[0];
  }

  /** Takes an address out of its bucket and of its contests. */
  #takeOut(known: Known): void {
    this.#withdraw(known.url);
    for (const bucket of [this.#triedBucket(known), this.#newBucket(known)]) {
      const at = bucket.indexOf(known.url);
      if (at >= 0) bucket.splice(at, 1);
    }
  }

  #withdraw(url: PeerUrl): void {
    for (const [incumbent, challenger] of this.#contests)
      if (incumbent === url || challenger === url) this.#contests.delete(incumbent);
  }

  #put(known: Known): Change[] {
    this.#known.set(known.url, known);
    return [{ kind: 'put', known }];
  }

  #newBucket({ group, source }: Known): PeerUrl[] {
    const row = saltedHash(this.#salt, ['row', source], NEW_SIDE);
    const column = saltedHash(this.#salt, ['column', group], NEW_SIDE);
    return this.#new[row * NEW_SIDE + column] ?? [];
  }

  #triedBucket({ url, group }: Known): PeerUrl[] {
    const share = saltedHash(this.#salt, ['share', url], TRIED_BUCKETS_OF_GROUP);
    return this.#tried[saltedHash(this.#salt, ['tried', group, String(share)], TRIED_BUCKETS)] ?? [];
  }
}

function newcomer(url: PeerUrl, { group, source, now }: Naming): Known {
  return { url, group, source, tried: false, firstSeen: now, lastSeen: null, lastTried: null, failures: 0 };
}

/** Whether an address may be given up for another of which nothing is known. */
function isPoor({ lastSeen, firstSeen, failures }: Known, now: number): boolean {
  return failures >= (lastSeen === null ? 1 : POOR_FAILURES) || now - (lastSeen ?? firstSeen) > STALE_MS;
}
