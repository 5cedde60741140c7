import type { BlockFate } from './handIn.js';
import type { NodeOutlook } from './nodeChoice.js';

/** What became of the blocks a miner found. */
export interface TallyView {
  /** All that it found. */
  readonly found: number;
  readonly accepted: number;
  /** Those that came too late. */
  readonly side: number;
  readonly refused: number;
  /** Those that nobody could put together any more. */
  readonly lost: number;
  /** Reward and fees of the accepted ones, in base units. */
  readonly earned: bigint;
  /** How often the tip changed under its work. */
  readonly tipChanges: number;
}

/** How a miner does. Times in milliseconds, money in base units, rates in hashes a second. */
export interface MinerView extends TallyView {
  readonly address: string;
  readonly uptimeMs: number;
  readonly threads: number;
  readonly threadsReplaced: number;
  readonly hashes: bigint;
  readonly hashRate: number;
  readonly hashRateOverall: number;
  /** The node it mines at. */
  readonly node: string | null;
  readonly nodes: readonly (NodeOutlook & { readonly url: string })[];
  readonly nodeChanges: number;
  /** Time between its blocks, where it paces itself. */
  readonly intervalMs: number | null;
  readonly isSearching: boolean;
  /** The block it works on: height, transactions, what it would pay. */
  readonly height: number | null;
  readonly transactions: number | null;
  readonly pays: bigint | null;
  /** Hashes that a block takes on average. */
  readonly hashesPerBlock: bigint | null;
}

/** Milliseconds to a block on average, at the rate of the moment; `null` where there is no rate, or no work. */
export function expectedMs({
  hashesPerBlock,
  hashRate,
}: Pick<MinerView, 'hashesPerBlock' | 'hashRate'>): number | null {
  return hashesPerBlock === null || hashRate <= 0 ? null : (Number(hashesPerBlock) * 1_000) / hashRate;
}

/** Counts what became of blocks. */
export class Tally {
  readonly #fates: Record<BlockFate['kind'], number> = { accepted: 0, side: 0, refused: 0, lost: 0 };
  #found = 0;
  #earned = 0n;
  #tipChanges = 0;

  found(): void {
    this.#found += 1;
  }

  settled(fate: BlockFate['kind'], pays: bigint): void {
    this.#fates[fate] += 1;
    if (fate === 'accepted') this.#earned += pays;
  }

  tipChanged(): void {
    this.#tipChanges += 1;
  }

  view(): TallyView {
    return { found: this.#found, ...this.#fates, earned: this.#earned, tipChanges: this.#tipChanges };
  }
}
