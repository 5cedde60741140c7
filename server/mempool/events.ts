import type { BlockHash, TxId } from '../../shared/model/ids.js';
import type { ReasonCode } from '../../shared/reasons.js';
import type { PoolEntry } from './pool.js';
import type { Arrival } from './savedPool.js';

/** A transaction has been taken in. */
export interface AcceptedEvent {
  readonly entry: PoolEntry;
  /** The peer it came from; `null` where it was submitted here or came back from a lost block. */
  readonly source: string | null;
}

/** A transaction waits no longer, and no block holds it. */
export interface DroppedEvent extends Pick<Arrival, 'transaction' | 'spent'> {
  readonly code: ReasonCode;
  /** What took its place, or the block that took its coin, where that is why. */
  readonly by?: TxId | BlockHash;
}

/** What others learn from the mempool. */
export interface MempoolEvents {
  accepted: AcceptedEvent;
  dropped: DroppedEvent;
}
