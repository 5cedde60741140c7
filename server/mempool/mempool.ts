import { type SignatureCheck, signaturesOf } from '../../shared/consensus/checkInputs.js';
import type { TxReject } from '../../shared/consensus/reject.js';
import { Emitter } from '../../shared/emitter.js';
import { inputsOf, type Transaction } from '../../shared/model/transaction.js';
import type { PoolReject } from '../../shared/policy/reject.js';
import type { ReasonCode } from '../../shared/reasons.js';
import { accept, type Verdict } from '../../shared/verdict.js';
import type { BlockEvent } from '../chain/events.js';
import type { Write } from '../store/kv.js';
import type { MempoolEvents } from './events.js';
import { type Departure, Intake } from './intake.js';
import { LostTransfers } from './lostTransfers.js';
import type { MempoolParts } from './mempoolParts.js';
import type { Pool, PoolEntry } from './pool.js';
import { type Judged, Returning } from './returning.js';
import { type Arrival, SavedPool, saved, unsaved } from './savedPool.js';

/** How often it is looked whether something has waited too long. */
const EXPIRY_MS = 600_000;

/** A transaction, and the signatures of it that have to be checked. */
type Signed = { readonly transaction: Transaction; readonly check: () => SignatureCheck };

/**
 * The waiting transactions: who gets in, what blocks take out and what reorganisations bring back. Owner of the pool and
 * of its saved copy. Bound: `maxBytes` of memory.
 */
export class Mempool {
  readonly events: Emitter<MempoolEvents>;
  readonly #parts: MempoolParts;
  readonly #intake: Intake;
  readonly #saved: SavedPool;
  readonly #stop: (() => void)[];
  readonly #lost: LostTransfers;
  readonly #returning: Returning;
  #cancelExpiry = (): void => {};

  private constructor(parts: MempoolParts) {
    this.#parts = parts;
    this.events = parts.events ?? new Emitter();
    this.#intake = new Intake({ chain: parts.chain, clock: parts.clock, maxUsage: parts.maxBytes });
    const onJudged = (judged: readonly Judged[]): void => this.#onJudged(judged);
    this.#returning = new Returning({ intake: this.#intake, chain: parts.chain, clock: parts.clock, onJudged });
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
    mempool.#expireByAndBy();
    return mempool;
  }

  /** The waiting transactions. Read it afresh each time: a reorganisation puts another in its place. */
  get pool(): Pool {
    return this.#intake.pool;
  }

  /** The least fee rate that gets in by now, in base units for each byte. */
  get minFeeRate(): number {
    return this.#intake.floor;
  }

  get maxBytes(): number {
    return this.#parts.maxBytes;
  }

  /** Judges a transaction and takes it in; settles once it would survive the death of this process. */
  async submit(transaction: Transaction, source: string | null): Promise<Verdict<PoolEntry, TxReject | PoolReject>> {
    const taken = await this.submitPackage([transaction], source);
    if (!taken.ok) return taken;
    const [entry] = taken.value;
    if (entry === undefined) throw new Error(`transaction ${transaction.txid} was taken in and is not there`);
    return accept(entry);
  }

  /**
   * The same of several at once, parents first: what a parent pays too little, its child may pay. All or none get in; those
   * that wait already are passed over, and not among the entries that come back.
   */
  async submitPackage(
    transactions: readonly Transaction[],
    source: string | null,
  ): Promise<Verdict<readonly PoolEntry[], TxReject | PoolReject>> {
    await this.atRest();
    const signed = this.#toBeSigned(transactions);
    if (!signed.ok) return signed;
    const signatures = await this.#checkSignatures(signed.value);
    if (!signatures.ok) return signatures;
    // Judged again: a block or a rival may have come in while the signatures were checked.
    const firstSeen = this.#parts.clock.now();
    const taken = this.#intake.take(transactions.map((transaction) => ({ transaction, firstSeen })));
    if (!taken.ok) return taken;
    const { added, gone } = taken.value;
    try {
      await this.#saved.write([...added.map(saved), ...gone.map(({ entry }) => unsaved(entry))]);
    } catch (error) {
      this.#intake.undo(taken.value);
      throw error;
    }
    this.#intake.keep(taken.value);
    await this.atRest();
    for (const departure of gone) if (!this.pool.has(departure.entry)) this.#departed(departure);
    for (const entry of added) {
      // A block may have taken it, or its coin, while it was being saved: then it has been told of as gone already.
      const again =
        this.pool.get(entry.transaction.txid) === undefined ? this.#intake.judge(entry.transaction) : undefined;
      if (again?.ok === false && again.reject.code !== 'pool-known') return again;
      if (again === undefined) this.events.emit('accepted', { entry, source });
    }
    return accept(added);
  }

