import { toHex } from '../../shared/bytes/hex.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { PeerFailure } from '../../shared/reasons.js';
import { PROTOCOL_VERSION } from '../../shared/rpc/nodeSchemas.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import { VERSION } from '../../shared/version.js';
import type { Random } from '../ports.js';

/** What a node tells of itself in every hello. */
export const USER_AGENT = `trestle/${VERSION}`;
/** Takes blocks in their short form, answers `block.missing`, and names what waits by its wtxid in `transaction.onChange`. */
export const COMPACT_BLOCKS = 'compact-blocks';
/** What this node can do beyond the calls every node answers. */
export const CAPABILITIES: readonly string[] = [COMPACT_BLOCKS];

/** The nonces of our hellos that are still under way. Whoever sends us one of them is ourselves. */
export class OwnNonces {
  readonly #random: Random;
  readonly #open = new Set<string>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Runs one hello with a nonce of its own, which counts as ours until it is over. */
  async during<T>(hello: (nonce: string) => Promise<T>): Promise<T> {
    const nonce = toHex(this.#random.bytes(16));
    this.#open.add(nonce);
    try {
      return await hello(nonce);
    } finally {
      this.#open.delete(nonce);
    }
  }

  has(nonce: string): boolean {
    return this.#open.has(nonce);
  }
}

/** What both sides of a hello tell each other. */
export interface Greeting {
  readonly protocol: number;
  readonly genesis: BlockHash;
}

/** Whether the other side can be a peer at all. */
export function checkGreeting(greeting: Greeting, genesis: BlockHash): Verdict<void, PeerFailure> {
  if (greeting.protocol !== PROTOCOL_VERSION)
    return refuse({ code: 'peer-version', version: greeting.protocol, supported: PROTOCOL_VERSION });
  if (greeting.genesis !== genesis)
    return refuse({ code: 'peer-network', genesis: greeting.genesis, expected: genesis });
  return accept(undefined);
}
