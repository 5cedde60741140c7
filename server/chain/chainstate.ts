import PQueue from 'p-queue';
import { checkBlock, checkBody } from '../../shared/consensus/checkBlock.js';
import { checkHeader, checkMinimumWork } from '../../shared/consensus/checkHeader.js';
import { type Connection, connectBlock } from '../../shared/consensus/connectBlock.js';
import type { NetworkParams } from '../../shared/consensus/params.js';
import type { BlockReject, HeaderReject } from '../../shared/consensus/reject.js';
import { Emitter } from '../../shared/emitter.js';
import { TrestleError } from '../../shared/errors.js';
import type { Block } from '../../shared/model/block.js';
import type { Header } from '../../shared/model/header.js';
import type { BlockHash } from '../../shared/model/ids.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import type { Clock, Logger, Signatures } from '../ports.js';
import { type ChainStore, corrupt } from '../store/chainStore.js';
import type { Kv, Write } from '../store/kv.js';
import { type HeaderRecord, layout, type Meta, type Totals } from '../store/layout.js';
import { put } from '../store/space.js';
import { connectWrites, disconnectWrites } from './blockWrites.js';
import type { ChainEvents } from './events.js';
import { HeaderTree, tipWrites } from './headerTree.js';
import { type OpenedChain, openChain } from './openChain.js';
import type { VerifiedSet } from './verifiedSet.js';

/** Blocks and batches of headers that may wait for their turn. */
export const MAX_QUEUED = 256;

/** What the chain needs from outside. */
export interface ChainParts {
  readonly kv: Kv;
  /** Where the store is, for messages. */
  readonly directory: string;
  readonly params: NetworkParams;
  readonly signatures: Signatures;
  readonly verified: VerifiedSet;
  readonly clock: Pick<Clock, 'now' | 'yield'>;
  readonly log: Logger;
}

/** What became of a block. */
export interface BlockOutcome {
  readonly record: HeaderRecord;
  readonly status: 'connected' | 'side' | 'known';
}

/**
 * The chain: sole owner of the tip. Everything that changes it goes through one queue, one block is one commit, and what
 * others see of it (`tip`, `totals`, the store) is always the state after a whole commit.
 *
 * Invariants: every stored body's parent has a stored body; the tip is a valid block with the most work among those
 * whose bodies are stored, the first found among equals; undo of every block of the active chain is stored.
 */
export class Chainstate {
  readonly events = new Emitter<ChainEvents>();
  readonly headers: HeaderTree;
  readonly store: ChainStore;
  readonly genesis: Block;
  readonly params: NetworkParams;
  readonly #parts: ChainParts;
  readonly #queue = new PQueue({ concurrency: 1 });
  #meta: Meta;
  #tip: HeaderRecord;
  #bestHeader: HeaderRecord;
  #atRest: Promise<void> = Promise.resolve();

  private constructor(parts: ChainParts, { store, meta, genesis }: OpenedChain) {
    this.#parts = parts;
    this.params = parts.params;
    this.store = store;
    this.genesis = genesis;
    this.headers = new HeaderTree(store);
    this.#meta = meta;
    this.#tip = this.headers.require(meta.tip);
    this.#bestHeader = this.headers.best(() => true);
  }

  /** Opens the chain and goes on where it stood: a switch of branches that a crash cut short is taken up again. */
  static async open(parts: ChainParts): Promise<Chainstate> {
    const chain = new Chainstate(parts, await openChain(parts.kv, parts.params, parts.directory));
    await chain.#queue.add(() => chain.#activate(chain.headers.best(({ body }) => body !== null)));
    return chain;
  }

  /** The last block of the active chain. */
  get tip(): HeaderRecord {
    return this.#tip;
  }

  /** Sums over the active chain. */
  get totals(): Totals {
    return this.#meta.totals;
  }

  /** The valid header with the most work, whether its body is here or not. */
  get bestHeader(): HeaderRecord {
    return this.#bestHeader;
  }

