import { styleText } from 'node:util';
import { createLogUpdate } from 'log-update';
import { formatCoins } from '../../../shared/model/amount.js';
import type { SyncView } from '../../../shared/rpc/infoSchemas.js';
import { cutLine } from '../cutLine.js';
import { table } from '../output.js';
import type { Network, NetworkNode } from './network.js';
import type { Traffic } from './traffic.js';

const REFRESH_MS = 500;
const SHORT_HASH = 12;
/** The size of a terminal that does not tell its own. */
const USUAL = { columns: 80, rows: 24 } as const;
/** Lines of the picture that are neither steps nor rows of nodes. */
const OTHER_LINES = 9;

/** Shows how the network does. */
export interface Display {
  step(text: string): void;
  traffic(traffic: Traffic): void;
  /** Settles when nothing is being drawn any more. */
  stop(): Promise<void>;
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
    stop: async () => {},
  };
}

/** A picture of the network that is drawn again twice a second, for people. */
export function liveDisplay(network: Network): Display {
  const draw = createLogUpdate(process.stdout);
  const steps: string[] = [];
  let traffic: Traffic | undefined;
  let drawing: Promise<void> = Promise.resolve();
  const redraw = (): void => {
    drawing = drawing.then(async () => {
      const { columns = USUAL.columns, rows = USUAL.rows } = process.stdout;
      draw(picture({ nodes: await lookAt(network), network, steps, traffic }, { columns, rows }));
    });
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
    async stop() {
      clearInterval(timer);
      await drawing;
      draw.done();
    },
  };
}

/** A node at a glance. Figures are missing while it is away or starts. */
export interface NodeGlance {
  readonly name: string;
  readonly url: string;
  readonly state: string;
  readonly height?: number;
  readonly tip?: string;
  readonly transactions?: number;
  readonly waiting?: number;
  readonly peers?: number;
  readonly rssBytes?: number;
  readonly supply?: bigint;
}

/** What the picture shows. */
export interface Scene {
  readonly nodes: readonly NodeGlance[];
  readonly network: Pick<Network, 'directoryUrl' | 'minedAt'>;
  readonly steps: readonly string[];
  readonly traffic: Pick<Traffic, 'posted'> | undefined;
}

/** Columns of the table, the least wanted of them last to be given up room. */
const COLUMNS: readonly { readonly title: string; readonly show: (node: NodeGlance) => unknown }[] = [
  { title: 'node', show: ({ name }) => name },
  { title: 'height', show: ({ height }) => height },
  { title: 'tip', show: ({ tip }) => tip?.slice(0, SHORT_HASH) },
  { title: 'transactions', show: ({ transactions }) => transactions },
  { title: 'waiting', show: ({ waiting }) => waiting },
  { title: 'peers', show: ({ peers }) => peers },
  {
    title: 'memory',
    show: ({ rssBytes }) => (rssBytes === undefined ? undefined : `${Math.round(rssBytes / 1_000_000)} MB`),
  },
  { title: 'state', show: ({ state }) => state },
  { title: 'address', show: ({ url }) => url },
];
/** Where a terminal is narrow, these go, in this order. */
const SPARE_COLUMNS = ['address', 'memory', 'tip', 'transactions'];

/** The whole picture, cut to a terminal's size: a line that wraps or scrolls away would leave its remains behind. */
export function picture(scene: Scene, size: { readonly columns: number; readonly rows: number }): string {
  const { nodes, network, steps, traffic } = scene;
  const [supply] = nodes.flatMap((node) => node.supply ?? []);
  const grid = tableWithin(nodes, size.columns);
  const room = Math.max(1, size.rows - OTHER_LINES - nodes.length);
  const past = steps
    .slice(0, -1)
    .slice(-room)
    .map((step) => styleText('dim', `  ✓ ${step}`));
  const now = steps.at(-1);
  const miners = network.minedAt().join(' and ') || 'no node';
  const lines = [
    `${styleText('bold', 'trestle devnet')}  directory ${network.directoryUrl}`,
    '',
    styleText('bold', grid[0] ?? ''),
    ...grid.slice(1),
    '',
    `${traffic?.posted.length ?? 0} payments sent, supply ${supply === undefined ? '-' : formatCoins(supply)} coins, mining at ${miners}`,
    '',
    ...past,
    ...(now === undefined ? [] : [styleText('cyan', `  ▸ ${now}`)]),
    '',
    styleText('dim', 'Ctrl-C stops everything.'),
  ];
  return lines.map((line) => cutLine(line, size.columns)).join('\n');
}

function tableWithin(nodes: readonly NodeGlance[], columns: number): string[] {
  for (let dropped = 0; ; dropped++) {
    const gone = SPARE_COLUMNS.slice(0, dropped);
    const shown = COLUMNS.filter(({ title }) => !gone.includes(title));
    const rows = nodes.map((node) => shown.map(({ show }) => String(show(node) ?? '-')));
    const lines = table([shown.map(({ title }) => title), ...rows]).split('\n');
    if (dropped === SPARE_COLUMNS.length || lines.every((line) => line.length < columns)) return lines;
  }
}

function lookAt(network: Network): Promise<NodeGlance[]> {
  return Promise.all(network.nodes().map((node) => glance(node, network.minedAt().includes(node.name))));
}

async function glance({ name, url, client, process }: NetworkNode, isMining: boolean): Promise<NodeGlance> {
  if (process === undefined) return { name, url, state: 'away' };
  try {
    const [chain, pool, health, sync] = await Promise.all([
      client.info.chain.query(),
      client.info.mempool.query(),
      client.info.health.query(),
      client.info.sync.query(),
    ]);
    return {
      name,
      url,
      state: stateOf(sync, isMining),
      height: chain.height,
      tip: chain.tip,
      transactions: chain.totalTransactions,
      waiting: pool.count,
      peers: health.peers,
      rssBytes: health.rssBytes,
      supply: chain.supply,
    };
  } catch {
    return { name, url, state: 'starting' };
  }
}

function stateOf(sync: SyncView, isMining: boolean): string {
  if (sync.height < sync.bestHeader) return `syncing ${Math.floor((100 * sync.height) / sync.bestHeader)} %`;
  const caughtUp = sync.blocks > 0 ? `, fetched ${sync.blocks} ${sync.blocks === 1 ? 'block' : 'blocks'}` : '';
  return `${isMining ? 'mining' : 'follows'}${caughtUp}`;
}
