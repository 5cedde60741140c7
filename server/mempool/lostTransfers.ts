import type { Coin } from '../../shared/consensus/coins.js';
import type { BlockHash } from '../../shared/model/ids.js';
import { isTransfer, type Transaction } from '../../shared/model/transaction.js';
import type { BlockEvent } from '../chain/events.js';
import { transactionsOf } from '../chain/transactionsOf.js';
import { usageOf } from './usage.js';

/** A transfer that a block held which has left the chain. */
export interface LostTransfer {
  readonly transaction: Transaction;
  /** The coins it spent there. */
  readonly spent: readonly Coin[];
}

/** What a switch of branches took off the chain. */
export interface Losses {
  /** Lowest block first, so that parents come before children. */
  readonly transfers: readonly LostTransfer[];
  /** How many more there were than fit. */
  readonly forgotten: number;
}

/**
 * What a switch of branches takes off the chain. Told of every block that joins or leaves; knows when a switch with
 * losses is under way, and in the end which transfers were in the blocks that left. Bound: `maxBytes` of memory, or
 * one block; where a deeper switch takes off more, those of the highest blocks are forgotten, for the others do not
 * depend on them. Pure bookkeeping.
 */
export class LostTransfers {
  readonly #maxBytes: number;
  #isSwitching = false;
  /** By block, the highest first: the order in which they leave. */
  #blocks: { readonly transfers: readonly LostTransfer[]; readonly bytes: number }[] = [];
  #bytes = 0;
  #forgotten = 0;
  /** Blocks that joined within the switch. */
  readonly #tried = new Set<BlockHash>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** A block has joined. Answers whether that was amid a switch. */
  connected({ block }: BlockEvent): boolean {
    if (this.#isSwitching) this.#tried.add(block.header.hash);
    return this.#isSwitching;
  }

  /** A block has left. Answers which transfers are forgotten over it. */
  disconnected({ block, spent }: BlockEvent): LostTransfer[] {
    this.#isSwitching = true;
    // What came and went within one switch was a branch that failed: its payments have no claim to those that wait.
    if (this.#tried.has(block.header.hash)) return [];
    const transfers = [...transactionsOf(block, spent)].filter(({ transaction }) => isTransfer(transaction));
    const bytes = transfers.reduce((sum, { transaction }) => sum + usageOf(transaction), 0);
    this.#blocks.push({ transfers, bytes });
    this.#bytes += bytes;
    const forgotten: LostTransfer[] = [];
    while (this.#bytes > this.#maxBytes && this.#blocks.length > 1) forgotten.push(...this.#forgetHighest());
    return forgotten;
  }

  /** The switch is over: what it took off; `undefined` where no block had left. */
  settled(): Losses | undefined {
    if (!this.#isSwitching) return undefined;
    const losses = {
      transfers: this.#blocks.reverse().flatMap(({ transfers }) => transfers),
      forgotten: this.#forgotten,
    };
    this.#isSwitching = false;
    this.#blocks = [];
    this.#bytes = 0;
    this.#forgotten = 0;
    this.#tried.clear();
    return losses;
  }

  #forgetHighest(): readonly LostTransfer[] {
    const highest = this.#blocks.shift();
    if (highest === undefined) return [];
    this.#bytes -= highest.bytes;
    this.#forgotten += highest.transfers.length;
    return highest.transfers;
  }
}
