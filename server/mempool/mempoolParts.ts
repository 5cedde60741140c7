import type { Emitter } from '../../shared/emitter.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { VerifiedSet } from '../chain/verifiedSet.js';
import type { Clock, Logger, Signatures } from '../ports.js';
import type { Kv } from '../store/kv.js';
import type { MempoolEvents } from './events.js';

/** What the mempool needs from outside. */
export interface MempoolParts {
  readonly chain: Chainstate;
  /** An environment of its own: saving a waiting transaction must not wait for the disk. */
  readonly kv: Kv;
  readonly signatures: Signatures;
  readonly verified: VerifiedSet;
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'after' | 'yield'>;
  readonly log: Logger;
  /** The most memory that waiting transactions may take, in bytes. */
  readonly maxBytes: number;
  /** Where events go, for who wants to hear those of the start, too. */
  readonly events?: Emitter<MempoolEvents>;
}
