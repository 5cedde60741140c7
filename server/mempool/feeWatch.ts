import { isTransfer } from '../../shared/model/transaction.js';
import { TEMPLATE_BYTES } from '../../shared/policy/relay.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { Clock, Logger } from '../ports.js';
import type { Kv } from '../store/kv.js';
import { poolLayout, type SavedCell, type SavedFees } from '../store/poolLayout.js';
import { put, read } from '../store/space.js';
import { type EstimatorState, FEE_CELLS, type FeeEstimate, FeeEstimator } from './feeEstimator.js';
import { type Flow, FlowMeter } from './flow.js';
import type { Mempool } from './mempool.js';

/** The form in which the estimator's counts are saved, and what they mean: buckets and rows. Others are left unread. */
const SAVED_VERSION = 1;
const MILLION = 1_000_000;
/** No count that was come by honestly is higher. */
const HIGHEST_COUNT = 1_000_000_000;

/** What watching fees needs from outside. */
export interface FeeWatchParts {
  readonly chain: Chainstate;
  readonly mempool: Mempool;
  readonly kv: Kv;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: Logger;
}

/**
 * Watches what comes, is confirmed and leaves: feeds the estimator and the meter, and keeps what was learnt from one stop
 * to the next start. A crash loses what was learnt since the last stop, and nothing else.
 */
export class FeeWatch {
  readonly #parts: FeeWatchParts;
  readonly #estimator: FeeEstimator;
  readonly #flow: FlowMeter;
  readonly #stop: (() => void)[];

  constructor(parts: FeeWatchParts) {
    const { chain, mempool, clock } = parts;
    this.#parts = parts;
    this.#flow = new FlowMeter(clock);
    const { height } = chain.tip.header;
    const estimator = new FeeEstimator(height, this.#load());
    this.#estimator = estimator;
    this.#stop = [
      mempool.events.on('accepted', ({ entry }) => {
        this.#flow.note('accepted');
        // Far below the best header nobody knows how long it has waited.
        if (chain.bestHeader.work > chain.tip.work) return;
        const { transaction, rate, parents } = entry;
        for (const parent of parents) estimator.paidFor(parent, rate);
        if (parents.size === 0) estimator.accepted(transaction.txid, rate, chain.tip.header.height);
      }),
      mempool.events.on('dropped', ({ transaction }) => {
        this.#flow.note('dropped');
        estimator.left(transaction.txid);
      }),
      mempool.events.on('confirmed', () => this.#flow.note('confirmed')),
      chain.events.on('connected', ({ block }) => {
        estimator.connected(
          block.header.height,
          block.transactions.map(({ txid }) => txid),
        );
      }),
      chain.events.on('disconnected', ({ block }) => {
        estimator.disconnected(block.transactions.filter(isTransfer).map(({ txid }) => txid));
      }),
    ];
  }

  /** What to pay for each byte to be confirmed within so many blocks. */
  estimate(blocks: number, minimum: number): FeeEstimate {
    const isShort = this.#parts.mempool.pool.bytes < TEMPLATE_BYTES / 2;
    return this.#estimator.estimate(blocks, { minimum, isShort });
  }

  /** What came and went lately. */
  flow(): Flow {
    return this.#flow.view();
  }

  /** Stops watching, and saves. */
  async close(): Promise<void> {
    for (const stop of this.#stop) stop();
    const { kv, log } = this.#parts;
    const { height, confirmed, left } = this.#estimator.state();
    const saved = { version: SAVED_VERSION, height, confirmed: savedCells(confirmed), left: savedCells(left) };
    await kv.commit([put(poolLayout.fees, null, saved)]).catch((error: unknown) => {
      log.warn('what was learnt of fees could not be saved', { error: String(error) });
    });
  }

  #load(): EstimatorState | undefined {
    const saved = read(this.#parts.kv, poolLayout.fees, null);
    if (saved === undefined || !isSound(saved)) return undefined;
    const { height, confirmed, left } = saved;
    return { height, confirmed: loadedCells(confirmed), left: loadedCells(left) };
  }
}

/** Whether counts could have been saved by this program: the file is only a file. */
function isSound({ version, confirmed, left }: SavedFees): boolean {
  return (
    version === SAVED_VERSION &&
    [...confirmed, ...left].every(
      ({ cell, millionths }) => cell < FEE_CELLS && millionths > 0 && millionths <= HIGHEST_COUNT * MILLION,
    )
  );
}

function savedCells(cells: ReadonlyMap<number, number>): SavedCell[] {
  return Array.from(cells, ([cell, count]) => ({ cell, millionths: Math.round(count * MILLION) }));
}

function loadedCells(cells: readonly SavedCell[]): Map<number, number> {
  return new Map(cells.map(({ cell, millionths }) => [cell, millionths / MILLION]));
}
