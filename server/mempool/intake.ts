import type { TxReject } from '../../shared/consensus/reject.js';
import type { BlockHash, TxId } from '../../shared/model/ids.js';
import { decodeTransaction, isTransfer, type Transaction } from '../../shared/model/transaction.js';
import type { PoolReject } from '../../shared/policy/reject.js';
import { MAX_WAIT_MS, minimumFee } from '../../shared/policy/relay.js';
import type { ReasonCode } from '../../shared/reasons.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { Clock } from '../ports.js';
import { chooseVictims } from './eviction.js';
import { FeeFloor } from './feeFloor.js';
import { judge } from './judge.js';
import { Pool, type PoolEntry } from './pool.js';
import type { Together } from './replacement.js';
import type { Arrival } from './savedPool.js';

/** A transaction that has left the pool without being confirmed. */
export interface Departure {
  readonly entry: PoolEntry;
  readonly code: ReasonCode;
  /** What took its place, or the block that took its coin. */
  readonly by?: TxId | BlockHash;
}

/** What taking transactions in has changed. */
export interface Change {
  readonly added: readonly PoolEntry[];
  readonly gone: readonly Departure[];
}

/** How transactions are taken in. */
export interface TakeOptions {
  /** Whether they have waited here or were in blocks before: what they pay was good enough then. */
  readonly isReturning?: boolean;
  /** Whether they are taken out again at once, for their signatures are not checked: such give nobody's place to anybody. */
  readonly isRehearsal?: boolean;
}

/** How one transaction is judged. */
interface JudgeOptions extends Pick<TakeOptions, 'isReturning'> {
  readonly floor?: number;
  readonly together?: Together;
}

/** What taking in needs. */
export interface IntakeParts {
  readonly chain: Chainstate;
  readonly clock: Pick<Clock, 'now'>;
  /** The most memory that the pool may take, in bytes. */
  readonly maxUsage: number;
}

/**
 * Takes transactions into the pool and out again, at once and wholly: what they replace leaves, what no longer fits is
 * given up, and all of it can be undone. Knows nothing of signatures, storage and events. Bound: `maxUsage`.
 */
export class Intake {
  readonly #parts: IntakeParts;
  readonly #floor = new FeeFloor();
  #pool = new Pool();

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** The waiting transactions. Read it afresh each time: a reorganisation puts another in its place. */
  get pool(): Pool {
    return this.#pool;
  }

  /** The least fee rate that gets in by now, in base units for each byte. */
  get floor(): number {
    const { clock, maxUsage } = this.#parts;
    return this.#floor.rate(clock.now(), this.#pool.usage / maxUsage);
  }

  /** Whether a transaction may be taken in, its signatures aside. */
  judge(
    transaction: Transaction,
    { isReturning = false, floor = this.floor, together }: JudgeOptions = {},
  ): ReturnType<typeof judge> {
    const { chain } = this.#parts;
    const { params, genesis, tip, store } = chain;
    return judge(transaction, {
      ...{ params, genesis: genesis.header.hash, height: tip.header.height + 1, coins: store, pool: this.#pool },
      ...{ floor, isExempt: isReturning, together },
      confirmedAt: (txid) => store.place(txid)?.height,
    });
  }

  /**
   * Takes in one transaction, or several that are judged by what they pay together, parents first. All or none; those that
   * wait already are left as they are.
   */
  take(
    arrivals: readonly Arrival[],
    { isReturning = false, isRehearsal = false }: TakeOptions = {},
  ): Verdict<Change, TxReject | PoolReject> {
    const { floor } = this;
    const added: PoolEntry[] = [];
    const gone: Departure[] = [];
    const isAlone = arrivals.length === 1;
    for (const { transaction, firstSeen } of arrivals) {
      const together = { added, replaced: gone.length };
      const verdict = this.judge(transaction, { isReturning, floor: isAlone ? floor : 0, together });
      if (verdict.ok) {
        const { replaces, fee, spent } = verdict.value;
        for (const entry of this.#pool.remove(idsOf(replaces)))
          gone.push({ entry, code: 'pool-replaced', by: transaction.txid });
        added.push(this.#pool.add({ transaction: ownCopy(transaction), fee, spent, firstSeen }));
      } else if (isAlone || verdict.reject.code !== 'pool-known') {
        this.undo({ added, gone });
        return verdict;
      }
    }
    const fits = this.#checkRates(added, isAlone || isReturning ? 0 : floor);
    const victims = fits.ok && !isRehearsal ? this.#makeRoom(added) : fits;
    if (!victims.ok) {
      this.undo({ added, gone });
      return victims;
    }
    return accept({ added, gone: [...gone, ...(victims.value ?? [])] });
  }

  /** Takes a change back: what had to go comes back as it was, where it still stands and there is room. */
  undo({ added, gone }: Change): void {
    this.#pool.removeWithDescendants(idsOf(added));
    for (const entry of gone.map((each) => each.entry).sort(byArrival)) {
      const fits = this.#pool.usage + entry.usage <= this.#parts.maxUsage;
      if (fits && this.judge(entry.transaction, { isReturning: true }).ok) this.#pool.restore(entry);
    }
  }

  /** Gives up what has waited too long, with all that depends on it. */
  expire(): Departure[] {
    const oldest = this.#parts.clock.now() - MAX_WAIT_MS;
    const late = [...this.#pool.entries()].filter(({ firstSeen }) => firstSeen < oldest);
    return this.#pool.removeWithDescendants(idsOf(late)).map((entry) => ({ entry, code: 'pool-expired' }));
  }

  /** Begins anew with an empty pool; answers what waited. */
  reset(): PoolEntry[] {
    const waiting = [...this.#pool.entries()].sort(byArrival);
    this.#pool = new Pool(this.#pool);
    return waiting;
  }

  /** What a parent lacks, its child may pay: it is the chunk that is mined, so it is the chunk that has to pay. */
  #checkRates(added: readonly PoolEntry[], floor: number): Verdict<void, PoolReject> {
    for (const { transaction } of added) {
      const chunk = this.#pool.chunkOf(transaction.txid);
      if (chunk === undefined) throw new Error(`transaction ${transaction.txid} waits in no chunk`);
      const minimum = minimumFee(chunk.size, floor);
      if (chunk.fee < minimum) return refuse({ code: 'pool-fee-too-low', fee: chunk.fee, minimum });
    }
    return accept(undefined);
  }

  #makeRoom(added: readonly PoolEntry[]): Verdict<Departure[], PoolReject> {
    const { maxUsage: limit, clock } = this.#parts;
    if (this.#pool.usage <= limit) return accept([]);
    const victims = chooseVictims(this.#pool, new Set(added), limit);
    if (victims === undefined) return refuse({ code: 'pool-full', bytes: this.#pool.usage, limit });
    for (const { rate } of victims) this.#floor.raise(rate, clock.now());
    const gone = this.#pool.remove(idsOf(victims.flatMap(({ entries }) => entries)));
    return accept(gone.map((entry) => ({ entry, code: 'pool-full' })));
  }
}

function byArrival(a: PoolEntry, b: PoolEntry): number {
  return a.arrival - b.arrival;
}

function idsOf(entries: readonly PoolEntry[]): TxId[] {
  return entries.map(({ transaction }) => transaction.txid);
}

/** The bytes may be a view into a whole block or request; what waits keeps memory of its own size only. */
function ownCopy(transaction: Transaction): PoolEntry['transaction'] {
  const own = decodeTransaction(transaction.raw.slice());
  if (!own.ok || !isTransfer(own.value)) throw new Error(`transaction ${transaction.txid} does not decode again`);
  return own.value;
}
