import type { Clock, Random } from '../ports.js';
import type { Kv, Write } from '../store/kv.js';
import { layout, type PeerRecord, SALT_BYTES } from '../store/layout.js';
import { put, read, remove, scan } from '../store/space.js';
import { AddressTables, type Answered, type Change, type Contest, type Known, MAX_BOOK } from './addressTables.js';
import { groupOf, isPublicGroup, type NetGroup } from './netGroup.js';
import { type PeerUrl, parsePeerUrl } from './peerUrl.js';
import { planDials } from './planDials.js';

/** The wait after a first failure; it doubles with each further one. */
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 3_600_000;
const LONGEST_RETRY_KEPT_MS = 30_000;
/** Peers remembered to be dialled first at the next start. */
export const MAX_ANCHORS = 2;
/** What the operator's configuration is as a source. */
const OPERATOR = 'operator';

/** What the book needs from outside. */
export interface BookParts {
  readonly kv: Kv;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
  /** Whether private addresses may be called, and so are worth a place; so unless it is `false`. */
  readonly allowPrivate?: boolean;
}

/** Which of the addresses that are due to choose. */
export interface Choice {
  /** Groups of the nodes sought already: others come first. */
  readonly groups?: readonly NetGroup[];
  /** Whether to do without rather than to choose one of a group that has been chosen. */
  readonly isStrict?: boolean;
}

/**
 * The addresses of other nodes, persisted. Bound: `MAX_BOOK` beside those that the operator named. What goes in and what
 * makes room, `AddressTables` decides.
 */
export class PeerBook {
  readonly #parts: BookParts;
  readonly #salt: Uint8Array;
  readonly #tables: AddressTables;
  #anchors: readonly PeerUrl[];
  /** What goes to disk with whatever is written next. */
  readonly #unwritten: Write[] = [];

