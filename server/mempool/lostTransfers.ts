import type { Block } from '../../shared/model/block.js';
import type { BlockHash } from '../../shared/model/ids.js';
import { isTransfer, type Transaction } from '../../shared/model/transaction.js';

/**
 * What a switch of branches takes off the chain. Told of every block that joins or leaves; knows when a switch with
 * losses is under way, and in the end which transfers were in the blocks that left. Pure bookkeeping.
 */
export class LostTransfers {
  #isSwitching = false;
  #transfers: Transaction[] = [];
  /** Blocks that joined within the switch. */
  readonly #tried = new Set<BlockHash>();

  /** A block has joined. Answers whether that was amid a switch. */
  connected({ header }: Block): boolean {
    if (this.#isSwitching) this.#tried.add(header.hash);
    return this.#isSwitching;
  }

  /** A block has left. */
  disconnected({ header, transactions }: Block): void {
    this.#isSwitching = true;
    // What came and went within one switch was a branch that failed: its payments have no claim to those that wait.
    if (this.#tried.has(header.hash)) return;
    this.#transfers.unshift(...transactions.filter(isTransfer));
  }

  /** The switch is over: the transfers of the blocks that left, lowest block first; `undefined` where none had left. */
  settled(): Transaction[] | undefined {
    if (!this.#isSwitching) return undefined;
    const transfers = this.#transfers;
    this.#isSwitching = false;
    this.#transfers = [];
    this.#tried.clear();
    return transfers;
  }
}