  /** What `submit` would answer now, with nothing taken in, given up or told. Signatures that pass are remembered. */
  async dryRun(transaction: Transaction): Promise<Verdict<void, TxReject | PoolReject>> {
    await this.atRest();
    const signed = this.#toBeSigned([transaction]);
    if (!signed.ok) return signed;
    const signatures = await this.#checkSignatures(signed.value);
    if (!signatures.ok) return signatures;
    const verdict = this.#intake.judge(transaction);
    return verdict.ok ? this.#intake.findsRoom(transaction, verdict.value.replaces) : verdict;
  }

  /** Stops listening. */
  async close(): Promise<void> {
    for (const stop of this.#stop) stop();
    this.#cancelExpiry();
    await this.#returning.close();
  }

  /** Whether what waits stands on the tip: no switch of branches, and nothing to judge again after one. */
  get isAtRest(): boolean {
    return !this.#parts.chain.isSwitching && this.#returning.isDone;
  }

  /** Settles when nothing moves the ground: no switch of branches, and nothing to judge again after one. */
  async atRest(): Promise<void> {
    const { chain } = this.#parts;
    while (!this.isAtRest) {
      await chain.atRest();
      if (!this.#returning.isDone) await this.#returning.run();
    }
  }

  /** What has to be signed for transactions to be taken in. */
  #toBeSigned(transactions: readonly Transaction[]): Verdict<readonly Signed[], TxReject | PoolReject> {
    const [only] = transactions;
    if (only !== undefined && transactions.length === 1) {
      const verdict = this.#intake.judge(only);
      return verdict.ok ? accept([{ transaction: only, check: verdict.value.signatures }]) : verdict;
    }
    // A child's coins are those of a parent that is not here yet: all go in, and out again before anybody has looked.
    const arrivals = transactions.map((transaction) => ({ transaction, firstSeen: 0 }));
    const taken = this.#intake.take(arrivals, { isRehearsal: true });
    if (!taken.ok) return taken;
    this.#intake.undo(taken.value);
    const genesis = this.#parts.chain.genesis.header.hash;
    return accept(
      taken.value.added.map(({ transaction, spent }) => ({
        transaction,
        check: () => signaturesOf(transaction, spent, genesis),
      })),
    );
  }

  /** Checks those that have not passed before. */
  async #checkSignatures(signed: readonly Signed[]): Promise<Verdict<void, TxReject>> {
    const pending = signed.filter(({ transaction }) => !this.#parts.verified.has(transaction.wtxid));
    if (pending.length === 0) return accept(undefined);
    const verdicts = await this.#parts.signatures.check(pending.map(({ check }) => check()));
    for (const [i, { transaction }] of pending.entries()) {
      const verdict = verdicts[i];
      if (verdict === undefined) throw new Error('a signature check came back without a verdict');
      if (!verdict.ok) return verdict;
      this.#parts.verified.add(transaction.wtxid);
    }
    await this.atRest();
    return accept(undefined);
  }

  #departed({ entry: { transaction, spent }, ...why }: Departure): void {
    this.events.emit('dropped', { transaction, spent, ...why });
  }

