import type { TxReject } from '../../shared/consensus/reject.js';
import type { TxId } from '../../shared/model/ids.js';
import type { PoolReject } from '../../shared/policy/reject.js';
import type { Verdict } from '../../shared/verdict.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { Clock } from '../ports.js';
import type { Change, Intake } from './intake.js';
import type { Arrival } from './savedPool.js';

/** How long judging again may hold the event loop before others get a turn. */
const SLICE_MS = 8;

/** What became of one that was judged again. */
export interface Judged {
  readonly arrival: Arrival;
  readonly taken: Verdict<Change, TxReject | PoolReject>;
  /** Whether a lost block held it, so that peers may not know that it waits again. */
  readonly isBack: boolean;
}

/** What judging again needs. */
export interface ReturningParts {
  readonly intake: Intake;
  readonly chain: Chainstate;
  readonly clock: Pick<Clock, 'monotonic' | 'yield'>;
  /** Told of each turn's results, also where the turn was cut short. */
  readonly onJudged: (judged: readonly Judged[]) => void;
}

/**
 * Judges again, after a switch of branches, what lost blocks held and what waited: in turns, so that others get theirs. The
 * pool stands on the tip once nothing is left to be judged. Whatever a failure leaves unjudged is there for the next try.
 */
export class Returning {
  readonly #parts: ReturningParts;
  /** In order: parents before children. */
  #unjudged: readonly Arrival[] = [];
  #back = new Set<TxId>();
  #running: Promise<void> | undefined;

  constructor(parts: ReturningParts) {
    this.#parts = parts;
  }

  get isDone(): boolean {
    return this.#unjudged.length === 0;
  }

  /** A switch is over: what the lost blocks held comes before what waited. Empties the pool; another switch starts it afresh. */
  begin(fromBlocks: readonly Arrival[]): void {
    this.#unjudged = [...fromBlocks, ...this.#parts.intake.reset(), ...this.#unjudged];
    this.#back = new Set([...this.#back, ...fromBlocks.map(({ transaction }) => transaction.txid)]);
  }

  /** Judges all that is left. */
  run(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async close(): Promise<void> {
    await this.#running?.catch(() => {});
  }

  async #run(): Promise<void> {
    const { clock, chain } = this.#parts;
    while (!this.isDone) {
      await chain.atRest();
      this.#turn(clock.monotonic() + SLICE_MS);
      if (!this.isDone) await clock.yield();
    }
    this.#back.clear();
  }

  #turn(until: number): void {
    const { clock, intake, onJudged } = this.#parts;
    const judged: Judged[] = [];
    try {
      for (const arrival of this.#unjudged) {
        const taken = intake.take([arrival], { isReturning: true });
        judged.push({ arrival, taken, isBack: this.#back.delete(arrival.transaction.txid) });
        if (clock.monotonic() >= until) break;
      }
    } finally {
      this.#unjudged = this.#unjudged.slice(judged.length);
      onJudged(judged);
    }
  }
}
