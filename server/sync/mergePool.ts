import type { Wtxid } from '../../shared/model/ids.js';
import { MAX_IDS } from '../../shared/rpc/transactionSchemas.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import type { Peer } from '../net/peer.js';
import type { SyncParts } from './syncParts.js';

/** Pages of ids of waiting transactions taken from one peer in one run: more than any mempool of the usual size has. */
const MAX_ID_PAGES = 400;

/** Names remembered from one look to the next. */
const MAX_LACKED = 20_000;

/** What merging waiting transactions needs. */
export type MergePoolParts = Pick<SyncParts, 'peers' | 'relayed' | 'fetcher' | 'random' | 'log' | 'signal'>;

/** Takes over the transactions that wait at peers. What waits here stays: it is merged, never replaced. */
export class MergePool {
  readonly #parts: MergePoolParts;
  /** Peers whose waiting transactions have been merged since they connected. */
  readonly #merged = new WeakSet<Peer>();
  /** What was missing here when we last looked, and has been announced to us since, most likely. */
  #lacked: ReadonlySet<Wtxid> = new Set();

  constructor(parts: MergePoolParts) {
    this.#parts = parts;
  }

  /** Whether a peer has been asked since it connected. */
  has(peer: Peer): boolean {
    return this.#merged.has(peer);
  }

  /**
   * Merges what waits at peers: of each once it is new, and of one drawn at random now and then, for what an announcement
   * that got lost left out. What is new there is about to be announced here, so it is fetched only where it is still
   * missing at the next look: each body is to come once.
   */
  async merge(onPeer: (peer: Peer) => void): Promise<void> {
    const { peers, random, log, signal } = this.#parts;
    const all = peers.all();
    const fresh = all.filter((peer) => !this.#merged.has(peer));
    const drawn = all[random.below(Math.max(all.length, 1))];
    const [before, lacked] = [this.#lacked, new Set<Wtxid>()];
    this.#lacked = lacked;
    for (const peer of new Set([...fresh, ...(drawn === undefined ? [] : [drawn])])) {
      if (signal.aborted) return;
      onPeer(peer);
      const isDue = (wtxid: Wtxid): boolean => {
        if (!this.#merged.has(peer) || before.has(wtxid)) return true;
        if (lacked.size < MAX_LACKED) lacked.add(wtxid);
        return false;
      };
      const merged = await this.#mergeFrom(peer, isDue);
      if (merged.ok) this.#merged.add(peer);
      else log.debug('waiting transactions not merged', { peer: peer.url, why: merged.reject });
    }
  }

  async #mergeFrom(peer: Peer, isDue: (wtxid: Wtxid) => boolean): Promise<Verdict<void, string>> {
    const { relayed, fetcher, peers, signal } = this.#parts;
    let cursor: Wtxid | undefined;
    for (let page = 0; page < MAX_ID_PAGES && !signal.aborted; page++) {
      const answer = await peers.ask(peer, (client) => client.transaction.ids.query({ cursor }));
      if (!answer.ok) return answer;
      const { items, next } = answer.value;
      for (const wtxid of items) relayed.named(wtxid, peer);
      const missing = items.filter((wtxid) => relayed.lacks(wtxid) && !fetcher.isUnderWay(wtxid));
      const wanted = missing.filter(isDue);
      for (let start = 0; start < wanted.length; start += MAX_IDS) {
        const fetched = await fetcher.fetch(peer, wanted.slice(start, start + MAX_IDS));
        if (!fetched.ok) return fetched;
      }
      if (next === null) break;
      // A page that names another is full and ends with its name: a peer must not keep us turning empty pages.
      if (items.length < MAX_IDS || items.at(-1) !== next || (cursor !== undefined && next <= cursor)) {
        peers.lied(peer, 'transaction.ids: pages out of order');
        return refuse('peer-protocol');
      }
      cursor = next;
    }
    return accept(undefined);
  }
}
