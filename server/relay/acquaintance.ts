import { LRUCache } from 'lru-cache';
import type { Peer } from '../net/peer.js';
import type { Peers } from '../net/peers.js';
import { parsePeerUrl } from '../net/peerUrl.js';
import type { Clock } from '../ports.js';

/** How long after one attempt to meet a caller again the next is made. */
const AGAIN_MS = 60_000;
/** Callers remembered for that. */
const MAX_CALLERS = 256;

/**
 * Who announces something. A caller that has a session here and is no peer of ours has lost us, or we it, over links that
 * failed one way: what it announces cannot be asked for, so it is met again, where there is room and once a minute.
 */
export class Acquaintance {
  readonly #peers: Peers;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #attempts = new LRUCache<string, number>({ max: MAX_CALLERS });

  constructor(peers: Peers, clock: Pick<Clock, 'monotonic'>) {
    this.#peers = peers;
    this.#clock = clock;
  }

  /** The peer at a session's URL. */
  peer(url: string | null): Peer | undefined {
    if (url === null) return undefined;
    const peer = this.#peers.get(url);
    if (peer === undefined) this.#meetAgain(url);
    return peer;
  }

  #meetAgain(url: string): void {
    const parsed = parsePeerUrl(url);
    const [now, last] = [this.#clock.monotonic(), this.#attempts.get(url)];
    if (parsed === undefined || (last !== undefined && now < last + AGAIN_MS)) return;
    this.#attempts.set(url, now);
    this.#peers.meet(parsed, { mayReplace: false });
  }
}
