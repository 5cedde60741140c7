import PQueue from 'p-queue';
import { checkBlock, checkBody } from '../../shared/consensus/checkBlock.js';
import type { NetworkParams } from '../../shared/consensus/params.js';
import type { BlockReject, HeaderReject } from '../../shared/consensus/reject.js';
import { Emitter } from '../../shared/emitter.js';
import { TrestleError } from '../../shared/errors.js';
import type { Block } from '../../shared/model/block.js';
import type { Header } from '../../shared/model/header.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import type { Clock, Logger, Signatures } from '../ports.js';
import type { ChainStore } from '../store/chainStore.js';
import type { Kv, Write } from '../store/kv.js';
import { type HeaderRecord, layout, type Totals } from '../store/layout.js';
import { put } from '../store/space.js';
import { factsOf } from './bodyFacts.js';
import { BranchSwitch, type SwitchParts } from './branchSwitch.js';
import type { ChainEvents } from './events.js';
import { HeaderGate } from './headerGate.js';
import { HeaderMarks, reasonOfMark } from './headerMarks.js';
import type { HeaderTree } from './headerTree.js';
import { openChain } from './openChain.js';
import { TipMover } from './tipMover.js';
import { TipState } from './tipState.js';
import type { VerifiedSet } from './verifiedSet.js';

/** Blocks and batches of headers that may wait for their turn. */
export const MAX_QUEUED = 256;

/** Turns of the event loop in which a call leaves this process: a fetch hands its body to the socket in the second. */
const TURNS_TO_TELL = 3;

/** What the chain needs from outside. */
export interface ChainParts extends Partial<Pick<SwitchParts, 'keep'>> {
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
 * The chain: sole owner of the tip. Everything that changes it goes through one queue, and one block is one commit.
 *
 * Invariants: every stored body's parent has a stored body; the tip is a valid block with the most work among those
 * whose bodies are stored, the first found among equals; undo of every block of the active chain is stored.
 */
export class Chainstate {
  readonly events = new Emitter<ChainEvents>();
  readonly #clock: ChainParts['clock'];
  readonly #queue = new PQueue({ concurrency: 1 });
  readonly #state: TipState;
  /** Judges headers, and whether their work is worth storing them, without storing anything. */
  readonly gate: HeaderGate;
  readonly #mover: TipMover;
  readonly #marks: HeaderMarks;
  readonly #branches: BranchSwitch;

  private constructor(parts: ChainParts, state: TipState) {
    const { events } = this;
    const { clock, log, signatures, verified, keep = async () => {} } = parts;
    this.#clock = clock;
    this.#state = state;
    this.gate = new HeaderGate(state, clock);
    this.#mover = new TipMover({ state, events, signatures, verified });
    this.#marks = new HeaderMarks(state);
    this.#branches = new BranchSwitch({ state, marks: this.#marks, events, mover: this.#mover, clock, log, keep });
  }

  /** Opens the chain and goes on where it stood: a switch of branches that a crash cut short is taken up again. */
  static async open(parts: ChainParts): Promise<Chainstate> {
    const opened = await openChain(parts.kv, parts.params, parts.directory);
    const chain = new Chainstate(parts, new TipState(parts.params, opened));
    await chain.#enqueue(() => chain.#branches.activate());
    return chain;
  }

  get params(): NetworkParams {
    return this.#state.params;
  }

  get genesis(): Block {
    return this.#state.genesis;
  }

  get store(): ChainStore {
    return this.#state.store;
  }

  get headers(): HeaderTree {
    return this.#state.headers;
  }

  /** The last block of the active chain. */
  get tip(): HeaderRecord {
    return this.#state.tip;
  }

  /** Sums over the active chain. */
  get totals(): Totals {
    return this.#state.totals;
  }

  /** The valid header with the most work, whether its body is here or not. */
  get bestHeader(): HeaderRecord {
    return this.#state.bestHeader;
  }

  /** Settles when no switch of branches is under way. */
  async atRest(): Promise<void> {
    while (this.#branches.isUnderWay) await this.#branches.atRest();
  }

  /** Whether a switch of branches is under way: between its blocks the coins are those of neither branch. */
  get isSwitching(): boolean {
    return this.#branches.isUnderWay;
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
   * where their branch has work enough: their own, or `shown`, what it is known to reach further up.
   */
  submitHeaders(headers: readonly Header[], shown = 0n): Promise<Verdict<HeaderRecord, HeaderReject>> {
    return this.#enqueue(() => this.#acceptHeaders(headers, shown));
  }

  /** Takes a whole block; settles once what became of it is stored durably. */
  submitBlock(block: Block): Promise<Verdict<BlockOutcome, HeaderReject | BlockReject>> {
    return this.#enqueue(() => this.#acceptBlock(block));
  }

  /**
   * Takes a block and all that stands on it off the chain until further notice, whatever its work, and goes on with the
   * best chain left. The mark is stored first: a crash amid the switch that follows does not bring the block back.
   */
  setAside(record: HeaderRecord): Promise<void> {
    return this.#enqueue(async () => {
      await this.#marks.mark(this.headers.require(record.header.hash), 'set-aside');
      await this.#branches.activate();
    });
  }

