import { LRUCache } from 'lru-cache';
import type { BlockHash, Wtxid } from '../../shared/model/ids.js';
import type { Peer } from '../net/peers.js';

/** How many items are remembered for each peer. */
const REMEMBERED = 20_000;

/** Which peers have which transactions and blocks, as far as they or we have said so: nothing goes back to its source. */
export class Inventory {
  readonly #known = new WeakMap<Peer, LRUCache<Wtxid | BlockHash, true>>();

  has(peer: Peer, item: Wtxid | BlockHash): boolean {
    return this.#of(peer).has(item);
  }

  add(peer: Peer, item: Wtxid | BlockHash): void {
    this.#of(peer).set(item, true);
  }

  #of(peer: Peer): LRUCache<Wtxid | BlockHash, true> {
    const known = this.#known.get(peer) ?? new LRUCache<Wtxid | BlockHash, true>({ max: REMEMBERED });
    this.#known.set(peer, known);
    return known;
  }
}
