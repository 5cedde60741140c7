import type { Coin } from '../../shared/consensus/coins.js';
import type { Address } from '../../shared/model/address.js';
import type { TxId } from '../../shared/model/ids.js';
import type { Transaction } from '../../shared/model/transaction.js';
import type { TransactionChange, TransactionChangeKind, TransactionCursor } from '../../shared/rpc/events.js';
import type { Chainstate } from '../chain/chainstate.js';
import { type FoundTransaction, transactionsOf } from '../chain/transactionsOf.js';
import type { Mempool } from '../mempool/mempool.js';
import type { Clock } from '../ports.js';
import type { HeaderRecord } from '../store/layout.js';
import { Bell } from './bell.js';
import type { FollowOptions } from './followBlocks.js';
import { type Concerns, PoolNews } from './poolNews.js';
import { endOf, findPosition, formatPosition, nextMove, type Position } from './transactionPosition.js';

/** What is looked at. */
export interface FollowedParts {
  readonly chain: Chainstate;
  readonly mempool: Mempool;
  readonly clock: Pick<Clock, 'yield'>;
}

/** Whom or what a subscriber watches; everything, where neither is named. */
export interface Watched {
  readonly addresses?: readonly Address[] | undefined;
  readonly txids?: readonly TxId[] | undefined;
  /** Only changes of these kinds; all, where none are named. */
  readonly kinds?: readonly TransactionChangeKind[] | undefined;
}

/**
 * Changes of transactions: what blocks of the active chain bring and take back, in order and once each from wherever the
 * follower stands, and what comes to wait or stops waiting, as long as it listens. What the chain has to tell comes
 * first. Ends quietly when the signal aborts.
 */
export async function* followTransactions(
  { chain, mempool, clock }: FollowedParts,
  { after, signal, ...watched }: FollowOptions<TransactionCursor> & Watched,
): AsyncGenerator<TransactionChange> {
  const concerns = concernsOf(watched);
  const { kinds } = watched;
  const isWanted = ({ kind }: { readonly kind: TransactionChange['kind'] }): boolean =>
    kind === 'reset' || kinds === undefined || kinds.includes(kind);
  using bell = new Bell(signal);
  using news = new PoolNews(mempool, { concerns, ring: bell.ring });
  const stop = chain.events.on('settled', bell.ring);
  // Who asks for none of what blocks bring and take back passes each block in one step.
  const hearsBlocks = isWanted({ kind: 'confirmed' }) || isWanted({ kind: 'unconfirmed' });
  const walk = new Walk(chain, hearsBlocks ? concerns : () => false);
  try {
    await mempool.atRest();
    let at = after === undefined ? undefined : findPosition(chain, after);
    if (at === undefined) {
      at = endOf(chain.tip);
      yield reset(at);
    }
    while (!signal?.aborted) {
      await mempool.atRest();
      const step = walk.next(at);
      if (step !== undefined) {
        at = step.at;
        if (step.change === undefined || !isWanted(step.change)) await clock.yield();
        else yield step.change;
        continue;
      }
      const pooled = news.next();
      if (pooled === undefined) await bell.next();
      else if (pooled === 'overflow') yield reset(at);
      else if (isWanted(pooled)) yield { ...pooled, cursor: formatPosition(at) };
    }
  } finally {
    stop();
  }
}

/** Walks from position to position, past whatever is none of the follower's business. */
class Walk {
  readonly #chain: Chainstate;
  readonly #concerns: Concerns;
  /** The transactions of the block under way. */
  #block: { readonly record: HeaderRecord; readonly transactions: readonly FoundTransaction[] } | undefined;

  constructor(chain: Chainstate, concerns: Concerns) {
    this.#chain = chain;
    this.#concerns = concerns;
  }

  /** The next change within a block, or its far end where it holds none; `undefined` on the tip. */
  next(from: Position): { readonly at: Position; readonly change: TransactionChange | undefined } | undefined {
    let at = from;
    let entered: HeaderRecord | undefined;
    for (;;) {
      const move = nextMove(this.#chain, at);
      if (move === undefined) {
        // Whoever has caught up may wait for long: a whole block is not kept for it.
        this.#block = undefined;
        return at === from ? undefined : { at, change: undefined };
      }
      const { kind, record, position } = move;
      if (entered !== undefined && entered.header.hash !== record.header.hash) return { at, change: undefined };
      entered = record;
      at = { record, count: kind === 'confirmed' ? position + 1 : position };
      const { transaction, spent = [] } = this.#transaction(record, position);
      if (!this.#concerns(transaction, spent)) continue;
      const { height, hash } = record.header;
      return { at, change: { kind, txid: transaction.txid, height, hash, position, cursor: formatPosition(at) } };
    }
  }

  #transaction(record: HeaderRecord, position: number): FoundTransaction {
    if (this.#block?.record.header.hash !== record.header.hash) {
      const { store } = this.#chain;
      const { hash } = record.header;
      this.#block = { record, transactions: [...transactionsOf(store.block(hash), store.undo(hash))] };
    }
    const found = this.#block.transactions[position];
    if (found === undefined) throw new RangeError(`block ${record.header.hash} has no transaction ${position}`);
    return found;
  }
}

function reset(at: Position): TransactionChange {
  const { height, hash } = at.record.header;
  return { kind: 'reset', height, hash, cursor: formatPosition(at) };
}

function concernsOf({ addresses, txids }: Watched): Concerns {
  if (addresses === undefined && txids === undefined) return () => true;
  const [owners, named] = [new Set(addresses), new Set(txids)];
  const isOurs = ({ address }: Pick<Coin, 'address'>): boolean => owners.has(address);
  return ({ txid, body }: Transaction, spent) => named.has(txid) || spent.some(isOurs) || body.outputs.some(isOurs);
}
