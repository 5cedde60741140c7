import type { NetworkParams } from '../../shared/consensus/params.js';
import type { TxReject } from '../../shared/consensus/reject.js';
import { Emitter } from '../../shared/emitter.js';
import type { BlockHash, TxId } from '../../shared/model/ids.js';
import { outPointKey } from '../../shared/model/outpoint.js';
import { decodeTransaction, inputsOf, isTransfer, type Transaction } from '../../shared/model/transaction.js';
import type { PoolReject } from '../../shared/policy/reject.js';
import { feeRate } from '../../shared/policy/relay.js';
import type { ReasonCode } from '../../shared/reasons.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import type { BlockEvent } from '../chain/events.js';
import type { Write } from '../store/kv.js';
import type { MempoolEvents } from './events.js';
import { chooseVictims } from './eviction.js';
import { judge } from './judge.js';
import { LostTransfers } from './lostTransfers.js';
import type { MempoolParts } from './mempoolParts.js';
import { Pool, type PoolEntry } from './pool.js';
import { type Arrival, SavedPool, saved, unsaved } from './savedPool.js';

/** How long a rebuild may hold the event loop before others get a turn. */
const SLICE_MS = 8;

type Lost = Pick<Arrival, 'transaction' | 'spent'>;

/**
 * The waiting transactions: who gets in, what blocks take out and what reorganisations bring back. Owner of the pool and
 * of its saved copy. Bound: `maxBytes` of raw transactions.
 */
export class Mempool {
  readonly events: Emitter<MempoolEvents>;
  readonly #parts: MempoolParts;
  readonly #params: NetworkParams;
  readonly #saved: SavedPool;
  readonly #stop: (() => void)[];
  #pool = new Pool();
  readonly #lost: LostTransfers;
  /** What has to be judged again after a switch, in order; empty while the pool stands on the tip. */
  #unjudged: Arrival[] = [];
  /** Those of them that were in lost blocks: peers may not know that they wait again. */
  #back = new Set<TxId>();
  #rejudging: Promise<void> | undefined;

