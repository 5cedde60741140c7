import { join } from 'node:path';
import { createClient } from '../client/createClient.js';
import { sleep } from '../client/time.js';
import { servingCli } from '../test/support/servingCli.js';
import { temporaryDirectory } from '../test/support/temporary.js';
import { badPeer } from './sync/badPeer.js';
import { chainOnDisk } from './sync/chainOnDisk.js';

/** A chain that takes more than twenty seconds to check. */
const BLOCKS = Number(process.env['TRESTLE_BENCH_BLOCKS'] ?? 250);
const PER_BLOCK = 1_000;
const LOOK_MS = 50;
const LIMIT_MS = 300_000;

interface Run {
  readonly seconds: number;
  readonly transactions: number;
  /** The longest delays of its event loop, 99 of 100 readings below. */
  readonly loopDelayP99Ms: number;
  readonly peakMb: number;
  readonly said: string;
}

/**
 * How long a new node takes to synchronize: from one good peer, and from four of which one takes questions and never
 * answers them, one sends bad bodies, one drips and one is good. All nodes are processes over HTTP.
 */
export async function sync(): Promise<Record<string, number | string>> {
  await using directory = await temporaryDirectory();
  const source = join(directory.path, 'source');
  const height = await chainOnDisk(source, { blocks: BLOCKS, perBlock: PER_BLOCK });
  await using good = await servingCli([
    'node',
    '--network',
    'dev',
    '--name',
    'good',
    '--port',
    '0',
    '--data-dir',
    source,
  ]);
  const alone = await run(join(directory.path, 'alone'), [good.url], height);
  await using staller = await badPeer(good.url, 'stalls');
  await using liar = await badPeer(good.url, 'lies');
  await using slow = await badPeer(good.url, 'is slow');
  const names = new Map([
    [staller.url, 'staller'],
    [liar.url, 'liar'],
    [slow.url, 'slow'],
    [good.url, 'good'],
  ]);
  const among = await run(join(directory.path, 'among'), [...names.keys()], height);
  const told = (pattern: RegExp): string =>
    [...names]
      .flatMap(([url, name]) => (lines(among.said, pattern).some((line) => line.includes(url)) ? name : []))
      .join(' ') || 'nobody';
  return {
    blocks: height,
    transactions: alone.transactions,
    onePeerSeconds: alone.seconds,
    onePeerTransactionsPerSecond: Math.round(alone.transactions / alone.seconds),
    fourPeersSeconds: among.seconds,
    ratio: Number((among.seconds / alone.seconds).toFixed(2)),
    bar: 1.3,
    dropped: told(/peer dropped/),
    droppedForALie: told(/"why":"(block-|peer-protocol).*peer dropped/),
    banned: told(/banned/),
    askedStaller: staller.asked(),
    askedLiar: liar.asked(),
    askedSlow: slow.asked(),
    onePeerLoopDelayP99Ms: alone.loopDelayP99Ms,
    fourPeersLoopDelayP99Ms: among.loopDelayP99Ms,
    peakMb: among.peakMb,
  };
}

async function run(dataDir: string, peers: readonly string[], height: number): Promise<Run> {
  const named = peers.flatMap((peer) => ['--peer', peer]);
  await using node = await servingCli([
    'node',
    '--network',
    'dev',
    '--name',
    'new',
    '--port',
    '0',
    '--data-dir',
    dataDir,
    ...named,
  ]);
  const client = createClient({ url: node.url, timeoutMs: 30_000 });
  const startedAt = performance.now();
  for (;;) {
    const { height: now, totalTransactions: transactions } = await client.info.chain.query();
    const seconds = (performance.now() - startedAt) / 1000;
    if (now >= height) {
      const { loopDelayP99Ms, peakRssBytes } = await client.info.health.query();
      const peakMb = Math.round(peakRssBytes / 1_000_000);
      return { seconds: Number(seconds.toFixed(2)), transactions, loopDelayP99Ms, peakMb, said: node.said() };
    }
    if (seconds * 1000 > LIMIT_MS) throw new Error(`it is at ${now} of ${height} after ${seconds} s: ${node.said()}`);
    await sleep(LOOK_MS);
  }
}

function lines(text: string, pattern: RegExp): string[] {
  return text.split('\n').filter((line) => pattern.test(line));
}
