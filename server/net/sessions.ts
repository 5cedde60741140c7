import { LRUCache } from 'lru-cache';
import { toHex } from '../../shared/bytes/hex.js';
import type { PeerSession } from '../../shared/rpc/trpc.js';
import type { Random } from '../ports.js';
import type { PeerUrl } from './peerUrl.js';

/** Sessions kept. The longest unused one makes room for a new one. */
const MAX_SESSIONS = 512;

/** The sessions that peers opened here by saying hello, by the token they present. */
export class Sessions {
  readonly #random: Random;
  readonly #sessions = new LRUCache<string, PeerSession>({ max: MAX_SESSIONS });

  constructor(random: Random) {
    this.#random = random;
  }

  get count(): number {
    return this.#sessions.size;
  }

  open(url: PeerUrl | null, remoteAddress: string): PeerSession {
    const session: PeerSession = { token: toHex(this.#random.bytes(16)), url, remoteAddress };
    this.#sessions.set(session.token, session);
    return session;
  }

  /** The session of a token, where the caller is where the session was opened. */
  find(token: string, remoteAddress: string): PeerSession | null {
    const session = this.#sessions.get(token);
    return session?.remoteAddress === remoteAddress ? session : null;
  }
}
