import type { Chainstate } from '../chain/chainstate.js';
import type { Mempool } from '../mempool/mempool.js';
import type { Peers } from '../net/peers.js';
import type { Clock, Logger, Random } from '../ports.js';
import type { RelayedTransactions } from './relayedTransactions.js';
import type { TransactionFetcher } from './transactionFetcher.js';

/** What synchronization needs. */
export interface SyncParts {
  readonly chain: Chainstate;
  readonly mempool: Mempool;
  readonly peers: Peers;
  readonly relayed: RelayedTransactions;
  readonly fetcher: TransactionFetcher;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Time between two looks whether there is something to catch up with. */
  readonly intervalMs: number;
  /** Aborts when the node stops. */
  readonly signal: AbortSignal;
}
