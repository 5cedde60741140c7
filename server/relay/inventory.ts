import type { BlockHash, Wtxid } from '../../shared/model/ids.js';
import { RecentSet } from '../../shared/recentSet.js';
import type { Peer } from '../net/peer.js';

/** How many items are remembered for each peer. */
const REMEMBERED = 20_000;

/** Which peers have which transactions and blocks, as far as they or we have said so: nothing goes back to its source. */
export class Inventory {
  readonly #known = new WeakMap<Peer, RecentSet<Wtxid | BlockHash>>();

  has(peer: Peer, item: Wtxid | BlockHash): boolean {
    return this.#of(peer).has(item);
  }

  add(peer: Peer, item: Wtxid | BlockHash): void {
    this.#of(peer).add(item);
  }

  #of(peer: Peer): RecentSet<Wtxid | BlockHash> {
    const known = this.#known.get(peer) ?? new RecentSet<Wtxid | BlockHash>(REMEMBERED);
    this.#known.set(peer, known);
    return known;
  }
}
