import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { toHex } from '../../shared/bytes/hex.js';
import type { PeerSession } from '../../shared/rpc/trpc.js';
import type { Random } from '../ports.js';
import { addressKey } from './addressKey.js';
import type { PeerUrl } from './peerUrl.js';

/** Sessions kept of each kind. The longest unused one makes room for a new one. */
const MAX_SESSIONS = 512;
/** The same of one address: an own process for each of many ports is cheap, an address is not. */
export const MAX_SESSIONS_PER_ADDRESS = 32;

/** The sessions that peers opened here by saying hello, by the token they present. */
export class Sessions {
  readonly #random: Random;
  /** Whether many nodes share an address, so that it tells nothing of any of them. */
  readonly #isShared: (address: string) => boolean;
  /** Of peers that can be called, and of those that cannot: anybody can open many of the second kind, and would push out the first. */
  readonly #confirmed = new LRUCache<string, PeerSession>({ max: MAX_SESSIONS });
  readonly #anonymous = new LRUCache<string, PeerSession>({ max: MAX_SESSIONS });

  constructor(random: Random, isShared: (address: string) => boolean = () => false) {
    this.#random = random;
    this.#isShared = isShared;
  }

  get count(): number {
    return this.#confirmed.size + this.#anonymous.size;
  }

  open(url: PeerUrl | null, remoteAddress: string): PeerSession {
    const session: PeerSession = { token: toHex(this.#random.bytes(16)), url, remoteAddress };
    const kind = url === null ? this.#anonymous : this.#confirmed;
    if (!this.#isShared(remoteAddress)) makeRoomAt(kind, addressKey(remoteAddress));
    kind.set(keyOf(session.token), session);
    return session;
  }

  /** The session of a token, where the caller is where the session was opened. */
  find(token: string, remoteAddress: string): PeerSession | null {
    const key = keyOf(token);
    const session = this.#confirmed.get(key) ?? this.#anonymous.get(key);
    return session?.remoteAddress === remoteAddress ? session : null;
  }

  /** Ends every session that this holds of, and answers which those were. */
  end(isOver: (session: PeerSession) => boolean): PeerSession[] {
    const ended: PeerSession[] = [];
    for (const kind of [this.#confirmed, this.#anonymous])
      for (const [key, session] of [...kind.entries()]) {
        if (!isOver(session)) continue;
        kind.delete(key);
        ended.push(session);
      }
    return ended;
  }
}

/** Takes the longest unused session of an address away, where it has as many as it may. */
function makeRoomAt(kind: LRUCache<string, PeerSession>, address: string): void {
  const own: string[] = [];
  kind.forEach(({ remoteAddress }, key) => {
    if (addressKey(remoteAddress) === address) own.push(key);
  });
  // The most recently used comes first.
  const oldest = own.at(-1);
  if (own.length >= MAX_SESSIONS_PER_ADDRESS && oldest !== undefined) kind.delete(oldest);
}

/** Sessions are found by a hash: the time that a search takes tells nothing of the tokens that are there. */
function keyOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
