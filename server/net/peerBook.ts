import type { Clock, Random } from '../ports.js';
import type { Kv } from '../store/kv.js';
import { layout, type PeerRecord } from '../store/layout.js';
import { put, remove, scan } from '../store/space.js';
import { type PeerUrl, parsePeerUrl } from './peerUrl.js';

/** Addresses kept. */
export const MAX_BOOK = 1_000;
/** The wait after a first failure; it doubles with each further one. */
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 3_600_000;
const LONGEST_RETRY_KEPT_MS = 30_000;
/** After so many failures in a row an address that once answered is forgotten; one that never did, after the fewer. */
const MAX_FAILURES = 12;
const MAX_FAILURES_NEW = 4;

/** An address and what is known of it. */
export interface KnownPeer extends PeerRecord {
  readonly url: PeerUrl;
}

/** What the book needs from outside. */
export interface BookParts {
  readonly kv: Kv;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
}

/**
 * The addresses of other nodes, persisted. Bound: `MAX_BOOK`; when it is full, an address that never answered makes
 * room, and where all have answered, the newcomer stays out: a flood of invented addresses cannot push out real ones.
 */
export class PeerBook {
  readonly #parts: BookParts;
  readonly #peers = new Map<PeerUrl, KnownPeer>();
  readonly #kept = new Set<PeerUrl>();

  constructor(parts: BookParts) {
    this.#parts = parts;
    for (const { key, value } of scan(parts.kv, layout.peer, { limit: MAX_BOOK })) {
      const url = parsePeerUrl(key);
      if (url !== undefined) this.#peers.set(url, { url, ...value });
    }
  }

  get(url: PeerUrl): KnownPeer | undefined {
    return this.#peers.get(url);
  }

  /** Addresses that have answered us, most recently seen first. */
  reached(): KnownPeer[] {
    return [...this.#peers.values()]
      .filter(({ lastSeen, failures }) => lastSeen !== null && failures === 0)
      .sort((a, b) => (b.lastSeen ?? 0) - (a.lastSeen ?? 0));
  }

  all(): KnownPeer[] {
    return [...this.#peers.values()];
  }

  /** Notes an address somebody named. */
  async learn(url: PeerUrl): Promise<void> {
    if (this.#peers.has(url)) return;
    if (this.#peers.size >= MAX_BOOK && !(await this.#makeRoom())) return;
    await this.#store({ url, firstSeen: this.#parts.clock.now(), lastSeen: null, lastTried: null, failures: 0 });
  }

  /** Notes an address that the operator named: it is never forgotten, and never put off for long. */
  async keep(url: PeerUrl): Promise<void> {
    this.#kept.add(url);
    await this.learn(url);
  }

  /** Notes that an address has answered. */
  async succeeded(url: PeerUrl): Promise<void> {
    await this.learn(url);
    const peer = this.#peers.get(url);
    const now = this.#parts.clock.now();
    if (peer !== undefined) await this.#store({ ...peer, lastSeen: now, lastTried: now, failures: 0 });
  }

  /** Notes that an address did not answer; forgets it after too many failures. */
  async failed(url: PeerUrl): Promise<void> {
    const peer = this.#peers.get(url);
    if (peer === undefined) return;
    const failures = peer.failures + 1;
    if (!this.#kept.has(url) && failures >= (peer.lastSeen === null ? MAX_FAILURES_NEW : MAX_FAILURES))
      await this.forget(url);
    else await this.#store({ ...peer, lastTried: this.#parts.clock.now(), failures });
  }

  async forget(url: PeerUrl): Promise<void> {
    this.#peers.delete(url);
    await this.#parts.kv.commit([remove(layout.peer, url)]);
  }

  /** Up to `count` addresses whose turn it is: those that have answered before first, each group in random order. */
  due(count: number, exclude: (url: PeerUrl) => boolean): PeerUrl[] {
    const now = this.#parts.clock.now();
    const ready = this.#shuffled(this.all().filter((peer) => !exclude(peer.url) && this.#isDue(peer, now)));
    ready.sort((a, b) => Number(b.lastSeen !== null) - Number(a.lastSeen !== null));
    return ready.slice(0, count).map(({ url }) => url);
  }

  /** Up to `count` addresses whose turn it is, the longest untried first. */
  unchecked(count: number, exclude: (url: PeerUrl) => boolean): PeerUrl[] {
    const now = this.#parts.clock.now();
    return this.all()
      .filter((peer) => !exclude(peer.url) && this.#isDue(peer, now))
      .sort((a, b) => (a.lastTried ?? 0) - (b.lastTried ?? 0))
      .slice(0, count)
      .map(({ url }) => url);
  }

  /** Up to `count` addresses that have answered, drawn at random. */
  sample(count: number): PeerUrl[] {
    return this.#shuffled(this.reached())
      .slice(0, count)
      .map(({ url }) => url);
  }

  async #makeRoom(): Promise<boolean> {
    const candidates = this.all().filter(({ lastSeen }) => lastSeen === null);
    const victim = candidates[this.#parts.random.below(Math.max(candidates.length, 1))];
    if (victim === undefined) return false;
    await this.forget(victim.url);
    return true;
  }

  async #store(peer: KnownPeer): Promise<void> {
    this.#peers.set(peer.url, peer);
    const { url, ...record } = peer;
    await this.#parts.kv.commit([put(layout.peer, url, record)]);
  }

  #shuffled<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.#parts.random.below(i + 1);
      const [a, b] = [shuffled[i], shuffled[j]];
      if (a !== undefined && b !== undefined) [shuffled[i], shuffled[j]] = [b, a];
    }
    return shuffled;
  }

  /** Whether an address may be tried again: each failure in a row doubles the wait. */
  #isDue({ url, lastTried, failures }: KnownPeer, now: number): boolean {
    if (lastTried === null || failures === 0) return true;
    const longest = this.#kept.has(url) ? LONGEST_RETRY_KEPT_MS : LONGEST_RETRY_MS;
    const wait = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), longest);
    // A clock that was set back must not put an address off for years.
    return now >= lastTried + wait || now < lastTried;
  }
}
