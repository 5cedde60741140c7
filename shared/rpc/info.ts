import * as z from 'zod';
import { syncChangesOutput } from './events.js';
import { nothing, page, pageInput } from './fields.js';
import {
  addressOutput,
  addressPage,
  chainOutput,
  healthOutput,
  historyRow,
  mempoolOutput,
  ofAddress,
  paramsOutput,
  richEntry,
  syncOutput,
  utxoPage,
} from './infoSchemas.js';
import type { Context } from './nodeApi.js';
import { procedures } from './trpc.js';

const { router, open } = procedures<Context>();

/** What the chain holds and how the node does. */
export const infoRouter = router({
  /** The chain at a glance. */
  chain: open
    .input(nothing)
    .output(chainOutput)
    .query(({ ctx }) => ctx.node.info.chain()),
  /** The rules and figures of this network. */
  params: open
    .input(nothing)
    .output(paramsOutput)
    .query(({ ctx }) => ctx.node.info.params()),
  /** Addresses by balance, richest first. */
  richList: open
    .input(z.strictObject(pageInput))
    .output(page(richEntry))
    .query(({ ctx, input }) => ctx.node.info.richList(input)),
  /** One address; one that never occurred has zeros. */
  address: open
    .input(ofAddress)
    .output(addressOutput)
    .query(({ ctx, input }) => ctx.node.info.address(input)),
  /** Unspent coins of an address: confirmed ones by txid, then those that still wait. */
  utxos: open
    .input(addressPage)
    .output(utxoPage)
    .query(({ ctx, input }) => ctx.node.info.utxos(input)),
  /** Confirmed transactions of an address, newest first. */
  history: open
    .input(addressPage)
    .output(page(historyRow))
    .query(({ ctx, input }) => ctx.node.info.history(input)),
  /** The waiting transactions at a glance. */
  mempool: open
    .input(nothing)
    .output(mempoolOutput)
    .query(({ ctx }) => ctx.node.info.mempool()),
  /** How far this node has caught up. */
  sync: open
    .input(nothing)
    .output(syncOutput)
    .query(({ ctx }) => ctx.node.info.sync()),
  /** The same as it comes on: at the ends of phases, and at most once a second in between. */
  onSync: open
    .input(nothing)
    .output(syncChangesOutput)
    .subscription(({ ctx, signal }) => ctx.node.info.onSync(ctx.caller, signal)),
  /** How the process does. */
  health: open
    .input(nothing)
    .output(healthOutput)
    .query(({ ctx }) => ctx.node.info.health()),
});
