import type { Coin } from '../../shared/consensus/coins.js';
import type { TxId, Wtxid } from '../../shared/model/ids.js';
import type { Transaction } from '../../shared/model/transaction.js';
import type { ReasonCode } from '../../shared/reasons.js';
import type { Mempool } from '../mempool/mempool.js';

/** News of waiting transactions that a subscriber has not fetched yet. */
const MAX_NEWS = 1_000;

/** A transaction waits, or does no longer. */
export type News =
  | { readonly kind: 'waiting'; readonly txid: TxId; readonly wtxid: Wtxid }
  | { readonly kind: 'dropped'; readonly txid: TxId; readonly code: ReasonCode };

/** Whether a subscriber wants to hear of a transaction that spends these coins. */
export type Concerns = (transaction: Transaction, spent: readonly Coin[]) => boolean;

/**
 * What one subscriber has still to hear of the mempool. Bounded: of a subscriber that does not keep up, the news are
 * thrown away, and it is told that there were some.
 */
export class PoolNews implements Disposable {
  readonly #mempool: Mempool;
  readonly #stop: (() => void)[];
  #news: News[] = [];
  #overflowed = false;

  constructor(mempool: Mempool, { concerns, ring }: { readonly concerns: Concerns; readonly ring: () => void }) {
    this.#mempool = mempool;
    const tell = (news: News): void => {
      this.#push(news);
      ring();
    };
    this.#stop = [
      mempool.events.on('accepted', ({ entry: { transaction, spent } }) => {
        const { txid, wtxid } = transaction;
        if (concerns(transaction, spent)) tell({ kind: 'waiting', txid, wtxid });
      }),
      mempool.events.on('dropped', ({ transaction, spent = [], code }) => {
        if (concerns(transaction, spent)) tell({ kind: 'dropped', txid: transaction.txid, code });
      }),
    ];
  }

  /** The next news that still hold; `overflow` once where some were lost, `undefined` where there are none. */
  next(): News | 'overflow' | undefined {
    if (this.#overflowed) {
      this.#overflowed = false;
      return 'overflow';
    }
    for (let news = this.#news.shift(); news !== undefined; news = this.#news.shift())
      // A block may have taken it meanwhile, or a rival; then there are other news of it, told in their own order.
      if ((this.#mempool.pool.get(news.txid) !== undefined) === (news.kind === 'waiting')) return news;
    return undefined;
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stop) stop();
  }

  #push(news: News): void {
    if (this.#news.length < MAX_NEWS) {
      this.#news.push(news);
      return;
    }
    this.#news = [];
    this.#overflowed = true;
  }
}
