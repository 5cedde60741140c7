import * as z from 'zod';
import type { Height } from '../model/height.js';
import {
  address,
  addressInput,
  amount,
  blockHash,
  count,
  height,
  outputIndex,
  type Page,
  type PageInput,
  page,
  pageInput,
  timestamp,
  txid,
  work,
} from './fields.js';
import { flowOutput, MAX_RATE_ROWS, rateRow } from './insightSchemas.js';
import type { Caller } from './trpc.js';

/** How many rows the rich list inside `info.chain` has. */
export const RICH_LIST_ROWS = 10;

export const richEntry = z.strictObject({ address, balance: amount });
/** A row of the rich list: an address and its balance, in base units. */
export type RichEntry = z.output<typeof richEntry>;

export const chainOutput = z.strictObject({
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
/** The chain at a glance: what `info.chain` answers. */
export type ChainView = z.output<typeof chainOutput>;

export const paramsOutput = z.strictObject({
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
/** The rules of the network: what `info.params` answers. Times in milliseconds, money in base units. */
export type ParamsView = z.output<typeof paramsOutput>;

/** A sum over time: the same coins count each time they move, so it may pass what exists. */
const sum = z.bigint().min(0n);

export const ofAddress = z.strictObject({ address: addressInput });
export const addressOutput = z.strictObject({
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
/** What an address has, got and sent: what `info.address` answers, in base units. */
export type AddressView = z.output<typeof addressOutput>;

export const addressPage = z.strictObject({ address: addressInput, ...pageInput });
export const utxo = z.strictObject({
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
/** An unspent coin of an address, confirmed or on its way. */
export type UtxoView = z.output<typeof utxo>;
/** Coins with the height of the chain they were read at: what is spendable depends on it. */
export const utxoPage = page(utxo).extend({ height });
/** A page of coins. */
export type UtxoPage = Page<UtxoView> & { readonly height: Height };

export const historyRow = z.strictObject({
  txid,
  height,
  position: count,
  timestamp,
  /** What the transaction paid to the address, and spent from it. */
  received: amount,
  spent: amount,
});
/** A confirmed transaction as one address sees it. */
export type HistoryRow = z.output<typeof historyRow>;

export const mempoolOutput = z.strictObject({
  count,
  bytes: count,
  /** Bytes of memory that they take, about, and the most they may take. */
  usage: count,
  maxBytes: count,
  fees: amount,
  /** The least fee rate that gets in by now. */
  minFeeRate: z.number().min(0),
  /** What waits by fee rate, the dearest first: rows of `rate` and above, up to the next dearer row's, a tenth apart or more. */
  histogram: z.array(rateRow).max(MAX_RATE_ROWS),
  /** What came and went lately. */
  flow: flowOutput,
});
/** The waiting transactions at a glance. Fees in base units, fee rates in base units for each byte. */
export type MempoolView = z.output<typeof mempoolOutput>;

export const syncOutput = z.strictObject({
  phase: z.enum(['idle', 'headers', 'blocks', 'transactions']),
  /** The peer it asks for headers or waiting transactions. */
  peer: z.string().nullable(),
  /** The peers that have been asked for blocks and have not answered yet. */
  peers: z.array(z.string()),
  height,
  /** The highest header known to be worth having. */
  bestHeader: height,
  /** The height that blocks are being fetched up to. */
  target: height.nullable(),
  /** Blocks and transactions fetched since this process started, and the milliseconds that took. */
  blocks: count,
  transactions: count,
  elapsedMs: count,
  /** Runs that fetched something. */
  runs: count,
  /** The same in a second, over the last ten seconds; 0 where no blocks are fetched. */
  blocksPerSecond: z.number().min(0),
  transactionsPerSecond: z.number().min(0),
  /** Milliseconds to the target at that rate; `null` where there is none. */
  remainingMs: count.nullable(),
});
/** How far a node has caught up with its peers. */
export type SyncView = z.output<typeof syncOutput>;

export const healthOutput = z.strictObject({
  ok: z.boolean(),
  uptimeMs: count,
  peers: count,
  sessions: count,
  /** Transactions that wait for parents which are not known here. */
  orphans: count,
  rssBytes: count,
  peakRssBytes: count,
  /** Delay of the event loop over the last minute, 99 of 100 readings. */
  loopDelayP99Ms: z.number().min(0),
});
/** How a process does. Memory in bytes, times in milliseconds. */
export type HealthView = z.output<typeof healthOutput>;

type AddressInput = z.output<typeof ofAddress>;
type AddressPage = z.output<typeof addressPage>;

/** What a node must be able to do for the `info` router. */
export interface InfoApi {
  chain(): Promise<ChainView>;
  params(): Promise<ParamsView>;
  richList(input: PageInput): Promise<Page<RichEntry>>;
  address(input: AddressInput): Promise<AddressView>;
  utxos(input: AddressPage): Promise<UtxoPage>;
  history(input: AddressPage): Promise<Page<HistoryRow>>;
  mempool(): Promise<MempoolView>;
  sync(): Promise<SyncView>;
  onSync(caller: Caller, signal: AbortSignal | undefined): AsyncIterable<SyncView>;
  health(): Promise<HealthView>;
}
