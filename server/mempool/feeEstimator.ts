import type { TxId } from '../../shared/model/ids.js';
import { RecentSet } from '../../shared/recentSet.js';
import { MAX_FEE_TARGET } from '../../shared/rpc/insightSchemas.js';
import { BUCKET_RATES, bucketOf } from './feeBuckets.js';

/** Rows by blocks waited: 0 up to the farthest target, and one for all that took longer. */
const ROWS = MAX_FEE_TARGET + 2;
const BUCKETS = BUCKET_RATES.length;
/** How many cells each table of counts has. */
export const FEE_CELLS = ROWS * BUCKETS;
/** What a count is still worth a block later: half of it after 144 blocks. */
const DECAY = 0.5 ** (1 / 144);
/** When one more transaction weighs so much against the first, the counts are brought back to scale. */
const HEAVY = 1e9;
/** Below this a count says nothing any more. */
const NEGLIGIBLE = 0.001;
/** How many transactions a rate has to be judged by, older ones counted in part. */
export const ENOUGH_SAMPLES = 20;
/** The share of them that has to be confirmed in time, as in Bitcoin Core. */
export const ENOUGH_CONFIRMED = 0.85;
/** For how many blocks nobody may have waited too long, for the least rate to be enough. */
const CALM_BLOCKS = 12;
/** Transactions whose way is followed, at most. */
const MAX_FOLLOWED = 100_000;
/** Transactions of lost blocks that are remembered: they were counted once. */
const MAX_LOST = 20_000;

/** Why there is no estimate. */
export type NoEstimate = 'too-little-data' | 'too-few-confirmed';

/** What to pay for each byte to be confirmed within so many blocks. */
export interface FeeEstimate {
  readonly feeRate: number | null;
  /** The transactions it rests on, older ones counted in part. */
  readonly samples: number;
  readonly reason: NoEstimate | null;
}

/** What the pool has to say about an estimate. */
export interface PoolState {
  /** The least that it takes now. */
  readonly minimum: number;
  /** Whether all that waits would easily fit the next block. */
  readonly isShort: boolean;
}

/** What is kept of an estimator from one start to the next: counts by cell, those at nothing left out. */
export interface EstimatorState {
  readonly height: number;
  readonly confirmed: ReadonlyMap<number, number>;
  readonly left: ReadonlyMap<number, number>;
}

/**
 * Learns what has to be paid for being confirmed in time: by buckets of fee rates it counts how many blocks transactions
 * waited from being accepted here to being confirmed, or to leaving unconfirmed, older counts fading. In outline
 * Bitcoin Core's `CBlockPolicyEstimator`. Heights come from outside; it has no clock. A block that is connected at a
 * height that was counted before counts nothing, and neither do transactions of lost blocks that come back: each counts once.
 *
 * Whoever fills blocks with payments to itself moves an estimate up, at the price of their fees; that of others is never
 * lower than what confirmed them.
 */
export class FeeEstimator {
  readonly #confirmed = new Float64Array(FEE_CELLS);
  readonly #left = new Float64Array(FEE_CELLS);
  /** What a transaction counts now. It grows with each block, which is how what was counted before fades at no cost. */
  #weight = 1;
  /** Where and when each waiting transaction began, as `height * BUCKETS + bucket`. */
  readonly #followed = new Map<TxId, number>();
  /** How many of them began there and then. */
  readonly #begun = new Map<number, number>();
  readonly #lost = new RecentSet<TxId>(MAX_LOST);
  /** By blocks waited: the last height at which something had waited that long and still did. */
  readonly #outlivedAt: number[];
  readonly #startedAt: number;
  #height: number;

  constructor(height: number, state?: EstimatorState) {
    this.#height = height;
    this.#startedAt = height;
    this.#outlivedAt = Array.from({ length: ROWS }, () => height);
    if (state === undefined) return;
    for (const [cell, value] of state.confirmed) this.#confirmed[cell] = value;
    for (const [cell, value] of state.left) this.#left[cell] = value;
    this.#pass(Math.max(0, height - state.height));
  }

