import type { Network, NetworkNode } from './network.js';
import { type DevnetReport, differences, type NodeReport, reportOf } from './report.js';
import { createPayer, Traffic } from './traffic.js';
import { waitFor } from './wait.js';

/** What the run has to reach. */
const TRANSFERS = 220;
const HEIGHT_BEFORE_ABSENCE = 9;
const BLOCKS_MISSED = 4;
const HEIGHT_BEFORE_LATECOMER = 20;
const LAST_TRANSFERS = 5;
/** How long any single step may take. */
const STEP_TIMEOUT_MS = 60_000;

/** Told of each step as it begins. */
export type OnStep = (step: string) => void;

/** What the run works with. */
export interface ScenarioParts {
  readonly network: Network;
  readonly signal: AbortSignal;
  readonly onStep: OnStep;
  /** Told of the traffic once there is some. */
  readonly onTraffic: (traffic: Traffic) => void;
}

/**
 * The whole life of a small network: nodes find each other through a directory, a miner makes blocks, wallets pay, a node
 * goes away and comes back, a latecomer starts from nothing, and in the end all agree on everything.
 */
export async function runScenario(parts: ScenarioParts): Promise<DevnetReport> {
  const { network, signal, onStep, onTraffic } = parts;
  const startedAt = performance.now();
  const wait = <T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> =>
    waitFor(look, { what, timeoutMs: STEP_TIMEOUT_MS, signal });

  onStep('starting a directory and the nodes A, B and C');
  await network.startDirectory();
  const [a, b, c] = await Promise.all([network.startNode('A'), network.startNode('B'), network.startNode('C')]);
  onStep('A, B and C look for each other through the directory');
  for (const node of [a, b, c]) await wait(`${node.name} finds the others`, () => hasPeers(node, 2));

  const [alice, bob, carol] = [createPayer('alice', b), createPayer('bob', c), createPayer('carol', b)];
  const traffic = new Traffic([alice, bob, carol]);
  onTraffic(traffic);
  onStep('a miner starts at A; its first coins ripen');
  await network.startMiner('A', alice.address);
  await wait('the first coins', async () => (await alice.wallet.balance()).confirmed > 0n);
  const spread = await wait('the coins are spread', () => traffic.spread(alice));
  await wait('the spread coins are confirmed', () => isConfirmed(c, spread));

  onStep('wallets pay each other through B and C');
  traffic.start();
  const viaC = await wait('a transfer posted to C', async () => traffic.posted.find(({ through }) => through === 'C'));
  await wait('a transfer posted to C is in a block mined at A', async () => {
    const { block } = await a.client.transaction.get.query({ txid: viaC.txid });
    return block !== null && (await a.client.block.get.query({ block: block.hash })).creator === alice.address;
  });
  await wait(`height ${HEIGHT_BEFORE_ABSENCE}`, () => isAbove(b, HEIGHT_BEFORE_ABSENCE));

  onStep('A goes away; a miner at B goes on');
  await network.stopMiner('A');
  const heightOfA = await heightOf(a);
  await network.stopNode('A');
  await network.startMiner('B', bob.address);
  await wait('blocks without A', () => isAbove(b, heightOfA + BLOCKS_MISSED));
  onStep('A comes back and catches up');
  const missedBlocks = (await heightOf(b)) - heightOfA;
  const backAt = performance.now();
  await network.startNode('A');
  await wait('A catches up', async () => (await heightOf(a)) >= heightOfA + missedBlocks);
  const returned = { missedBlocks, ms: Math.round(performance.now() - backAt) };

  onStep('two miners race, at A and at B');
  await network.startMiner('A', alice.address);
  await wait(`height ${HEIGHT_BEFORE_LATECOMER}`, () => isAbove(b, HEIGHT_BEFORE_LATECOMER));
  onStep('a latecomer, D, starts with nothing');
  const target = await b.client.info.chain.query();
  const lateAt = performance.now();
  const d = await network.startNode('D');
  await wait('D synchronizes', async () => (await heightOf(d)) >= target.height);
  const lateMs = Math.round(performance.now() - lateAt);
  const { blocks, transactions } = await d.client.info.sync.query();
  const latecomer = { blocks, transactions, ms: lateMs };
  await wait(`${TRANSFERS} transfers`, async () => traffic.posted.length >= TRANSFERS);

  onStep('payments pause; one miner clears what waits, then stops');
  await traffic.stop();
  // With one miner left there are no rivals of equal work, so the nodes can come to rest on one tip.
  await network.stopMiner('A');
  await wait('nothing waits and all nodes agree', async () => (await restingReports(network, 0)) !== undefined);
  await network.stopMiner('B');
  await wait('all nodes agree without miners', async () => (await restingReports(network, 0)) !== undefined);
  const transfersConfirmed = await countConfirmed(d, traffic);
  if (transfersConfirmed !== traffic.posted.length)
    throw new Error(`${transfersConfirmed} of ${traffic.posted.length} transfers are confirmed`);

  onStep('five more payments wait at every node');
  const last: string[] = [];
  for (let i = 0; i < LAST_TRANSFERS; i++) {
    const payer = [alice, bob, carol][i % 3] ?? alice;
    last.push((await traffic.pay(payer)).txid);
  }
  await wait('the last payments reach every node', () => haveExactly(network, last));
  const nodes = await wait('all nodes agree at the end', () => restingReports(network, LAST_TRANSFERS));
  const durationMs = Math.round(performance.now() - startedAt);
  return { ok: true, network: 'dev', durationMs, transfersConfirmed, nodes, latecomer, returned };
}

async function heightOf({ client }: NetworkNode): Promise<number> {
  return (await client.info.chain.query()).height;
}

async function isAbove(node: NetworkNode, height: number): Promise<boolean> {
  return (await heightOf(node)) >= height;
}

async function hasPeers({ client }: NetworkNode, count: number): Promise<boolean> {
  return (await client.info.health.query()).peers >= count;
}

async function isConfirmed({ client }: NetworkNode, txid: Parameters<typeof client.transaction.get.query>[0]['txid']) {
  return (await client.transaction.get.query({ txid })).block !== null;
}

async function countConfirmed(node: NetworkNode, traffic: Traffic): Promise<number> {
  let confirmed = 0;
  for (const { txid } of traffic.posted) if (await isConfirmed(node, txid).catch(() => false)) confirmed += 1;
  return confirmed;
}

/** The nodes' reports, where all agree and so many transactions wait at each; throws with the differences otherwise. */
async function restingReports(network: Network, waiting: number): Promise<NodeReport[]> {
  const reports = await Promise.all(network.running().map((node) => reportOf(network, node)));
  const differing = differences(reports);
  if (differing.length > 0) throw new Error(differing.join('; '));
  const counts = reports.map(({ mempool }) => mempool);
  if (counts.some((count) => count !== waiting)) throw new Error(`waiting transactions: ${counts.join(', ')}`);
  return reports;
}

/** Whether each node has just these transactions waiting. */
async function haveExactly(network: Network, txids: readonly string[]): Promise<boolean> {
  const wanted = [...txids].sort().join();
  const all = await Promise.all(
    network.running().map(async ({ client }) => {
      const { items } = await client.transaction.list.query({ limit: 100 });
      return items
        .map(({ txid }) => txid)
        .sort()
        .join();
    }),
  );
  return all.every((has) => has === wanted);
}
