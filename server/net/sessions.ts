import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { toHex } from '../../shared/bytes/hex.js';
import type { PeerSession } from '../../shared/rpc/trpc.js';
import type { Random } from '../ports.js';
import type { PeerUrl } from './peerUrl.js';

/** Sessions kept of each kind. The longest unused one makes room for a new one. */
const MAX_SESSIONS = 512;

/** The sessions that peers opened here by saying hello, by the token they present. */
export class Sessions {
  readonly #random: Random;
  /** Of peers that can be called, and of those that cannot: anybody can open many of the second kind, and would push out the first. */
  readonly #confirmed = new LRUCache<string, PeerSession>({ max: MAX_SESSIONS });
  readonly #anonymous = new LRUCache<string, PeerSession>({ max: MAX_SESSIONS });

  constructor(random: Random) {
    this.#random = random;
  }

  get count(): number {
    return this.#confirmed.size + this.#anonymous.size;
  }

  open(url: PeerUrl | null, remoteAddress: string): PeerSession {
    const session: PeerSession = { token: toHex(this.#random.bytes(16)), url, remoteAddress };
    (url === null ? this.#anonymous : this.#confirmed).set(keyOf(session.token), session);
    return session;
  }

  /** The session of a token, where the caller is where the session was opened. */
  find(token: string, remoteAddress: string): PeerSession | null {
    const key = keyOf(token);
    const session = this.#confirmed.get(key) ?? this.#anonymous.get(key);
    return session?.remoteAddress === remoteAddress ? session : null;
  }
}

/** Sessions are found by a hash: the time that a search takes tells nothing of the tokens that are there. */
function keyOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