  private constructor(parts: MempoolParts) {
    this.#parts = parts;
    this.events = parts.events ?? new Emitter();
    this.#params = parts.chain.params;
    this.#saved = new SavedPool(parts.kv, parts.log);
    this.#lost = new LostTransfers(parts.maxBytes);
    const { events } = parts.chain;
    this.#stop = [
      events.on('connected', (event) => this.#onConnected(event)),
      // The saved copy has the same bound.
      events.on('disconnected', (event) => this.#saved.note(this.#lost.disconnected(event).map(unsaved))),
      events.on('settled', () => this.#onSettled()),
    ];
  }

  /** Opens the mempool with what was saved, all of it judged again: the chain may have moved meanwhile. */
  static async open(parts: MempoolParts): Promise<Mempool> {
    const mempool = new Mempool(parts);
    await mempool.#load();
    return mempool;
  }

  /** The waiting transactions. Read it afresh each time: a reorganisation puts another in its place. */
  get pool(): Pool {
    return this.#pool;
  }

  get maxBytes(): number {
    return this.#parts.maxBytes;
  }

  /** Judges a transaction and takes it in; settles once it would survive the death of this process. */
  async submit(transaction: Transaction, source: string | null): Promise<Verdict<PoolEntry, TxReject | PoolReject>> {
    await this.atRest();
    const first = this.#judge(transaction);
    if (!first.ok) return first;
    const { wtxid } = transaction;
    if (!this.#parts.verified.has(wtxid)) {
      const [signatures] = await this.#parts.signatures.check([first.value.signatures()]);
      if (signatures === undefined) throw new Error('a signature check came back without a verdict');
      if (!signatures.ok) return signatures;
      this.#parts.verified.add(wtxid);
      await this.atRest();
    }
    // Judged again: a block or a rival may have come in while the signatures were checked.
    const added = this.#add(transaction, this.#parts.clock.now());
    if (!added.ok) return added;
    try {
      await this.#saved.write([saved(added.value)]);
    } catch (error) {
      this.#pool.removeWithDescendants(transaction.txid);
      throw error;
    }
    await this.atRest();
    // A block may have taken it, or its coin, while it was being saved: then it has been told of as gone already.
    const again = this.#pool.get(transaction.txid) === undefined ? this.#judge(transaction) : undefined;
    if (again === undefined) this.events.emit('accepted', { entry: added.value, source });
    return again?.ok === false && again.reject.code !== 'pool-known' ? again : added;
  }

  /** Stops listening. */
  async close(): Promise<void> {
    for (const stop of this.#stop) stop();
    await this.#rejudging?.catch(() => {});
  }

  /** Whether what waits stands on the tip: no switch of branches, and nothing to judge again after one. */
  get isAtRest(): boolean {
    return !this.#parts.chain.isSwitching && this.#unjudged.length === 0;
  }

  /** Settles when nothing moves the ground: no switch of branches, and nothing to judge again after one. */
  async atRest(): Promise<void> {
    const { chain } = this.#parts;
    while (!this.isAtRest) {
      await chain.atRest();
      if (this.#unjudged.length > 0) await this.#rejudgeAll();
    }
  }

  #judge(transaction: Transaction): ReturnType<typeof judge> {
    const { chain } = this.#parts;
    return judge(transaction, {
      params: this.#params,
      genesis: chain.genesis.header.hash,
      height: chain.tip.header.height + 1,
      coins: chain.store,
      pool: this.#pool,
      wasMined: this.#back.has(transaction.txid),
      confirmedAt: (txid) => chain.store.place(txid)?.height,
    });
  }

  #add(transaction: Transaction, firstSeen: number): Verdict<PoolEntry, TxReject | PoolReject> {
    const verdict = this.#judge(transaction);
    if (!verdict.ok) return verdict;
    const { fee, spent } = verdict.value;
    const room = this.#makeRoom(verdict.value.transaction, feeRate(fee, transaction.raw.length));
    if (!room.ok) return room;
    // The bytes may be a view into a whole block or request; what waits keeps memory of its own size only.
    const own = decodeTransaction(transaction.raw.slice());
    if (!own.ok || !isTransfer(own.value)) throw new Error(`transaction ${transaction.txid} does not decode again`);
    return accept(this.#pool.add({ transaction: own.value, fee, spent, firstSeen }));
  }

  /** Gives up the cheapest transactions, with all that depends on them, for a dearer one; none where that is not enough. */
  #makeRoom(newcomer: Transaction, rate: number): Verdict<void, PoolReject> {
    const excess = this.#pool.bytes + newcomer.raw.length - this.maxBytes;
    if (excess <= 0) return accept(undefined);
    const victims = chooseVictims(this.#pool, { newcomer, rate, excess });
    if (victims === undefined) return refuse({ code: 'pool-full', bytes: this.#pool.bytes, limit: this.maxBytes });
    const gone = victims.flatMap((txid) => this.#pool.removeWithDescendants(txid));
    this.#parts.log.debug('waiting transactions evicted', { count: gone.length });
    this.#saved.note(gone.map(unsaved));
    for (const entry of gone) this.#dropped(entry, 'pool-full');
    return accept(undefined);
  }

  #dropped({ transaction, spent }: Lost, code: ReasonCode, by?: TxId | BlockHash): void {
    this.events.emit('dropped', { transaction, spent, code, by });
  }

  #onConnected(event: BlockEvent): void {
    const { block } = event;
    // Amid a switch the tip is nobody's yet, and the branch may still fail: all is judged again at its end.
    if (this.#lost.connected(event)) return;
    const gone: PoolEntry[] = [];
    for (const transaction of block.transactions) {
      const confirmed = this.#pool.remove(transaction.txid);
      if (confirmed !== undefined) gone.push(confirmed);
    }
    for (const { transaction } of gone) this.events.emit('confirmed', { transaction });
    for (const transaction of block.transactions) {
      for (const input of inputsOf(transaction)) {
        const loser = this.#pool.spenderOf(input);
        if (loser === undefined) continue;
        const reason = { outpoint: outPointKey(input), block: block.header.hash };
        for (const entry of this.#pool.removeWithDescendants(loser)) {
          const { txid } = entry.transaction;
          this.#parts.log.info('a waiting transaction lost its coin to a block', { txid, ...reason });
          gone.push(entry);
          this.#dropped(entry, 'tx-input-missing', reason.block);
        }
      }
    }
    this.#saved.note(gone.map(unsaved));
  }

  #onSettled(): void {
    const lost = this.#lost.settled();
    if (lost === undefined) return;
    if (lost.forgotten > 0)
      this.#parts.log.warn('more transactions were in lost blocks than may wait', { forgotten: lost.forgotten });
    const firstSeen = this.#parts.clock.now();
    const returning = lost.transfers.map((transfer): Arrival => ({ ...transfer, firstSeen }));
    // What the lost blocks held, then what waited, each in its old order, so that parents come before children.
    this.#unjudged = [...returning, ...this.#pool.entries(), ...this.#unjudged];
    this.#back = new Set([...this.#back, ...returning.map(({ transaction }) => transaction.txid)]);
    this.#pool = new Pool(this.#pool);
    void this.#rejudgeAll().catch((error: unknown) => {
      this.#parts.log.error('the waiting transactions could not be judged again', { error: String(error) });
    });
  }

  /** Judges again whatever a switch of branches has left unjudged; where that fails, the next caller tries again. */
  #rejudgeAll(): Promise<void> {
    this.#rejudging ??= this.#rejudge().finally(() => {
      this.#rejudging = undefined;
    });
    return this.#rejudging;
  }

  /** Whatever no longer stands leaves with its reason. Another switch on the way starts it afresh. */
  async #rejudge(): Promise<void> {
    const { clock, chain } = this.#parts;
    while (this.#unjudged.length > 0) {
      await chain.atRest();
      this.#rejudgeSome(clock.monotonic() + SLICE_MS);
      if (this.#unjudged.length > 0) await clock.yield();
    }
    this.#back.clear();
  }

  /** Judges again for one turn. Whatever a failure leaves unjudged is still there for the next. */
  #rejudgeSome(until: number): void {
    const writes: Write[] = [];
    let judged = 0;
    try {
      for (const arrival of this.#unjudged) {
        const { transaction, firstSeen } = arrival;
        const added = this.#add(transaction, firstSeen);
        judged += 1;
        writes.push(...this.#writesAfter(arrival, added));
        if (added.ok && this.#back.delete(transaction.txid))
          this.events.emit('accepted', { entry: added.value, source: null });
        if (this.#parts.clock.monotonic() >= until) break;
      }
    } finally {
      this.#unjudged = this.#unjudged.slice(judged);
      this.#saved.note(writes);
    }
  }

  #writesAfter(arrival: Arrival, added: Verdict<PoolEntry, TxReject | PoolReject>): Write[] {
    if (added.ok) return [saved(added.value)];
    const { reject } = added;
    const { transaction } = arrival;
    if (reject.code === 'pool-known') return reject.confirmedAt === null ? [] : [unsaved({ transaction })];
    this.#parts.log.info('a transaction does not stand on the new branch', { txid: transaction.txid, ...reject });
    this.#dropped(arrival, reject.code, reject.code === 'pool-conflict' ? reject.spender : undefined);
    return [unsaved({ transaction })];
  }

  async #load(): Promise<void> {
    let waiting = this.#saved.load();
    const lost: Arrival[] = [];
    // Two of the same millisecond may be in either order: a child waits for another round until its parent is there.
    for (let progress = true; progress; ) {
      progress = false;
      const missing: Arrival[] = [];
      for (const each of waiting) {
        const verdict = await this.#admitSaved(each.transaction, each.firstSeen);
        if (verdict.ok) progress = true;
        else if (verdict.reject.code === 'tx-input-missing') missing.push(each);
        else this.#loadedInVain(lost, each, verdict.reject.code);
      }
      waiting = missing;
    }
    for (const each of waiting) this.#loadedInVain(lost, each, 'tx-input-missing');
    this.#saved.note(lost.map(unsaved));
    if (this.#pool.count + lost.length > 0)
      this.#parts.log.info('waiting transactions restored', { restored: this.#pool.count, dropped: lost.length });
  }

  #loadedInVain(lost: Arrival[], arrival: Arrival, code: ReasonCode): void {
    lost.push(arrival);
    if (code !== 'pool-known') this.#dropped(arrival, code);
  }

  /** A saved transaction was checked once, but by a process that is gone, and the file is only a file. */
  async #admitSaved(transaction: Transaction, firstSeen: number): Promise<Verdict<PoolEntry, TxReject | PoolReject>> {
    const verdict = this.#judge(transaction);
    if (!verdict.ok) return verdict;
    const [signatures] = await this.#parts.signatures.check([verdict.value.signatures()]);
    if (signatures?.ok !== true) return signatures ?? refuse({ code: 'tx-malformed', detail: 'no verdict' });
    this.#parts.verified.add(transaction.wtxid);
    return this.#add(transaction, firstSeen);
  }
}
