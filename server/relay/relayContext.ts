import type { Background } from '../background.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { Mempool } from '../mempool/mempool.js';
import type { Peers } from '../net/peers.js';
import type { Clock, Logger, Random } from '../ports.js';
import type { RelayedTransactions } from '../sync/relayedTransactions.js';
import type { SyncRunner } from '../sync/runner.js';
import type { TransactionFetcher } from '../sync/transactionFetcher.js';
import type { Inventory } from './inventory.js';
import type { RecentBlocks } from './recentBlocks.js';

/** What relay needs. */
export interface RelayParts {
  readonly chain: Chainstate;
  readonly mempool: Mempool;
  readonly peers: Peers;
  readonly sync: SyncRunner;
  readonly relayed: RelayedTransactions;
  readonly fetcher: TransactionFetcher;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Aborts when the node stops. */
  readonly signal: AbortSignal;
}

/** The same, and what its own parts share. */
export interface RelayContext extends RelayParts {
  readonly background: Background;
  readonly inventory: Inventory;
  readonly recent: RecentBlocks;
}
