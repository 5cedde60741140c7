import type { Coin } from '../../shared/consensus/coins.js';
import type { Block } from '../../shared/model/block.js';
import type { HeaderRecord } from '../store/layout.js';

/** A block that joined or left the active chain. */
export interface BlockEvent {
  readonly block: Block;
  readonly record: HeaderRecord;
  /** The coins the block spends, in order. */
  readonly spent: readonly Coin[];
}

/** The chain has come to rest on a tip. */
export interface SettledEvent {
  readonly tip: HeaderRecord;
  /** Whether blocks left the chain on the way. */
  readonly reorganized: boolean;
}

/**
 * What others learn from the chain. Connects and disconnects come one by one while a branch is switched, each after its
 * commit; `settled` comes once at the end, and only then is it time to judge transactions against the new tip.
 */
export interface ChainEvents {
  connected: BlockEvent;
  disconnected: BlockEvent;
  settled: SettledEvent;
}
