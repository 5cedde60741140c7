import { LRUCache } from 'lru-cache';
import type { TxId } from '../../shared/model/ids.js';
import type { Transaction } from '../../shared/model/transaction.js';
import type { ReasonCode } from '../../shared/reasons.js';
import type { Mempool } from '../mempool/mempool.js';
import type { Peer } from '../net/peer.js';
import type { Peers } from '../net/peers.js';
import type { Logger } from '../ports.js';

/** How many parents that paid too little are kept, and how many raw bytes of them. */
const KEPT = { max: 500, maxSize: 1_000_000 };

/** A transaction, and the peer that handed it over. */
export interface Sent {
  readonly transaction: Transaction;
  readonly sender: Peer;
}

/** What trying a parent with its child needs. */
export interface PoorParentsParts {
  readonly mempool: Pick<Mempool, 'submitPackage'>;
  readonly peers: Pick<Peers, 'brought' | 'charge'>;
  readonly log: Logger;
}

/** What came of trying the two: they pay too little together, or one of them is bad whatever it pays. */
export type Trial = 'taken' | 'poor' | 'bad';

/**
 * Parents that were refused for their fee alone, and their trial with a child that may pay for them (one parent, one child,
 * as in Bitcoin Core 28). Such a parent is not relayed without its child, but often comes before it.
 */
export class PoorParents {
  readonly #parts: PoorParentsParts;
  readonly #kept = new LRUCache<TxId, Sent>({ ...KEPT, sizeCalculation: ({ transaction }) => transaction.raw.length });

  constructor(parts: PoorParentsParts) {
    this.#parts = parts;
  }

  get(txid: TxId): Sent | undefined {
    return this.#kept.get(txid);
  }

  keep(parent: Sent): void {
    this.#kept.set(parent.transaction.txid, parent);
  }

  /** Tries the two together. Throws where this machine fails. */
  async try(parent: Sent, child: Sent): Promise<Trial> {
    const { mempool, peers, log } = this.#parts;
    const { txid } = parent.transaction;
    const verdict = await mempool.submitPackage([parent.transaction, child.transaction], parent.sender.url);
    if (verdict.ok) {
      this.#kept.delete(txid);
      for (const sender of new Set([parent.sender, child.sender])) peers.brought(sender);
      return 'taken';
    }
    const { reject } = verdict;
    log.debug('a parent and its child were refused', { txid, child: child.transaction.txid, ...reject });
    if (isAboutFee(reject.code)) return 'poor';
    this.#kept.delete(txid);
    // Of two senders nobody can say which of them sent what is bad.
    if (parent.sender === child.sender) peers.charge(parent.sender, reject);
    return 'bad';
  }
}

/** Whether a transaction was refused for nothing but what it pays. */
export function isAboutFee(code: ReasonCode): boolean {
  return code === 'pool-fee-too-low' || code === 'pool-full';
}
