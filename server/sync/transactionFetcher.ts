import { parseBase64 } from '../../shared/bytes/base64.js';
import { TrestleError } from '../../shared/errors.js';
import type { Wtxid } from '../../shared/model/ids.js';
import { decodeTransaction } from '../../shared/model/transaction.js';
import type { Mempool } from '../mempool/mempool.js';
import type { Peer } from '../net/peers.js';
import type { Logger } from '../ports.js';

/** Fetches bodies of transactions from one peer and submits them. Relay and synchronization both do it through here. */
export class TransactionFetcher {
  readonly #mempool: Mempool;
  readonly #log: Logger;

  constructor(mempool: Mempool, log: Logger) {
    this.#mempool = mempool;
    this.#log = log;
  }

  /**
   * Fetches those bodies and takes in what is valid; answers which bodies came. Throws where the peer does not answer,
   * or sends something that was not asked for.
   */
  async fetch(peer: Peer, wtxids: readonly Wtxid[]): Promise<ReadonlySet<Wtxid>> {
    const came = new Set<Wtxid>();
    const wanted = new Set(wtxids);
    // An answer holds as many as fit; the peer leaves out what no longer waits there.
    const { transactions } = await peer.client.transaction.raw.query({ wtxids: [...wanted] });
    for (const text of transactions) {
      const bytes = parseBase64(text);
      const decoded = bytes === undefined ? undefined : decodeTransaction(bytes);
      if (!decoded?.ok || !wanted.has(decoded.value.wtxid))
        throw new TrestleError({ code: 'peer-protocol', url: peer.url, detail: 'transaction.raw: not asked for' });
      came.add(decoded.value.wtxid);
      const verdict = await this.#mempool.submit(decoded.value, peer.url);
      if (!verdict.ok)
        this.#log.debug('a relayed transaction was refused', { txid: decoded.value.txid, ...verdict.reject });
    }
    return came;
  }
}