  constructor(parts: BookParts) {
    this.#parts = parts;
    const state = read(parts.kv, layout.book, null);
    this.#salt = state?.salt ?? parts.random.bytes(SALT_BYTES);
    this.#anchors = (state?.anchors ?? []).flatMap((text) => parsePeerUrl(text) ?? []);
    this.#tables = new AddressTables(this.#salt);
    if (state === undefined) this.#unwritten.push(this.#state());
    for (const { key, value } of scan(parts.kv, layout.peer, { limit: 2 * MAX_BOOK })) {
      const url = parsePeerUrl(key);
      // What no longer has a place is no loss: the network tells of it again.
      if (url !== key || !this.#isWelcome(url) || !this.#tables.restore(knownFrom(url, value)))
        this.#unwritten.push(remove(layout.peer, key));
    }
  }

  get(url: PeerUrl): Known | undefined {
    return this.#tables.get(url);
  }

  /** Addresses that have answered us, most recently seen first. */
  reached(): Known[] {
    return this.all()
      .filter(({ lastSeen, failures }) => lastSeen !== null && failures === 0)
      .sort((a, b) => (b.lastSeen ?? 0) - (a.lastSeen ?? 0));
  }

  all(): Known[] {
    return this.#tables.all();
  }

  /** Whether the operator named it. */
  isKept(url: PeerUrl): boolean {
    return this.#tables.isKept(url);
  }

  /** Places that are contested: whether their incumbents answer, decides. */
  contests(): Contest[] {
    return this.#tables.contests();
  }

  /** Peers that were sought longest when the node ran last. */
  get anchors(): readonly PeerUrl[] {
    return this.#anchors;
  }

  /** Remembers anchors. Writes nothing where they are the same as before. */
  async anchor(urls: readonly PeerUrl[]): Promise<void> {
    const anchors = urls.slice(0, MAX_ANCHORS);
    if (anchors.join() === this.#anchors.join()) return;
    this.#anchors = anchors;
    await this.#write([this.#state()]);
  }

  /** Notes an address somebody named: its source is that one's group, or else its own. */
  async learn(url: PeerUrl, source: NetGroup = groupOf(url)): Promise<void> {
    await this.learnAll([url], source);
  }

  /** The same for several, in one write. */
  async learnAll(urls: readonly PeerUrl[], source: NetGroup): Promise<void> {
    const now = this.#parts.clock.now();
    const welcome = urls.filter((url) => this.get(url) === undefined && this.#isWelcome(url));
    await this.#save(welcome.flatMap((url) => this.#tables.learn(url, { group: groupOf(url), source, now })));
  }

  /** Notes an address that the operator named: it is never forgotten, and never put off for long. */
  async keep(url: PeerUrl): Promise<void> {
    const now = this.#parts.clock.now();
    await this.#save(this.#tables.keep(url, { group: groupOf(url), source: OPERATOR, now }));
  }

  /** Notes that an address has answered when we called it of our own accord. */
  succeeded(url: PeerUrl): Promise<void> {
    return this.#answered(url, 'ours');
  }

  /** Notes that an address has answered whose node had called us first: it is there, and yet to be tried. */
  confirmed(url: PeerUrl): Promise<void> {
    return this.#answered(url, 'theirs');
  }

  /** Notes that an address did not answer; forgets it after too many failures, unless nobody answers us now. */
  async failed(url: PeerUrl, isAlone = false): Promise<void> {
    await this.#save(this.#tables.failed(url, { now: this.#parts.clock.now(), isAlone }));
  }

  /** Notes that the operator wants no more of an address, its own included. */
  async dismiss(url: PeerUrl): Promise<void> {
    await this.#save(this.#tables.dismiss(url));
  }

  async forget(url: PeerUrl): Promise<void> {
    await this.#save(this.#tables.forget(url, this.#parts.clock.now()));
  }

  /** Up to `count` addresses whose turn it is, as `planDials` chooses. */
  due(count: number, exclude: (url: PeerUrl) => boolean, { groups = [], isStrict = false }: Choice = {}): PeerUrl[] {
    const ready = this.#readyNow(exclude);
    const tables = this.#tables;
    return planDials(
      {
        kept: tables.kept().filter(ready),
        tried: tables.buckets('tried').map((bucket) => bucket.filter(ready)),
        fresh: tables.buckets('new').map((bucket) => bucket.filter(ready)),
      },
      { count, groups, isStrict, draw: (limit) => this.#parts.random.below(limit) },
    );
  }

  /** Up to `count` addresses of the new table whose turn it is, to find out whether anybody is there. */
  untried(count: number, exclude: (url: PeerUrl) => boolean): PeerUrl[] {
    const ready = this.#readyNow(exclude);
    const fresh = this.#tables.buckets('new').map((bucket) => bucket.filter(ready));
    const draw = (limit: number): number => this.#parts.random.below(limit);
    return planDials({ kept: [], tried: [], fresh }, { count, groups: [], isStrict: false, draw });
  }

  /** Up to `count` addresses of the tried table whose turn it is, the longest unchecked first. */
  unchecked(count: number, exclude: (url: PeerUrl) => boolean): PeerUrl[] {
    const ready = this.#readyNow(exclude);
    return this.all()
      .filter((known) => known.tried && ready(known))
      .sort((a, b) => (a.lastTried ?? 0) - (b.lastTried ?? 0))
      .slice(0, count)
      .map(({ url }) => url);
  }

  /** Up to `count` addresses that have answered, drawn at random. */
  sample(count: number): PeerUrl[] {
    const rest = this.reached();
    const drawn: PeerUrl[] = [];
    while (drawn.length < count && rest.length > 0)
      for (const { url } of rest.splice(this.#parts.random.below(rest.length), 1)) drawn.push(url);
    return drawn;
  }

  async #answered(url: PeerUrl, answered: Answered): Promise<void> {
    const now = this.#parts.clock.now();
    await this.#save(this.#tables.succeeded(url, { group: groupOf(url), now, answered }));
  }

  /** An address that may not be called has no place: each private one is a group of its own, and anybody can invent them. */
  #isWelcome(url: PeerUrl): boolean {
    return this.#parts.allowPrivate !== false || isPublicGroup(groupOf(url));
  }

  /** Whether an address may be tried again: each failure in a row doubles the wait. */
  #readyNow(exclude: (url: PeerUrl) => boolean): (known: Known) => boolean {
    const now = this.#parts.clock.now();
    return ({ url, lastTried, failures }) => {
      if (exclude(url)) return false;
      if (lastTried === null || failures === 0) return true;
      const longest = this.#tables.isKept(url) ? LONGEST_RETRY_KEPT_MS : LONGEST_RETRY_MS;
      const wait = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), longest);
      // A clock that was set back must not put an address off for years.
      return now >= lastTried + wait || now < lastTried;
    };
  }

  async #save(changes: readonly Change[]): Promise<void> {
    if (changes.length > 0) await this.#write(changes.map(writeOf));
  }

  async #write(writes: readonly Write[]): Promise<void> {
    const unwritten = this.#unwritten.splice(0);
    try {
      await this.#parts.kv.commit([...unwritten, ...writes]);
    } catch (error) {
      this.#unwritten.unshift(...unwritten);
      throw error;
    }
  }

  #state(): Write {
    return put(layout.book, null, { salt: this.#salt, anchors: this.#anchors });
  }
}

function knownFrom(url: PeerUrl, { place, ...record }: PeerRecord): Known {
  const group = groupOf(url);
  return { url, group, ...record, ...(place ?? { tried: false, source: group }) };
}

function writeOf(change: Change): Write {
  if (change.kind === 'forget') return remove(layout.peer, change.url);
  const { url, firstSeen, lastSeen, lastTried, failures, tried, source } = change.known;
  return put(layout.peer, url, { firstSeen, lastSeen, lastTried, failures, place: { tried, source } });
}
