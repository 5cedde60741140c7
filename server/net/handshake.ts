import { toHex } from '../../shared/bytes/hex.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { PeerFailure } from '../../shared/reasons.js';
import { fingerprintOf } from '../../shared/rpc/fingerprint.js';
import { OLDEST_PROTOCOL, PROTOCOL_VERSION } from '../../shared/rpc/nodeSchemas.js';
import { appRouter } from '../../shared/rpc/router.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import { VERSION } from '../../shared/version.js';
import type { Random } from '../ports.js';

/** What a node tells of itself in every hello. */
export const USER_AGENT = `trestle/${VERSION}`;
/** Takes blocks in their short form, answers `block.missing`, and names what waits by its wtxid in `transaction.onChange`. */
export const COMPACT_BLOCKS = 'compact-blocks';
/** Answers `transaction.raw` by txids, too: whoever lacks a parent knows no other name of it. */
export const PARENTS_BY_TXID = 'parents-by-txid';
/** What this node can do beyond the calls that every node of the oldest version answers. */
export const CAPABILITIES: readonly string[] = [COMPACT_BLOCKS, PARENTS_BY_TXID];
/** The contract that this software was built on. */
export const CONTRACT = fingerprintOf(appRouter);

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

/** Whether the other side can be a peer at all; the version to go on in, which is the older one of the two. */
export function checkGreeting({ protocol, genesis }: Greeting, own: BlockHash): Verdict<number, PeerFailure> {
  if (protocol < OLDEST_PROTOCOL)
    return refuse({ code: 'peer-version', version: protocol, supported: PROTOCOL_VERSION });
  if (genesis !== own) return refuse({ code: 'peer-network', genesis, expected: own });
  return accept(Math.min(protocol, PROTOCOL_VERSION));
}

/** What a node says of itself in a version: what a version does not know, it refuses to read. */
export function introduction(protocol: number) {
  const own = { protocol, capabilities: [...CAPABILITIES], userAgent: USER_AGENT };
  return protocol === 1 ? own : { ...own, contract: CONTRACT };
}
