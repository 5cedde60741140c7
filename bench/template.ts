import type { PoolEntry } from '../server/mempool/pool.js';
import { Pool } from '../server/mempool/pool.js';
import { BlockDraft } from '../server/miner/blockDraft.js';
import { buildTemplate } from '../server/miner/buildTemplate.js';
import { selectChunks } from '../server/miner/selectChunks.js';
import { genesisBlock } from '../shared/consensus/genesis.js';
import { NETWORKS } from '../shared/consensus/networks.js';
import { TEMPLATE_BYTES } from '../shared/policy/relay.js';
import { contextAfterGenesis, testKey } from '../test/kit/builders.js';
import { bestFees, looseEntry, randomPool, seededBelow } from '../test/support/randomPool.js';
import { median, percentile, round } from './report.js';

const WAITING = 50_000;
const CHAIN = 25;
const FULL_BUILDS = 15;
const ARRIVALS = 60;
const SMALL_POOLS = 1_000;

const params = NETWORKS.dev;
const parent = contextAfterGenesis(genesisBlock(params).header);
const { address } = testKey(1);

/** What a template costs with a full pool of long chains, and what one more transaction does; how well small blocks are filled. */
export async function template(): Promise<Readonly<Record<string, number | string>>> {
  const { pool, ends } = poolOfChains();
  const full: number[] = [];
  const first = templateOf(pool, new BlockDraft());
  for (let i = 0; i < FULL_BUILDS; i++) full.push(timed(() => templateOf(pool, new BlockDraft())));
  const figures: Record<string, number | string> = {
    waiting: pool.count,
    chunks: pool.chunks().length,
    taken: first.transactions.length - 1,
    fullBuildMs: round(median(full)),
    fullBuildWorstMs: round(Math.max(...full)),
  };
  const draft = new BlockDraft();
  templateOf(pool, draft);
  const edge = selectChunks(pool.chunks(), TEMPLATE_BYTES).price;
  let tag = WAITING;
  /** One more transaction of so high a rate, and the template after it; without parents, or at the end of a chain. */
  const arrivals = (rate: number, onChain: boolean): number[] =>
    Array.from({ length: ARRIVALS }, () => {
      tag += 1;
      const end = onChain ? ends.pop() : undefined;
      const parents = end === undefined ? [] : [end.transaction.txid];
      pool.add(looseEntry({ tag, fee: Math.ceil(rate * 200), parents }));
      return timed(() => templateOf(pool, draft));
    });
  const cases: readonly (readonly [string, number, boolean])[] = [
    ['AtTheTop', edge * 10, false],
    ['InTheMiddle', edge * 1.2, false],
    ['BelowTheCut', edge / 2, false],
    ['ForItsParents', edge * 40, true],
  ];
  for (const [name, rate, onChain] of cases) {
    const times = arrivals(rate, onChain);
    figures[`after${name}Ms`] = round(median(times));
    figures[`after${name}P95Ms`] = round(percentile(times, 0.95));
  }
  return { ...figures, ...smallPools() };
}

/** A pool of chains, each transaction with a fee of its own; and the last of each, which are one short of the limit. */
function poolOfChains(): { readonly pool: Pool; readonly ends: PoolEntry[] } {
  const below = seededBelow(1);
  const pool = new Pool();
  const ends: PoolEntry[] = [];
  for (let tag = 0; tag < WAITING; ) {
    let end: PoolEntry | undefined;
    for (let i = 0; i < CHAIN && tag < WAITING; i++, tag++) {
      const parents = end === undefined ? [] : [end.transaction.txid];
      end = pool.add(looseEntry({ tag, fee: 200 + below(10_000), parents, outputs: 1 + below(3) }));
    }
    if (end !== undefined) ends.push(end);
  }
  return { pool, ends };
}

function templateOf(pool: Pool, draft: BlockDraft) {
  draft.update(selectChunks(pool.chunks(), TEMPLATE_BYTES));
  return buildTemplate({ params, parent, draft, address, now: 1_800_000_000_000, nonce: new Uint8Array(8) });
}

function timed(action: () => unknown): number {
  const startedAt = performance.now();
  action();
  return performance.now() - startedAt;
}

/** The fees of blocks from small pools, as a part of the best that trying every choice finds. */
function smallPools(): Record<string, number> {
  const parts: number[] = [];
  for (let seed = 1; seed <= SMALL_POOLS; seed++) {
    const below = seededBelow(seed);
    const pool = randomPool(below, 2 + below(15));
    const maxBytes = 150 + below(pool.bytes);
    const best = bestFees([...pool.entries()], maxBytes);
    if (best > 0) parts.push(Number(selectChunks(pool.chunks(), maxBytes).fees) / best);
  }
  return {
    smallPools: parts.length,
    smallPoolsFeesMean: round(parts.reduce((sum, part) => sum + part, 0) / parts.length),
    smallPoolsFeesWorst: round(Math.min(...parts)),
  };
}