  /** Gives up, now and then, what has waited too long. */
  #expireByAndBy(): void {
    this.#cancelExpiry = this.#parts.clock.after(EXPIRY_MS, () => {
      if (this.isAtRest) this.#leave(this.#intake.expire());
      this.#expireByAndBy();
    });
  }

  #leave(departures: readonly Departure[]): void {
    this.#saved.note(departures.map(({ entry }) => unsaved(entry)));
    for (const departure of departures) this.#departed(departure);
  }

  #onConnected(event: BlockEvent): void {
    const { block } = event;
    // Amid a switch the tip is nobody's yet, and the branch may still fail: all is judged again at its end.
    if (this.#lost.connected(event)) return;
    const { hash } = block.header;
    const confirmed = this.pool.remove(block.transactions.map(({ txid }) => txid));
    this.#saved.note(confirmed.map(unsaved));
    for (const { transaction } of confirmed) this.events.emit('confirmed', { transaction });
    const losers = block.transactions.flatMap((transaction) =>
      inputsOf(transaction).flatMap((input) => this.pool.spenderOf(input) ?? []),
    );
    const lost = this.pool.removeWithDescendants(losers);
    for (const { transaction } of lost)
      this.#parts.log.info('a waiting transaction lost its coin to a block', { txid: transaction.txid, block: hash });
    this.#leave(lost.map((entry) => ({ entry, code: 'tx-input-missing', by: hash })));
  }

  #onSettled(): void {
    const lost = this.#lost.settled();
    if (lost === undefined) return;
    if (lost.forgotten > 0)
      this.#parts.log.warn('more transactions were in lost blocks than may wait', { forgotten: lost.forgotten });
    const firstSeen = this.#parts.clock.now();
    this.#returning.begin(lost.transfers.map((transfer): Arrival => ({ ...transfer, firstSeen })));
    void this.#returning.run().catch((error: unknown) => {
      this.#parts.log.error('the waiting transactions could not be judged again', { error: String(error) });
    });
  }

  /** Whatever no longer stands leaves with its reason. */
  #onJudged(judged: readonly Judged[]): void {
    const writes: Write[] = [];
    for (const { arrival, taken, isBack } of judged) {
      if (!taken.ok) {
        writes.push(...this.#fellBehind(arrival, taken.reject));
        continue;
      }
      this.#intake.keep(taken.value);
      const { added, gone } = taken.value;
      writes.push(...added.map(saved), ...gone.map(({ entry }) => unsaved(entry)));
      for (const departure of gone) this.#departed(departure);
      if (isBack) for (const entry of added) this.events.emit('accepted', { entry, source: null });
    }
    this.#saved.note(writes);
  }

  #fellBehind({ transaction, spent }: Arrival, reject: TxReject | PoolReject): Write[] {
    if (reject.code === 'pool-known') return reject.confirmedAt === null ? [] : [unsaved({ transaction })];
    this.#parts.log.info('a transaction does not stand on the new branch', { txid: transaction.txid, ...reject });
    this.events.emit('dropped', { transaction, spent, code: reject.code });
    return [unsaved({ transaction })];
  }

  async #load(): Promise<void> {
    let waiting = this.#saved.load();
    const lost: (Arrival & { readonly code: ReasonCode })[] = [];
    // Two of the same millisecond may be in either order: a child waits for another round until its parent is there.
    for (let progress = true; progress; ) {
      progress = false;
      const missing: Arrival[] = [];
      for (const each of waiting) {
        const verdict = await this.#admitSaved(each.transaction, each.firstSeen);
        if (verdict.ok) progress = true;
        else if (verdict.reject.code === 'tx-input-missing') missing.push(each);
        else lost.push({ ...each, code: verdict.reject.code });
      }
      waiting = missing;
    }
    lost.push(...waiting.map((each) => ({ ...each, code: 'tx-input-missing' as const })));
    this.#saved.note(lost.map(unsaved));
    for (const { code, transaction } of lost)
      if (code !== 'pool-known') this.events.emit('dropped', { transaction, spent: undefined, code });
    if (this.pool.count + lost.length > 0)
      this.#parts.log.info('waiting transactions restored', { restored: this.pool.count, dropped: lost.length });
  }

  /** A saved transaction was checked once, but by a process that is gone, and the file is only a file. */
  async #admitSaved(transaction: Transaction, firstSeen: number): Promise<Verdict<void, TxReject | PoolReject>> {
    const verdict = this.#intake.judge(transaction, { isReturning: true });
    if (!verdict.ok) return verdict;
    const checked = await this.#checkSignatures([{ transaction, check: verdict.value.signatures }]);
    if (!checked.ok) return checked;
    // A time that is yet to come is a clock that was wrong: nothing waits longer because of that.
    const seen = Math.min(firstSeen, this.#parts.clock.now());
    const taken = this.#intake.take([{ transaction, firstSeen: seen }], { isReturning: true });
    if (!taken.ok) return taken;
    this.#intake.keep(taken.value);
    this.#saved.note(taken.value.gone.map(({ entry }) => unsaved(entry)));
    return accept(undefined);
  }
}