  /** Takes the marks off a block, what it stands on and what stands on it, and judges all of that again. */
  reconsider(record: HeaderRecord): Promise<void> {
    return this.#enqueue(async () => {
      await this.#marks.clear(this.headers.require(record.header.hash));
      await this.#branches.activate();
    });
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
        await this.#takeUpAgain();
        return await job();
      } catch (error) {
        // Whatever was staged for a commit that never came must not pass for stored.
        this.headers.forget();
        throw error;
      } finally {
        await this.#clock.yield();
      }
    });
  }

  /** A switch of branches that a failing disk cut short is gone on with before anything else. */
  async #takeUpAgain(): Promise<void> {
    if (this.#branches.isCutShort) await this.#branches.activate();
  }

  async #acceptHeaders(headers: readonly Header[], shown: bigint): Promise<Verdict<HeaderRecord, HeaderReject>> {
    const writes: Write[] = [];
    const added: HeaderRecord[] = [];
    let last: HeaderRecord | undefined;
    let failure: HeaderReject | undefined;
    for (const header of headers) {
      const known = this.headers.get(header.hash);
      const checked = this.gate.check(header);
      if (!checked.ok) {
        failure = checked.reject;
        break;
      }
      last = checked.value;
      if (known !== undefined) continue;
      writes.push(...this.headers.addition(last));
      added.push(last);
    }
    if (last !== undefined && added.length > 0) {
      const enough = this.gate.checkWork(last.work > shown ? last.work : shown);
      if (!enough.ok) {
        // What was only staged must not pass for stored. A bad header is told as such, however little work is below it.
        this.headers.forget();
        return failure === undefined ? enough : refuse(failure);
      }
      await this.#state.commit(writes);
      // Each by itself: where a batch does not hang together, the last may be one that is known to be bad.
      for (const record of added) this.#state.noteHeader(record);
    }
    return failure === undefined ? accept(last ?? this.tip) : refuse(failure);
  }

  async #acceptBlock(block: Block): Promise<Verdict<BlockOutcome, HeaderReject | BlockReject>> {
    const { hash, previous } = block.header;
    const known = this.headers.get(hash);
    if (known?.invalid) return refuse(reasonOfMark(known));
    if (known?.body) return accept({ record: known, status: 'known' });
    const checked = this.gate.check(block.header);
    if (!checked.ok) return checked;
    // A stored header has proved the work of its branch. Bodies come lowest first, and the lowest have the least work.
    const enough = known === undefined ? this.gate.checkWork(checked.value.work) : accept(undefined);
    if (!enough.ok) return enough;
    // Bodies come parents first: what stands on a header alone cannot be judged yet.
    if (this.headers.require(previous).body === null) return refuse({ code: 'header-parent-unknown', previous });
    const body = checkBody(block);
    if (!body.ok) return body;
    const rules = checkBlock(block, this.params);
    if (!rules.ok) {
      await this.#marks.mark(checked.value, 'invalid');
      return rules;
    }
    const record = { ...checked.value, body: factsOf(block) };
    if (record.work > this.tip.work) {
      this.events.emit('proved', { block, record });
      // Others are told before coins and signatures take their time.
      for (let turn = 0; turn < TURNS_TO_TELL; turn++) await this.#clock.yield();
    }
    const stored = (): Write[] => [
      put(layout.block, hash, block.raw),
      ...(known === undefined ? this.headers.addition(record) : [this.headers.update(record)]),
    ];
    return previous === this.tip.header.hash ? this.#extend(block, record, stored) : this.#branchOff(record, stored);
  }

  /** The common case: the block stands on the tip, and body, header and all its changes are one commit. */
  async #extend(
    block: Block,
    record: HeaderRecord,
    stored: () => readonly Write[],
  ): Promise<Verdict<BlockOutcome, BlockReject>> {
    const connected = await this.#mover.connect(block, record, stored);
    if (!connected.ok) {
      await this.#marks.mark({ ...record, body: null }, 'invalid');
      return connected;
    }
    this.#state.noteHeader(this.tip);
    this.events.emit('settled', { tip: this.tip, reorganized: false });
    return accept({ record: this.tip, status: 'connected' });
  }

  /** The block stands elsewhere: it is stored, and takes over where its branch has more work. */
  async #branchOff(
    record: HeaderRecord,
    stored: () => readonly Write[],
  ): Promise<Verdict<BlockOutcome, HeaderReject | BlockReject>> {
    const { hash, previous } = record.header;
    await this.#state.commit(stored());
    this.#state.noteHeader(record);
    if (record.work <= this.tip.work) return accept({ record, status: 'side' });
    const failures = await this.#branches.activate(record);
    if (this.isActive(record)) return accept({ record, status: 'connected' });
    return refuse(failures.get(hash) ?? { code: 'header-parent-invalid', previous });
  }
}
