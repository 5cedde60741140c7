import type { TxId } from '../../shared/model/ids.js';
import { PARENTS_BY_TXID } from '../net/handshake.js';
import type { Peer } from '../net/peer.js';
import type { RelayContext } from './relayContext.js';
import { Requests } from './requests.js';

/** Parents asked of one peer in one call. */
const BATCH = 100;

/**
 * Asks for the parents of what waits for them, by txid, of whoever has the children: one peer at a time, and the next one
 * where they do not come. A parent that waits in its turn has its own parents asked for.
 */
export class ParentSeeker {
  readonly #context: RelayContext;
  readonly #requests = new Requests<TxId, Peer>();
  readonly #stop: (() => void)[];

  constructor(context: RelayContext) {
    const { relayed, fetcher, mempool, chain, peers } = context;
    this.#context = context;
    this.#stop = [
      relayed.events.on('missing', ({ parents, peer }) => {
        if (!peer.capabilities.has(PARENTS_BY_TXID)) return;
        for (const txid of parents) this.#requests.announced(txid, peer);
        this.#ask();
      }),
      fetcher.events.on('free', () => this.#ask()),
      mempool.events.on('accepted', ({ entry }) => this.#requests.done(entry.transaction.txid)),
      chain.events.on('connected', ({ block }) => {
        if (this.#requests.size > 0) for (const { txid } of block.transactions) this.#requests.done(txid);
      }),
      peers.events.on('dropped', (peer) => {
        this.#requests.dropped(peer);
        this.#ask();
      }),
    ];
  }

  close(): void {
    for (const stop of this.#stop) stop();
  }

  #ask(): void {
    const { signal, background, fetcher, relayed } = this.#context;
    if (signal.aborted || this.#requests.size === 0) return;
    // What a peer has been asked for by name may well be the parents, for those it was told to hand over first.
    for (const { source, items } of this.#requests.next(BATCH, (peer) => !fetcher.isBusy(peer))) {
      const wanted = items.filter((txid) => relayed.seeks(txid));
      for (const txid of items) if (!wanted.includes(txid)) this.#requests.done(txid);
      if (wanted.length > 0) background.run('fetching parents', this.#fetch(source, wanted));
    }
  }

  async #fetch(peer: Peer, txids: readonly TxId[]): Promise<void> {
    let came: ReadonlySet<TxId> = new Set();
    try {
      const fetched = await this.#context.fetcher.fetchParents(peer, txids);
      if (fetched.ok) came = fetched.value;
    } finally {
      for (const txid of txids) {
        if (came.has(txid)) this.#requests.done(txid);
        else this.#requests.failed(txid, peer);
      }
    }
    this.#ask();
  }
}
