import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../client/createClient.js';
import { sleep } from '../client/time.js';
import { Miner } from '../server/miner/miner.js';
import { NodeWatch } from '../server/miner/nodeWatch.js';
import { Solver } from '../server/miner/solver.js';
import { systemClock } from '../server/system/clock.js';
import { HASH_BYTES } from '../shared/crypto/hash.js';
import { testKey } from '../test/kit/builders.js';
import { silentLog } from '../test/kit/sim/silentLog.js';
import { servingCli } from '../test/support/servingCli.js';
import { temporaryDirectory } from '../test/support/temporary.js';
import { median, percentile, round } from './report.js';

const BLOCKS = 60;
const WARM_UP = 10;
/** Between two blocks: long enough for the long poll to stand again. */
const GAP_MS = 60;
const RATE_MS = 5_000;

/**
 * A node process, and a miner beside it whose threads never find anything: the time from the moment a block is handed to
 * the node by somebody else until every thread of the miner has tried a nonce on top of it. The way to the node, the
 * block's making, connecting and storing, the template and the way back are all in it.
 */
export async function miner(): Promise<Record<string, number | string>> {
  await using home = await temporaryDirectory();
  await using node = await servingCli(['node', '--port', '0', '--data-dir', home.path, '--log-level', 'silent']);
  const token = (await readFile(join(home.path, 'operator-token'), 'utf8')).trim();
  const operator = createClient({ url: node.url, token });
  const stop = new AbortController();
  const base = { clock: systemClock, log: silentLog, signal: stop.signal };
  const watch = new NodeWatch({ ...base, nodes: [{ url: node.url, client: createClient({ url: node.url }) }] });
  const threads = Math.max(1, availableParallelism() - 1);
  const threadsOf = new Solver({ threads, clock: systemClock, log: silentLog });
  let heard = (): void => {};
  const solver = {
    threads,
    replaced: 0,
    get tries() {
      return threadsOf.tries;
    },
    get isSearching() {
      return threadsOf.isSearching;
    },
    callOff: () => threadsOf.callOff(),
    async solve({ header }: { readonly header: Uint8Array }) {
      const target = new Uint8Array(HASH_BYTES);
      const first = await threadsOf.solve({ header, target, end: BigInt(threads) });
      if (first.kind !== 'exhausted') return first;
      heard();
      return threadsOf.solve({ header, target });
    },
  };
  await watch.start();
  const address = testKey(1).address;
  const mining = new Miner({ ...base, watch, solver, address });
  mining.start();
  try {
    await sleep(RATE_MS);
    const times: number[] = [];
    for (let i = 0; i < WARM_UP + BLOCKS; i++) {
      await sleep(GAP_MS);
      const begun = new Promise<number>((resolve) => {
        heard = () => resolve(performance.now());
      });
      const startedAt = performance.now();
      await operator.block.generate.mutate({ address });
      const ms = (await begun) - startedAt;
      if (i >= WARM_UP) times.push(ms);
    }
    const { hashRate } = await afterRest(() => mining.view());
    return {
      blocks: times.length,
      threads,
      tipToWorkMs: round(median(times)),
      tipToWorkMsP99: round(percentile(times, 0.99)),
      hashesPerSecond: Math.round(hashRate),
    };
  } finally {
    stop.abort();
    await mining.close();
    await threadsOf.close();
    await watch.close();
  }
}

/** What a look shows when nothing but the search has gone on for a while. */
async function afterRest<T>(look: () => T): Promise<T> {
  for (let waited = 0; waited < 2 * RATE_MS; waited += 500) {
    look();
    await sleep(500);
  }
  return look();
}
