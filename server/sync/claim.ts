import type { Peer } from '../net/peer.js';
import type { Peers } from '../net/peers.js';

/**
 * - `holds`: it has shown what it claims now, or does not answer, which is charged elsewhere.
 * - `renewed`: it claims more still, and is to show it.
 * - `lied`: it claimed it twice and has shown it neither time; that has been charged.
 */
export type ClaimVerdict = 'holds' | 'renewed' | 'lied';

/**
 * The work that a peer claims, held against what its headers come to. A chain's work never falls, so whoever shows less
 * than it claimed before it was asked has made it up: a height of a million costs nothing to say. But an operator may
 * take blocks off a chain, a disk may be lost, and a switch of branches passes through less work; so the peer is asked
 * for its tip once more, and only what it claims again and does not show is a lie.
 */
export class Claim {
  readonly #peer: Peer;
  readonly #peers: Peers;
  #work: bigint;
  #isRenewed = false;

  constructor(peer: Peer, peers: Peers, work: bigint) {
    this.#peer = peer;
    this.#peers = peers;
    this.#work = work;
  }

  get work(): bigint {
    return this.#work;
  }

  /** Holds the claim against the work of the headers that the peer has shown, now that it has no more. */
  async verify(shown: bigint): Promise<ClaimVerdict> {
    if (this.#work <= shown) return 'holds';
    if (this.#isRenewed) {
      this.#peers.lied(this.#peer, `its headers have a work of ${shown}, it claims ${this.#work}`);
      return 'lied';
    }
    const answer = await this.#peers.ask(this.#peer, (client) => client.node.ping.query());
    if (!answer.ok) return 'holds';
    this.#isRenewed = true;
    this.#work = answer.value.tip.work;
    this.#peers.told(this.#peer, answer.value.tip);
    return this.#work <= shown ? 'holds' : 'renewed';
  }
}
