import { parseBase64 } from '../../shared/bytes/base64.js';
import type { Wtxid } from '../../shared/model/ids.js';
import { decodeTransaction } from '../../shared/model/transaction.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { Mempool } from '../mempool/mempool.js';
import type { Peer } from '../net/peer.js';
import type { Peers } from '../net/peers.js';
import type { Logger } from '../ports.js';
import { RecentlyDecided } from './recentlyDecided.js';

/** What fetching transactions needs. */
export interface FetcherParts {
  readonly chain: Pick<Chainstate, 'events'>;
  readonly mempool: Mempool;
  readonly peers: Peers;
  readonly log: Logger;
}

/** Fetches bodies of transactions from one peer and submits them. Relay and synchronization both do it through here. */
export class TransactionFetcher {
  readonly #parts: FetcherParts;
  readonly #decided: RecentlyDecided;
  /** Those that have been asked for and have not come. */
  readonly #underWay = new Set<Wtxid>();

  constructor(parts: FetcherParts) {
    this.#parts = parts;
    this.#decided = new RecentlyDecided(parts.chain);
  }

  close(): void {
    this.#decided.close();
  }

  /** Whether a transaction is worth fetching: it does not wait here, and was neither confirmed nor refused lately. */
  lacks(wtxid: Wtxid): boolean {
    return this.#parts.mempool.pool.byWtxid(wtxid) === undefined && !this.#decided.has(wtxid);
  }

  /** Whether a body has been asked for and has not come yet: nobody else need be asked, unless it does not come. */
  isUnderWay(wtxid: Wtxid): boolean {
    return this.#underWay.has(wtxid);
  }

  /**
   * Fetches those bodies and takes in what is valid; answers which bodies came, or why the peer was no use. Throws where
   * this machine fails, which is not the peer's fault.
   */
  async fetch(peer: Peer, wtxids: readonly Wtxid[]): Promise<Verdict<ReadonlySet<Wtxid>, string>> {
    for (const wtxid of wtxids) this.#underWay.add(wtxid);
    return this.#fetch(peer, wtxids).finally(() => {
      for (const wtxid of wtxids) this.#underWay.delete(wtxid);
    });
  }

  async #fetch(peer: Peer, wtxids: readonly Wtxid[]): Promise<Verdict<ReadonlySet<Wtxid>, string>> {
    const { mempool, peers, log } = this.#parts;
    const came = new Set<Wtxid>();
    const wanted = new Set(wtxids);
    // An answer holds as many as fit; the peer leaves out what no longer waits there.
    const answer = await peers.ask(peer, (client) => client.transaction.raw.query({ wtxids: [...wanted] }));
    if (!answer.ok) return answer;
    for (const text of answer.value.transactions) {
      const bytes = parseBase64(text);
      const decoded = bytes === undefined ? undefined : decodeTransaction(bytes);
      if (!decoded?.ok || !wanted.has(decoded.value.wtxid)) {
        peers.lied(peer, 'transaction.raw: not what was asked for');
        return refuse('peer-protocol');
      }
      const { txid, wtxid } = decoded.value;
      came.add(wtxid);
      const verdict = await mempool.submit(decoded.value, peer.url);
      if (verdict.ok) {
        peers.brought(peer);
        continue;
      }
      log.debug('a relayed transaction was refused', { txid, ...verdict.reject });
      // Its parent may be on its way.
      if (verdict.reject.code !== 'tx-input-missing') this.#decided.refused(wtxid);
      peers.charge(peer, verdict.reject);
    }
    return accept(came);
  }
}
