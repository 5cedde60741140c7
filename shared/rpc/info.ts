import * as z from 'zod';
import {
  address,
  addressInput,
  amount,
  blockHash,
  count,
  height,
  nothing,
  outputIndex,
  type Page,
  page,
  pageInput,
  timestamp,
  txid,
  work,
} from './fields.js';
import type { Context } from './nodeApi.js';
import { procedures } from './trpc.js';

/** How many rows the rich list inside `info.chain` has. */
export const RICH_LIST_ROWS = 10;

const richEntry = z.strictObject({ address, balance: amount });
export type RichEntry = z.output<typeof richEntry>;

const chainOutput = z.strictObject({
  name: z.string(),
  height,
  tip: blockHash,
  work,
  /** Coinbases counted in. */
  totalTransactions: count,
  /** Addresses with any history on the active chain. */
  totalAddresses: count,
  /** Ideal time between blocks, in seconds. */
  blockTime: z.number().min(0),
  /** New coins of the next block. */
  blockReward: amount,
  /** All unspent coins. */
  supply: amount,
  difficulty: z.number().min(0),
  /** The richest addresses; equal ones in the order of their bytes. */
  richList: z.array(richEntry).max(RICH_LIST_ROWS),
});
export type ChainView = z.output<typeof chainOutput>;

const paramsOutput = z.strictObject({
  name: z.string(),
  genesis: blockHash,
  blockIntervalMs: count,
  retarget: z.enum(['asert', 'none']),
  halfLifeMs: count,
  genesisBits: count,
  reward: amount,
  halvingInterval: count,
  coinbaseMaturity: count,
  maxSupply: amount,
  minimumWork: work,
  upgrades: z.array(z.strictObject({ height, version: count })),
  /** Base units for each byte that a transaction must pay to be relayed. */
  minFeeRate: z.number().min(0),
});
export type ParamsView = z.output<typeof paramsOutput>;

/** A sum over time: the same coins count each time they move, so it may pass what exists. */
const sum = z.bigint().min(0n);

const ofAddress = z.strictObject({ address: addressInput });
const addressOutput = z.strictObject({
  address,
  balance: amount,
  received: sum,
  sent: sum,
  /** Confirmed transactions that pay or spend from it. */
  transactionCount: count,
  coinCount: count,
  /** What the waiting transactions would add and take. */
  pending: z.strictObject({ received: sum, spent: sum }),
});
export type AddressView = z.output<typeof addressOutput>;

const addressPage = z.strictObject({ address: addressInput, ...pageInput });
const utxo = z.strictObject({
  txid,
  index: outputIndex,
  value: amount,
  /** `null` while the transaction that makes it waits. */
  height: height.nullable(),
  /** From which height of a spending block it may be spent. */
  spendableAt: height,
  /** The waiting transaction that spends it. */
  spender: txid.nullable(),
});
export type UtxoView = z.output<typeof utxo>;

const historyRow = z.strictObject({
  txid,
  height,
  position: count,
  timestamp,
  /** What the transaction paid to the address, and spent from it. */
  received: amount,
  spent: amount,
});
export type HistoryRow = z.output<typeof historyRow>;

const mempoolOutput = z.strictObject({
  count,
  bytes: count,
  fees: amount,
  minFeeRate: z.number().min(0),
  maxBytes: count,
});
export type MempoolView = z.output<typeof mempoolOutput>;

const syncOutput = z.strictObject({
  phase: z.enum(['idle', 'headers', 'blocks', 'transactions']),
  /** The peer it synchronizes from. */
  peer: z.string().nullable(),
  height,
  /** The highest header known to be worth having. */
  bestHeader: height,
  /** Blocks and transactions fetched in this run, and how long it has taken. */
  blocks: count,
  transactions: count,
  elapsedMs: count,
  /** Finished runs that fetched something. */
  runs: count,
});
export type SyncView = z.output<typeof syncOutput>;

const healthOutput = z.strictObject({
  ok: z.boolean(),
  uptimeMs: count,
  peers: count,
  sessions: count,
  rssBytes: count,
  peakRssBytes: count,
  /** Delay of the event loop over the last minute, 99 of 100 readings. */
  loopDelayP99Ms: z.number().min(0),
});
export type HealthView = z.output<typeof healthOutput>;

type AddressInput = z.output<typeof ofAddress>;
type AddressPage = z.output<typeof addressPage>;

/** What a node must be able to do for the `info` router. */
export interface InfoApi {
  chain(): Promise<ChainView>;
  params(): Promise<ParamsView>;
  richList(input: { cursor?: string | undefined; limit: number }): Promise<Page<RichEntry>>;
  address(input: AddressInput): Promise<AddressView>;
  utxos(input: AddressPage): Promise<Page<UtxoView>>;
  history(input: AddressPage): Promise<Page<HistoryRow>>;
  mempool(): Promise<MempoolView>;
  sync(): Promise<SyncView>;
  health(): Promise<HealthView>;
}

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
    .output(page(utxo))
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
  /** How the process does. */
  health: open
    .input(nothing)
    .output(healthOutput)
    .query(({ ctx }) => ctx.node.info.health()),
});