  /** A transaction waits since the chain had this height. */
  accepted(txid: TxId, rate: number, height: number): void {
    // While the chain is lower than it was, waits would be measured from the wrong end.
    if (height !== this.#height || this.#lost.has(txid) || this.#followed.size >= MAX_FOLLOWED) return;
    const begun = height * BUCKETS + bucketOf(rate);
    this.#followed.set(txid, begun);
    this.#begun.set(begun, (this.#begun.get(begun) ?? 0) + 1);
  }

  /** Something dearer pays for it, so its own rate no longer says what it costs to be confirmed. */
  paidFor(txid: TxId, rate: number): void {
    const begun = this.#followed.get(txid);
    if (begun !== undefined && bucketOf(rate) > begun % BUCKETS) this.#unfollow(txid);
  }

  /** It waits no longer, and no block holds it. */
  left(txid: TxId): void {
    const begun = this.#unfollow(txid);
    if (begun !== undefined) this.#count(this.#left, begun, this.#weight);
  }

  /** A block has joined the chain. */
  connected(height: number, txids: Iterable<TxId>): void {
    const isNew = height > this.#height;
    if (isNew) {
      this.#pass(height - this.#height);
      this.#height = height;
    }
    for (const txid of txids) {
      const begun = this.#unfollow(txid);
      if (begun !== undefined && isNew) this.#count(this.#confirmed, begun, this.#weight);
    }
    if (!isNew) return;
    // The oldest comes first: they are followed in the order of their heights.
    const [oldest] = this.#followed.values();
    const longest = oldest === undefined ? 0 : this.#waited(oldest);
    for (let waited = 1; waited <= longest; waited++) this.#outlivedAt[waited] = height;
  }

  /** A block has left the chain: what it held may come to wait again, and was counted before. */
  disconnected(txids: Iterable<TxId>): void {
    for (const txid of txids) this.#lost.add(txid);
  }

  /** What to pay to be confirmed within `blocks`. More blocks never cost more. */
  estimate(blocks: number, pool: PoolState): FeeEstimate {
    const waiting = new Float64Array(FEE_CELLS);
    this.#countWaiting(waiting);
    const enough = ENOUGH_SAMPLES * this.#weight;
    const samplesOf = (sum: number): number => Math.round(sum / this.#weight);
    const inTime = this.#confirmed.slice(0, BUCKETS);
    const all = new Float64Array(BUCKETS);
    for (let cell = 0; cell < FEE_CELLS; cell++) {
      const bucket = cell % BUCKETS;
      all[bucket] = at(all, bucket) + at(this.#confirmed, cell);
      if (cell >= BUCKETS) all[bucket] = at(all, bucket) + at(this.#left, cell) + at(waiting, cell);
    }
    const seen = all.reduce((sum, count) => sum + count, 0);
    let best: FeeEstimate | undefined;
    let hadEnough = false;
    for (let target = 1; target <= blocks; target++) {
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        const cell = target * BUCKETS + bucket;
        inTime[bucket] = at(inTime, bucket) + at(this.#confirmed, cell);
        // Who left or waits before the target was or is no failure yet, and no success either.
        if (target > 1) all[bucket] = at(all, bucket) - at(this.#left, cell - BUCKETS) - at(waiting, cell - BUCKETS);
      }
      const found = cheapestEnough(inTime, all, enough);
      hadEnough ||= found.hadEnough;
      const { rate, samples } = found;
      if (rate !== null && (best?.feeRate ?? Number.POSITIVE_INFINITY) > rate)
        best = { feeRate: rate, samples: samplesOf(samples), reason: null };
    }
    if (this.#isCalm(blocks, pool) && seen >= enough)
      return { feeRate: pool.minimum, samples: samplesOf(seen), reason: null };
    if (best?.feeRate != null) return { ...best, feeRate: Math.max(best.feeRate, pool.minimum) };
    return { feeRate: null, samples: samplesOf(seen), reason: hadEnough ? 'too-few-confirmed' : 'too-little-data' };
  }

  /** What to keep for the next start. What waits now is not followed any further: it has waited as long as it has. */
  state(): EstimatorState {
    const left = this.#left.slice();
    this.#countWaiting(left);
    return { height: this.#height, confirmed: this.#cellsOf(this.#confirmed), left: this.#cellsOf(left) };
  }

  /** Whether nobody has waited longer than so many blocks lately, whatever was paid, and hardly anything waits now. */
  #isCalm(blocks: number, { isShort }: PoolState): boolean {
    const troubledAt = Math.max(this.#startedAt, this.#outlivedAt[blocks] ?? 0);
    return isShort && this.#height - troubledAt >= CALM_BLOCKS;
  }

  #waited(begun: number): number {
    return Math.min(this.#height - Math.floor(begun / BUCKETS), ROWS - 1);
  }

  #unfollow(txid: TxId): number | undefined {
    const begun = this.#followed.get(txid);
    if (begun === undefined) return undefined;
    this.#followed.delete(txid);
    const others = (this.#begun.get(begun) ?? 1) - 1;
    if (others === 0) this.#begun.delete(begun);
    else this.#begun.set(begun, others);
    return begun;
  }

  #count(table: Float64Array, begun: number, weight: number): void {
    const cell = this.#waited(begun) * BUCKETS + (begun % BUCKETS);
    table[cell] = at(table, cell) + weight;
  }

  #countWaiting(table: Float64Array): void {
    for (const [begun, count] of this.#begun) this.#count(table, begun, count * this.#weight);
  }

  #pass(blocks: number): void {
    // After so many blocks nothing is left of what was counted, and the weight would be beyond all numbers.
    this.#weight = Math.min(this.#weight / DECAY ** blocks, HEAVY / NEGLIGIBLE ** 2);
    if (this.#weight < HEAVY) return;
    for (const table of [this.#confirmed, this.#left])
      for (const [cell, value] of table.entries()) table[cell] = value / this.#weight;
    this.#weight = 1;
  }

  #cellsOf(table: Float64Array): Map<number, number> {
    const entries = Array.from(table.entries(), ([cell, value]): [number, number] => [cell, value / this.#weight]);
    return new Map(entries.filter(([, value]) => value >= NEGLIGIBLE));
  }
}

/**
 * The lowest rate at which enough were in time. From the dearest bucket down, buckets are taken together until there are
 * enough to judge by; those that fail are judged again with the next below, for a few odd ones must not hide the rest.
 */
function cheapestEnough(
  inTime: Float64Array,
  all: Float64Array,
  enough: number,
): { readonly rate: number | null; readonly samples: number; readonly hadEnough: boolean } {
  let found: { readonly rate: number; readonly samples: number } | undefined;
  let hadEnough = false;
  let [good, total, fresh, top] = [0, 0, 0, BUCKETS - 1];
  for (let bucket = BUCKETS - 1; bucket >= 0; bucket--) {
    good += at(inTime, bucket);
    total += at(all, bucket);
    fresh += at(all, bucket);
    if (fresh < enough) continue;
    hadEnough = true;
    fresh = 0;
    if (good < ENOUGH_CONFIRMED * total) continue;
    found = { rate: BUCKET_RATES[medianOf(inTime, bucket, top)] ?? 0, samples: total };
    [good, total, top] = [0, 0, bucket - 1];
  }
  return { rate: found?.rate ?? null, samples: found?.samples ?? 0, hadEnough };
}

/** The bucket between two in which half of the counts are reached. */
function medianOf(counts: Float64Array, from: number, to: number): number {
  let half = counts.subarray(from, to + 1).reduce((sum, count) => sum + count, 0) / 2;
  for (let bucket = from; bucket < to; bucket++) {
    half -= at(counts, bucket);
    if (half <= 0) return bucket;
  }
  return to;
}

function at(table: Float64Array, index: number): number {
  return table[index] ?? 0;
}
