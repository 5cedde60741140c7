import { toJson } from '../output.js';
import type { Network, NetworkNode } from './network.js';

/** How many rows of the rich list are compared and shown. */
const RICH_ROWS = 100;
const MEGABYTE = 1_000_000;

/** What one node says of its chain. */
export interface NodeReport {
  readonly name: string;
  readonly url: string;
  readonly height: number;
  readonly tip: string;
  readonly totalTransactions: number;
  readonly totalAddresses: number;
  readonly supply: bigint;
  readonly richList: readonly { readonly address: string; readonly balance: bigint }[];
  /** How many transactions wait. */
  readonly mempool: number;
  readonly peakRssMb: number;
}

/** What the whole run came to: the last line of `devnet --once --json`. */
export interface DevnetReport {
  readonly ok: true;
  readonly network: 'dev';
  readonly durationMs: number;
  readonly transfersConfirmed: number;
  readonly nodes: readonly NodeReport[];
  /** What the latecomer fetched, and how long it took from its start. */
  readonly latecomer: { readonly blocks: number; readonly transactions: number; readonly ms: number };
  /** What the node that was away had missed, and how long it took to catch up. */
  readonly returned: { readonly missedBlocks: number; readonly ms: number };
}

/** Asks one node for all that nodes must agree on. */
export async function reportOf(network: Network, node: NetworkNode): Promise<NodeReport> {
  const { client, name, url } = node;
  await network.noteMemory(node);
  const [chain, rich, pool] = await Promise.all([
    client.info.chain.query(),
    client.info.richList.query({ limit: RICH_ROWS }),
    client.info.mempool.query(),
  ]);
  const { height, tip, totalTransactions, totalAddresses, supply } = chain;
  const peakRssMb = Math.round(node.peakRss / MEGABYTE);
  const figures = { height, tip, totalTransactions, totalAddresses, supply };
  return { name, url, ...figures, richList: rich.items, mempool: pool.count, peakRssMb };
}

/** In which of the things that all nodes must share they differ; empty where they agree. */
export function differences(reports: readonly NodeReport[]): string[] {
  const shared = ['height', 'tip', 'totalTransactions', 'totalAddresses', 'supply', 'richList', 'mempool'] as const;
  return shared.flatMap((field) => {
    const values = new Set(reports.map((report) => toJson(report[field])));
    return values.size <= 1
      ? []
      : [`${field}: ${reports.map((each) => `${each.name} ${toJson(each[field])}`).join(', ')}`];
  });
}
