import type { TxId, Wtxid } from '../../shared/model/ids.js';
import { RecentSet } from '../../shared/recentSet.js';
import type { Chainstate } from '../chain/chainstate.js';

/** Names remembered of each kind: a few blocks full of small payments. */
const REMEMBERED = 50_000;

/**
 * Transactions that do not wait here and need not be fetched all the same: they were confirmed lately, and a peer that
 * has not heard of the block still names them; or they were refused, and will be until the tip moves. A wtxid fixes every
 * byte, so nobody can have another's transaction taken for refused (Bitcoin Core: recent confirmed, recent rejects).
 */
export class RecentlyDecided {
  readonly #confirmed = new RecentSet<Wtxid>(REMEMBERED);
  #refused = new RecentSet<Wtxid>(REMEMBERED);
  /** Those that are refused under any signatures. */
  #refusedBodies = new RecentSet<TxId>(REMEMBERED);
  readonly #stop: (() => void)[];

  constructor({ events }: Pick<Chainstate, 'events'>) {
    this.#stop = [
      events.on('connected', ({ block }) => {
        for (const { wtxid } of block.transactions) this.#confirmed.add(wtxid);
      }),
      events.on('disconnected', ({ block }) => {
        for (const { wtxid } of block.transactions) this.#confirmed.delete(wtxid);
      }),
      events.on('settled', () => {
        this.#refused = new RecentSet(REMEMBERED);
        this.#refusedBodies = new RecentSet(REMEMBERED);
      }),
    ];
  }

  close(): void {
    for (const stop of this.#stop) stop();
  }

  has(wtxid: Wtxid): boolean {
    return this.#confirmed.has(wtxid) || this.#refused.has(wtxid);
  }

  /** A transaction was refused by a rule that will refuse it again. */
  refused(wtxid: Wtxid): void {
    this.#refused.add(wtxid);
  }

  hasBody(txid: TxId): boolean {
    return this.#refusedBodies.has(txid);
  }

  /** It was refused by a rule that no other signatures help against. */
  refusedBody(txid: TxId): void {
    this.#refusedBodies.add(txid);
  }
}