  /** Settles when no switch of branches is under way: between its blocks the coins are those of neither branch. */
  atRest(): Promise<void> {
    return this.#atRest;
  }

  /** The record of a block on the active chain, by height. */
  at(height: number): HeaderRecord | undefined {
    const hash = this.store.hashAt(height);
    return hash === undefined ? undefined : this.headers.require(hash);
  }

  /** Whether a block is on the active chain. */
  isActive({ header }: HeaderRecord): boolean {
    return this.store.hashAt(header.height) === header.hash;
  }

  /**
   * Takes headers that follow one another, and answers with the last one's record. Those before a bad one are kept,
   * where their branch has work enough.
   */
  submitHeaders(headers: readonly Header[]): Promise<Verdict<HeaderRecord, HeaderReject>> {
    return this.#enqueue(() => this.#acceptHeaders(headers));
  }

  /** Takes a whole block; settles once what became of it is stored durably. */
  submitBlock(block: Block): Promise<Verdict<BlockOutcome, HeaderReject | BlockReject>> {
    return this.#enqueue(() => this.#acceptBlock(block));
  }

  /** Settles when everything submitted so far is done. */
  async close(): Promise<void> {
    await this.#queue.onIdle();
  }

  /** One job at a time, and after each a turn for everything else: a long sync must not silence the node. */
  async #enqueue<T>(job: () => Promise<T>): Promise<T> {
    if (this.#queue.size >= MAX_QUEUED) throw new TrestleError({ code: 'busy', detail: 'too many blocks wait' });
    return this.#queue.add(async () => {
      try {
        return await job();
      } finally {
        await this.#parts.clock.yield();
      }
    });
  }

  async #acceptHeaders(headers: readonly Header[]): Promise<Verdict<HeaderRecord, HeaderReject>> {
    const writes: Write[] = [];
    let last: HeaderRecord | undefined;
    let failure: HeaderReject | undefined;
    for (const header of headers) {
      const known = this.headers.get(header.hash);
      if (known !== undefined) {
        last = known;
        continue;
      }
      const checked = this.#checkNewHeader(header);
      if (!checked.ok) {
        failure = checked.reject;
        break;
      }
      last = checked.value;
      writes.push(...this.headers.addition(last));
    }
    if (last !== undefined && writes.length > 0) {
      const enough = this.#checkWork(last.work);
      if (!enough.ok) {
        // What was only staged must not pass for stored.
        this.headers.forget();
        return enough;
      }
      await this.#commit(writes);
      this.#noteHeader(last);
    }
    if (failure !== undefined) return refuse(failure);
    return accept(last ?? this.#tip);
  }

  #checkNewHeader(header: Header): Verdict<HeaderRecord, HeaderReject> {
    const { params, clock } = this.#parts;
    const parent = this.headers.get(header.previous);
    const context = parent === undefined ? undefined : this.headers.contextOf(parent);
    const verdict = checkHeader(header, context, { params, now: clock.now() });
    if (!verdict.ok) return verdict;
    if (parent === undefined) return refuse({ code: 'header-parent-unknown', previous: header.previous });
    return accept(this.headers.childOf(parent, header));
  }

  #checkWork(work: bigint): Verdict<void, HeaderReject> {
    const { minimumWork } = this.params;
    return checkMinimumWork(work, { minimumWork, tipWork: this.#tip.work, tipBits: this.#tip.header.bits });
  }

  async #acceptBlock(block: Block): Promise<Verdict<BlockOutcome, HeaderReject | BlockReject>> {
    const { hash, previous } = block.header;
    const known = this.headers.get(hash);
    if (known?.invalid) return refuse({ code: 'block-known-invalid', hash });
    if (known?.body) return accept({ record: known, status: 'known' });
    const checked = known === undefined ? this.#checkNewHeader(block.header) : accept(known);
    if (!checked.ok) return checked;
    const enough = this.#checkWork(checked.value.work);
    if (!enough.ok) return enough;
    // Bodies come parents first: what stands on a header alone cannot be judged yet.
    if (this.headers.require(previous).body === null) return refuse({ code: 'header-parent-unknown', previous });
    const body = checkBody(block);
    if (!body.ok) return body;
    const record = { ...checked.value, body: factsOf(block) };
    const rules = checkBlock(block, this.params);
    if (!rules.ok) {
      await this.#markInvalid(checked.value);
      return rules;
    }
    const stored = [put(layout.block, hash, block.raw)];
    stored.push(...(known === undefined ? this.headers.addition(record) : [this.headers.update(record)]));
    if (previous === this.#tip.header.hash) return this.#extend(block, record, stored);
    await this.#commit(stored);
    this.#noteHeader(record);
    if (record.work <= this.#tip.work) return accept({ record, status: 'side' });
    const failures = await this.#activate(record);
    if (this.isActive(record)) return accept({ record, status: 'connected' });
    const reject = failures.get(hash);
    return refuse(reject ?? { code: 'header-parent-invalid', previous });
  }

  /** The common case: the block stands on the tip, and body, header and all its changes are one commit. */
  async #extend(
    block: Block,
    record: HeaderRecord,
    stored: readonly Write[],
  ): Promise<Verdict<BlockOutcome, BlockReject>> {
    const connected = await this.#connect(block, record, stored);
    if (!connected.ok) {
      this.headers.forget();
      await this.#markInvalid({ ...record, body: null });
      return connected;
    }
    this.#noteHeader(this.#tip);
    this.events.emit('settled', { tip: this.#tip, reorganized: false });
    return accept({ record: this.#tip, status: 'connected' });
  }

  /**
   * Moves the tip to `target` by one plan: back to the fork, then up the other branch. Where a block on the way proves
   * invalid, it and its descendants are marked and the best valid chain is restored before anyone else gets a turn, the
   * old one where none has more work. Answers which blocks failed.
   */
  async #activate(target: HeaderRecord): Promise<ReadonlyMap<BlockHash, BlockReject>> {
    const failures = new Map<BlockHash, BlockReject>();
    const original = this.#tip;
    if (target.work <= original.work) return failures;
    const finished = deferred();
    this.#atRest = finished.promise;
    let reorganized = false;
    try {
      let goal = target;
      while (this.#tip.header.hash !== goal.header.hash) {
        const fork = this.headers.fork(this.#tip, goal);
        for (; this.#tip.header.hash !== fork.header.hash; reorganized = true) await this.#disconnectTip();
        const failed = await this.#connectPath(this.headers.path(fork, goal));
        if (failed === undefined) break;
        failures.set(failed.record.header.hash, failed.reject);
        this.#parts.log.warn('a block on the better branch is invalid', { ...failed.reject });
        await this.#markInvalid(failed.record);
        const best = this.headers.best(({ body }) => body !== null);
        goal = best.work > original.work ? best : original;
      }
    } finally {
      finished.resolve();
    }
    if (this.#tip.header.hash !== original.header.hash) this.events.emit('settled', { tip: this.#tip, reorganized });
    return failures;
  }

  async #connectPath(
    path: readonly HeaderRecord[],
  ): Promise<{ record: HeaderRecord; reject: BlockReject } | undefined> {
    for (const record of path) {
      const connected = await this.#connect(this.store.block(record.header.hash), record, []);
      if (!connected.ok) return { record, reject: connected.reject };
      await this.#parts.clock.yield();
    }
    return undefined;
  }

  /** Connects one block to the tip: rules, signatures, then one commit, then the event. */
  async #connect(block: Block, record: HeaderRecord, before: readonly Write[]): Promise<Verdict<void, BlockReject>> {
    const { store, params } = this;
    const connection = connectBlock(block, store, { params, genesis: this.genesis.header.hash });
    if (!connection.ok) return connection;
    const signatures = await this.#checkSignatures(block, connection.value);
    if (!signatures.ok) return signatures;
    const { spent, fees } = connection.value;
    const { writes, totals } = connectWrites({ store, block, spent, totals: this.totals });
    const connected = { ...record, fees };
    await this.#commit([...before, ...writes, this.headers.update(connected)], { tip: connected, totals });
    this.events.emit('connected', { block, record: connected });
    return accept(undefined);
  }

  async #disconnectTip(): Promise<void> {
    const record = this.#tip;
    const { hash, previous } = record.header;
    const block = this.store.block(hash);
    const spent = this.store.undo(hash);
    if (spent === undefined) throw corrupt(`undo of block ${hash} is missing`);
    const { writes, totals } = disconnectWrites({ store: this.store, block, spent, totals: this.totals });
    await this.#commit(writes, { tip: this.headers.require(previous), totals });
    this.events.emit('disconnected', { block, record });
    await this.#parts.clock.yield();
  }

  /** Checks the signatures of a block that have not passed before. */
  async #checkSignatures(block: Block, { checks }: Connection): Promise<Verdict<void, BlockReject>> {
    const { signatures, verified } = this.#parts;
    const pending = checks.flatMap(({ position, check }) => {
      const wtxid = block.transactions[position]?.wtxid;
      return wtxid === undefined || verified.has(wtxid) ? [] : [{ position, wtxid, check }];
    });
    const verdicts = await signatures.check(pending.map(({ check }) => check));
    for (const [i, { position, wtxid }] of pending.entries()) {
      const verdict = verdicts[i];
      if (verdict === undefined) throw new Error('signature checks came back short');
      if (!verdict.ok) return refuse({ code: 'block-tx', position, reject: verdict.reject });
      verified.add(wtxid);
    }
    return accept(undefined);
  }

  /** Marks a header and all that stands on it, so that none of it is ever tried again. */
  async #markInvalid(record: HeaderRecord): Promise<void> {
    const marked = new Map<BlockHash, HeaderRecord>([[record.header.hash, record]]);
    const writes: Write[] = [];
    const parent = this.headers.require(record.header.previous);
    let parentIsTip = true;
    for (const tip of Array.from(this.store.tips(), (hash) => this.headers.require(hash))) {
      if (this.headers.descends(tip, record)) {
        writes.push(...tipWrites(tip, 'remove'));
        for (const child of this.headers.path(record, tip)) marked.set(child.header.hash, child);
      } else if (this.headers.descends(tip, parent)) parentIsTip = false;
    }
    if (parentIsTip) writes.push(...tipWrites(parent, 'put'));
    for (const each of marked.values()) writes.push(this.headers.update({ ...each, invalid: true }));
    await this.#commit(writes);
    this.#bestHeader = this.headers.best(() => true);
  }

  #noteHeader(record: HeaderRecord): void {
    const best = this.#bestHeader;
    if (record.work > best.work || record.header.hash === best.header.hash) this.#bestHeader = record;
  }

  /** One batch, all or nothing. What is remembered moves only after the store has. */
  async #commit(writes: readonly Write[], moved?: { tip: HeaderRecord; totals: Totals }): Promise<void> {
    const meta = moved === undefined ? this.#meta : { ...this.#meta, tip: moved.tip.header.hash, totals: moved.totals };
    try {
      await this.#parts.kv.commit(moved === undefined ? writes : [...writes, put(layout.meta, null, meta)]);
    } catch (error) {
      this.headers.forget();
      throw error;
    }
    this.#meta = meta;
    if (moved !== undefined) this.#tip = moved.tip;
  }
}

function factsOf(block: Block): NonNullable<HeaderRecord['body']> {
  const creator = block.transactions[0]?.body.outputs[0]?.address ?? null;
  return { size: block.raw.length, transactions: block.transactions.length, creator };
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
