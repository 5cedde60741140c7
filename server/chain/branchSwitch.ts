import type { BlockReject } from '../../shared/consensus/reject.js';
import type { Emitter } from '../../shared/emitter.js';
import type { Block } from '../../shared/model/block.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { Clock, Logger } from '../ports.js';
import type { HeaderRecord } from '../store/layout.js';
import type { ChainEvents } from './events.js';
import type { HeaderMarks } from './headerMarks.js';
import type { TipMover } from './tipMover.js';
import type { TipState } from './tipState.js';

/** Headers of the way up that are held at a time, however long it is. */
export const PATH_WINDOW = 1_024;

/** What switching branches needs. */
export interface SwitchParts {
  readonly state: TipState;
  readonly marks: HeaderMarks;
  readonly mover: TipMover;
  readonly events: Emitter<ChainEvents>;
  readonly clock: Pick<Clock, 'yield'>;
  readonly log: Logger;
  /** Keeps what a block holds before it leaves the chain, so that a crash within the switch cannot lose it. */
  readonly keep: (block: Block) => Promise<void>;
}

/** Moves the tip from one branch to another. */
export class BranchSwitch {
  readonly #parts: SwitchParts;
  #atRest: Promise<void> = Promise.resolve();
  #isUnderWay = false;
  #isCutShort = false;

  constructor(parts: SwitchParts) {
    this.#parts = parts;
  }

  /** Settles when no switch is under way: between its blocks the coins are those of neither branch. */
  atRest(): Promise<void> {
    return this.#atRest;
  }

  /** Whether a switch is under way. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** Whether the last switch ended in a failure of this machine: the tip may be below the best stored block. */
  get isCutShort(): boolean {
    return this.#isCutShort;
  }

  /**
   * Moves the tip to the best valid block there is, `target` where the caller knows it, by one plan: back to the fork,
   * then up the other branch. Where a block on the way proves invalid, it and its descendants are marked and the best
   * valid chain is restored before anyone else gets a turn, the old one where none has more work. A tip that has been
   * marked itself is left in any case. Answers which blocks failed.
   */
  async activate(target?: HeaderRecord): Promise<ReadonlyMap<BlockHash, BlockReject>> {
    const { state, marks, events, log } = this.#parts;
    const failures = new Map<BlockHash, BlockReject>();
    const original = state.tip;
    let goal = target ?? this.#betterThan(original);
    if (goal.header.hash === original.header.hash) {
      this.#isCutShort = false;
      return failures;
    }
    let rest = (): void => {};
    this.#atRest = new Promise((resolve) => {
      rest = resolve;
    });
    let reorganized = false;
    this.#isUnderWay = true;
    this.#isCutShort = true;
    try {
      while (state.tip.header.hash !== goal.header.hash) {
        const fork = state.headers.fork(state.tip, goal);
        reorganized ||= fork.header.hash !== state.tip.header.hash;
        await this.#disconnectTo(fork, original);
        const failed = await this.#connectTo(goal);
        if (failed === undefined) break;
        failures.set(failed.record.header.hash, failed.reject);
        log.warn('a block on the better branch is invalid', { hash: failed.record.header.hash, ...failed.reject });
        await marks.mark(failed.record, 'invalid');
        goal = this.#betterThan(original);
      }
      this.#isCutShort = false;
    } finally {
      this.#isUnderWay = false;
      rest();
      // Also where it was cut short: whoever waits for the end has to make do with the tip there is.
      if (state.tip.header.hash !== original.header.hash || reorganized)
        events.emit('settled', { tip: state.tip, reorganized });
    }
    return failures;
  }

  /** The best stored block, where it has more work than `record` or that one cannot stay; else `record`. */
  #betterThan(record: HeaderRecord): HeaderRecord {
    const { headers } = this.#parts.state;
    const best = headers.bestStored();
    return best.work > record.work || headers.require(record.header.hash).invalid ? best : record;
  }

  async #disconnectTo(fork: HeaderRecord, original: HeaderRecord): Promise<void> {
    const { state, mover, clock, keep } = this.#parts;
    while (state.tip.header.hash !== fork.header.hash) {
      // Before the commit: after it, a crash would leave its transfers neither on the chain nor waiting. Those of a branch
      // that came within this switch and failed have no claim.
      if (state.headers.descends(original, state.tip)) await keep(state.store.block(state.tip.header.hash));
      await mover.disconnect();
      await clock.yield();
    }
  }

  /** Connects everything from the tip, an ancestor of `goal`, up to it. Answers the block that failed, if one did. */
  async #connectTo(goal: HeaderRecord): Promise<{ record: HeaderRecord; reject: BlockReject } | undefined> {
    const { state, mover, clock } = this.#parts;
    while (state.tip.header.height < goal.header.height) {
      const top = state.headers.ancestor(goal, Math.min(state.tip.header.height + PATH_WINDOW, goal.header.height));
      for (const record of state.headers.path(state.tip, top)) {
        const connected = await mover.connect(state.store.block(record.header.hash), record, () => []);
        if (!connected.ok) return { record, reject: connected.reject };
        await clock.yield();
      }
    }
    return undefined;
  }
}
