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
import type { Chunk } from './linearize.js';
import { Pool, type PoolEntry } from './pool.js';
import type { Together } from './replacement.js';
import type { Arrival } from './savedPool.js';
import { usageOf } from './usage.js';

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
  /** The best rate of what no longer fitted; 0 where all of it did. */
  readonly givenUp: number;
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
    const { params, genesis, tip, store } = this.#parts.chain;
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
    const victims = fits.ok && !isRehearsal ? this.#chooseVictims(added) : fits;
    if (!victims.ok) {
      this.undo({ added, gone });
      return victims;
    }
    if (victims.value === undefined) return accept({ added, gone, givenUp: 0 });
    const out = this.#pool.remove(idsOf(victims.value.flatMap(({ entries }) => entries)));
    const full = out.map((entry): Departure => ({ entry, code: 'pool-full' }));
    const givenUp = victims.value.reduce((most, { rate }) => Math.max(most, rate), 0);
    return accept({ added, gone: [...gone, ...full], givenUp });
  }

  /** A change stays: whoever wants in from now on has to pay more than what was given up. */
  keep({ givenUp }: Change): void {
    if (givenUp > 0) this.#floor.raise(givenUp, this.#parts.clock.now());
  }

  /** Whether one that has been judged would find room. Leaves all as it was. */
  findsRoom(transaction: Transaction, replaces: readonly PoolEntry[]): Verdict<void, TxReject | PoolReject> {
    const freed = replaces.reduce((sum, { usage }) => sum + usage, 0);
    if (this.#pool.usage - freed + usageOf(transaction) <= this.#parts.maxUsage) return accept(undefined);
    const taken = this.take([{ transaction, firstSeen: this.#parts.clock.now() }]);
    if (!taken.ok) return taken;
    this.undo(taken.value);
    return accept(undefined);
  }

  /** Takes a change back: what had to go comes back as it was, where it still stands and there is room. */
  undo({ added, gone }: Pick<Change, 'added' | 'gone'>): void {
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
    const waiting = [...this.#pool.entries()];
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

  #chooseVictims(added: readonly PoolEntry[]): Verdict<readonly Chunk[], PoolReject> {
    const { maxUsage: limit } = this.#parts;
    const victims = chooseVictims(this.#pool, new Set(added), limit);
    return victims === undefined ? refuse({ code: 'pool-full', bytes: this.#pool.usage, limit }) : accept(victims);
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
