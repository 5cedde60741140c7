import { blockRouter } from './block.js';
import { infoRouter } from './info.js';
import { nodeRouter } from './node.js';
import type { Context, PeerContext } from './nodeApi.js';
import { transactionRouter } from './transaction.js';
import { procedures } from './trpc.js';

/** The whole contract: what a full node answers. */
export const appRouter = procedures<Context>().router({
  block: blockRouter,
  transaction: transactionRouter,
  node: nodeRouter,
  info: infoRouter,
});
/** The type of the whole contract: all that a client needs of it. */
export type AppRouter = typeof appRouter;

/** What a directory server answers. */
export const directoryRouter = procedures<PeerContext>().router({ node: nodeRouter });
/** The type of what a directory server answers. */
export type DirectoryRouter = typeof directoryRouter;
