import { createInterface } from 'node:readline';
import { reindex } from '../../server/repair/reindex.js';
import { verify } from '../../server/repair/verify.js';
import { systemClock } from '../../server/system/clock.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import { TrestleError } from '../../shared/errors.js';
import { silentLog } from '../kit/sim/silentLog.js';
import { eventually } from './eventually.js';
import { testSignatures } from './memoryChain.js';
import { testNode } from './testNode.js';

/** One data directory to try. */
export interface OpenJob {
  readonly dataDir: string;
  /** Repair it where it is damaged, and get what is missing from this peer until its tip is reached. */
  readonly peer?: string;
  readonly tip?: string;
}

/** What became of it. */
export interface OpenReport {
  /** The code of the refusal, or `open`. */
  readonly first: string;
  /** The chain, when it opened. */
  readonly state?: string;
  /** Blocks the repair kept, and the chain after it. */
  readonly kept?: number;
  readonly repaired?: string;
  /** Differences a verification found in the end. */
  readonly differences?: number;
}

/** Opens a node there and shows what it holds. */
async function look(dataDir: string, peers: readonly string[] = [], tip?: string): Promise<string> {
  await using node = await testNode({ config: { dataDir, peers: [...peers] } });
  const { client } = node;
  if (tip !== undefined) await eventually('the old tip', async () => (await client.info.chain.query()).tip === tip);
  const chain = await client.info.chain.query();
  const { items } = await client.info.richList.query({ limit: 100 });
  return JSON.stringify({ chain, items }, (_key, value) => (typeof value === 'bigint' ? String(value) : value));
}

async function attempt({ dataDir, peer, tip }: OpenJob): Promise<OpenReport> {
  try {
    return { first: 'open', state: await look(dataDir) };
  } catch (error) {
    if (!(error instanceof TrestleError)) throw error;
    if (peer === undefined) return { first: error.code };
    const parts = {
      ...{ dataDir, params: NETWORKS.dev, clock: systemClock, log: silentLog },
      signatures: await testSignatures(),
    };
    const { kept } = await reindex(parts);
    const repaired = await look(dataDir, [peer], tip);
    return { first: error.code, kept, repaired, differences: (await verify(parts)).total };
  }
}

// A process of its own: what damage does to LMDB ends a process by a signal, and that is what the tests are to see.
for await (const line of createInterface({ input: process.stdin })) {
  const report = await attempt(JSON.parse(line) as OpenJob);
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
