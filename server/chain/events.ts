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

/**
 * A block has a header with its work, the body that the header commits to, and breaks no rule that needs no coins. It would
 * become the tip; whether it does is not known yet.
 */
export interface ProvedEvent {
  readonly block: Block;
  readonly record: HeaderRecord;
}

/** The chain has come to rest on a tip. */
export interface SettledEvent {
  readonly tip: HeaderRecord;
  /** Whether blocks left the chain on the way. */
  readonly reorganized: boolean;
}

/**
 * What others learn from the chain. `proved` comes before anything is stored of a block. Connects and disconnects come one by one while a branch is switched, each after its
 * commit; `settled` comes once at the end, and only then is it time to judge transactions against the new tip.
 */
export interface ChainEvents {
  proved: ProvedEvent;
  connected: BlockEvent;
  disconnected: BlockEvent;
  settled: SettledEvent;
}
