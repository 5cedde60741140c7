import { styleText } from 'node:util';
import { createLogUpdate } from 'log-update';
import { formatCoins } from '../../../shared/model/amount.js';
import type { SyncView } from '../../../shared/rpc/infoSchemas.js';
import { table } from '../output.js';
import type { Network, NetworkNode } from './network.js';
import type { Traffic } from './traffic.js';

const REFRESH_MS = 500;
const SHORT_HASH = 12;

/** Shows how the network does. */
export interface Display {
  step(text: string): void;
  traffic(traffic: Traffic): void;
  stop(): void;
}

/** Steps line by line on standard error, for scripts and logs. */
export function lineDisplay(): Display {
  const startedAt = performance.now();
  return {
    step(text) {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6);
      process.stderr.write(`${seconds} s  ${text}\n`);
    },
    traffic: () => {},
    stop: () => {},
  };
}

/** A picture of the network that is drawn again twice a second, for people. */
export function liveDisplay(network: Network): Display {
  const draw = createLogUpdate(process.stdout);
  const steps: string[] = [];
  let traffic: Traffic | undefined;
  let drawing: Promise<void> = Promise.resolve();
  const redraw = (): void => {
    drawing = drawing.then(async () => draw(await picture(network, steps, traffic)));
  };
  const timer = setInterval(redraw, REFRESH_MS);
  return {
    step(text) {
      steps.push(text);
      redraw();
    },
    traffic(running) {
      traffic = running;
    },
    stop() {
      clearInterval(timer);
      draw.done();
    },
  };
}

async function picture(network: Network, steps: readonly string[], traffic: Traffic | undefined): Promise<string> {
  const rows = await Promise.all(network.nodes().map((node) => rowOf(network, node)));
  const [supply] = rows.flatMap((row) => row.supply ?? []);
  const header = ['node', 'height', 'tip', 'transactions', 'waiting', 'peers', 'memory', 'state', 'address'];
  const grid = table([header, ...rows.map(({ cells }) => cells)]).split('\n');
  const past = steps.slice(0, -1).map((step) => styleText('dim', `  ✓ ${step}`));
  const now = steps.at(-1);
  return [
    `${styleText('bold', 'trestle devnet')}  directory ${network.directoryUrl}`,
    '',
    styleText('bold', grid[0] ?? ''),
    ...grid.slice(1),
    '',
    `${traffic?.posted.length ?? 0} payments sent, supply ${supply ?? '-'} coins, mining at ${network.minedAt().join(' and ') || 'no node'}`,
    '',
    ...past,
    ...(now === undefined ? [] : [styleText('cyan', `  ▸ ${now}`)]),
    '',
    styleText('dim', 'Ctrl-C stops everything.'),
  ].join('\n');
}

async function rowOf(network: Network, node: NetworkNode): Promise<{ cells: string[]; supply?: string }> {
  const { name, url, client } = node;
  if (node.process === undefined) return { cells: [name, '-', '-', '-', '-', '-', '-', 'away', url] };
  try {
    const [chain, pool, health, sync] = await Promise.all([
      client.info.chain.query(),
      client.info.mempool.query(),
      client.info.health.query(),
      client.info.sync.query(),
    ]);
    const state = stateOf(sync, network.minedAt().includes(name));
    const cells = [
      name,
      String(chain.height),
      chain.tip.slice(0, SHORT_HASH),
      String(chain.totalTransactions),
      String(pool.count),
      String(health.peers),
      `${Math.round(health.rssBytes / 1_000_000)} MB`,
      state,
      url,
    ];
    return { cells, supply: formatCoins(chain.supply) };
  } catch {
    return { cells: [name, '-', '-', '-', '-', '-', '-', 'starting', url] };
  }
}

function stateOf(sync: SyncView, isMining: boolean): string {
  if (sync.height < sync.bestHeader) return `syncing ${Math.floor((100 * sync.height) / sync.bestHeader)} %`;
  const caughtUp = sync.runs > 0 ? `, fetched ${sync.blocks} blocks in ${sync.elapsedMs} ms` : '';
  return `${isMining ? 'mining' : 'follows'}${caughtUp}`;
}
