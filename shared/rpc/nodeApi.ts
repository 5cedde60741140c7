import type { BlockApi } from './blockSchemas.js';
import type { InfoApi } from './infoSchemas.js';
import type { PeerApi } from './nodeSchemas.js';
import type { TransactionApi } from './transactionSchemas.js';
import type { CallContext } from './trpc.js';

/** What a full node does for its routers. Servers implement it; the simulator mounts the same routers over it. */
export interface NodeApi {
  readonly block: BlockApi;
  readonly transaction: TransactionApi;
  readonly peer: PeerApi;
  readonly info: InfoApi;
}

/** The context of a full node. */
export interface Context extends CallContext {
  readonly node: NodeApi;
}

/** The context of whoever answers the `node` router alone: a directory server. A full node's context is one too. */
export interface PeerContext extends CallContext {
  readonly node: Pick<NodeApi, 'peer'>;
}
