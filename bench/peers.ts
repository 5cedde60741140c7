import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import * as z from 'zod';
import { type Client, createClient } from '../client/createClient.js';
import { sleep } from '../client/time.js';
import { toBase64 } from '../shared/bytes/base64.js';
import { genesisBlock } from '../shared/consensus/genesis.js';
import { NETWORKS } from '../shared/consensus/networks.js';
import { toAmount } from '../shared/model/amount.js';
import type { Transaction } from '../shared/model/transaction.js';
import { present } from '../test/kit/assertOk.js';
import { testKey, transfer } from '../test/kit/builders.js';
import { temporaryDirectory } from '../test/support/temporary.js';
import type { PeersReport } from './peersNode.js';
import { percentile, round } from './report.js';

const NODES = 20;
const SECONDS = 120;
/** The same before anything is measured: a process that has just started runs code that is not compiled yet. */
const WARM_SECONDS = 40;
const TRANSFERS_A_SECOND = 10;
/** Peers that every node has before anything is measured. */
const MIN_PEERS = 8;
const SETTLE_MS = 60_000;
/** A call of the driver may wait its turn: what is measured is how the network spreads what it has been given. */
const CALL_LIMIT_MS = 30_000;
const ENTRY = new URL('./peersNode.js', import.meta.url);
const ready = z.object({ url: z.string(), token: z.string() });
const counts = z.map(z.string(), z.number());
const reported = z.object({
  url: z.string(),
  ...{ blocks: counts, transactions: counts, announced: counts, asked: counts, calls: counts },
});

interface RunningNode {
  readonly process: ChildProcess;
  readonly url: string;
  readonly client: Client;
}

/**
 * Twenty nodes in processes of their own, over HTTP on this machine: a block a second, each at another node, and ten
 * transfers a second, each at another, for two minutes. Times are counted from the first node that has the block or the
 * transaction; a link is a pair of nodes that called each other.
 */
export async function peers(): Promise<Record<string, number | string>> {
  await using directory = await temporaryDirectory();
  const nodes: RunningNode[] = [];
  try {
    for (let i = 0; i < NODES; i++) nodes.push(await start(`${directory.path}/${i}`, i, nodes[0]?.url));
    const payments = await preparePayments(present(nodes[0]).client);
    await allOf(nodes, async ({ client }) => {
      const { nodes: known } = await client.node.list.query();
      const { height } = await client.info.chain.query();
      return height >= 4 && known.filter(({ connected }) => connected).length >= MIN_PEERS;
    });
    const warmUp = WARM_SECONDS * TRANSFERS_A_SECOND;
    await drive(nodes, payments.slice(0, warmUp));
    const { made, sent } = await drive(nodes, payments.slice(warmUp));
    await sleep(2_000);
    const active = new Set((await everyBlock(present(nodes[0]).client)).map(String));
    const reports = await Promise.all(nodes.map(reportOf));
    return summary(reports, { made, sent, active });
  } finally {
    await Promise.all(nodes.map(stop));
  }
}

async function start(dataDir: string, index: number, first: string | undefined): Promise<RunningNode> {
  const child = fork(ENTRY, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const peers = first === undefined ? [] : [first];
  child.send({ name: `node ${index}`, dataDir, port: 0, logLevel: 'silent', peers });
  const [message]: unknown[] = await once(child, 'message');
  const { url, token } = ready.parse(message);
  return { process: child, url, client: createClient({ url, token, timeoutMs: CALL_LIMIT_MS }) };
}

async function stop({ process: child }: RunningNode): Promise<void> {
  const exited = once(child, 'exit');
  child.send('stop');
  await exited;
}

async function reportOf({ process: child }: RunningNode): Promise<PeersReport> {
  const answered = once(child, 'message');
  child.send('report');
  const [message]: unknown[] = await answered;
  return reported.parse(message);
}

/** Waits until something holds at every node. */
async function allOf(nodes: readonly RunningNode[], holds: (node: RunningNode) => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + SETTLE_MS;
  for (const node of nodes) {
    while (!(await holds(node))) {
      if (performance.now() > deadline) throw new Error('the network did not come together');
      await sleep(200);
    }
  }
}

/** As many payments as will be sent, each of a coin of its own, confirmed beforehand. */
async function preparePayments(client: Client): Promise<Transaction[]> {
  const key = testKey(1);
  const { address } = key;
  const genesis = genesisBlock(NETWORKS.dev).header.hash;
  await client.block.generate.mutate({ address, count: 3 });
  const { items } = await client.block.transactions.query({ block: 1 });
  const { txid } = present(items[0]);
  const count = (WARM_SECONDS + SECONDS) * TRANSFERS_A_SECOND;
  const value = 90_000n;
  const spread = transfer({
    genesis,
    spend: [{ outpoint: { txid, index: 0 }, coin: { address, value: toAmount(150_000_000n) }, key }],
    outputs: Array.from({ length: count }, () => ({ address, value })),
  });
  await client.transaction.submit.mutate({ transaction: toBase64(spread.raw) });
  await client.block.generate.mutate({ address });
  const to = testKey(2).address;
  return Array.from({ length: count }, (_, index) =>
    transfer({
      genesis,
      spend: [{ outpoint: { txid: spread.txid, index }, coin: { address, value: toAmount(value) }, key }],
      outputs: [
        { address: to, value: 1_000n },
        { address, value: value - 2_000n },
      ],
    }),
  );
}

/** Blocks and transfers at their pace, whether or not those before have been answered. */
async function drive(
  nodes: readonly RunningNode[],
  payments: readonly Transaction[],
): Promise<{ made: string[]; sent: string[] }> {
  const [made, sent]: [string[], string[]] = [[], []];
  const underWay: Promise<void>[] = [];
  const startedAt = performance.now();
  const tick = 1000 / TRANSFERS_A_SECOND;
  for (const [i, payment] of payments.entries()) {
    const at = present(nodes[i % nodes.length]).client;
    underWay.push(
      at.transaction.submit.mutate({ transaction: toBase64(payment.raw) }).then(({ wtxid }) => void sent.push(wtxid)),
    );
    if (i % TRANSFERS_A_SECOND === 0) {
      const second = i / TRANSFERS_A_SECOND;
      // Another node each second, and not the one that has just made a block.
      const miner = present(nodes[(second * 7) % nodes.length]).client;
      const mined = miner.block.generate.mutate({ address: testKey(3).address });
      underWay.push(mined.then(({ hashes }) => void made.push(...hashes)));
    }
    await sleep(Math.max(startedAt + (i + 1) * tick - performance.now(), 0));
  }
  await Promise.all(underWay);
  return { made, sent };
}

async function everyBlock(client: Client): Promise<string[]> {
  const hashes: string[] = [];
  let cursor: string | undefined;
  do {
    const { items, next } = await client.block.list.query({ cursor, limit: 100 });
    hashes.push(...items.map(({ hash }) => hash));
    cursor = next ?? undefined;
  } while (cursor !== undefined);
  return hashes;
}

interface Driven {
  readonly made: readonly string[];
  readonly sent: readonly string[];
  readonly active: ReadonlySet<string>;
}

function summary(reports: readonly PeersReport[], { made, sent, active }: Driven): Record<string, number | string> {
  const blocks = delays(
    reports.map((report) => report.blocks),
    made,
  );
  const transactions = delays(
    reports.map((report) => report.transactions),
    sent,
  );
  const measured = new Set(sent);
  const announced = perLink(reports, ({ announced: each }) => each, measured);
  const asked = perLink(reports, ({ asked: each }) => each, measured);
  const stale = made.filter((hash) => !active.has(hash)).length;
  const calls = new Map<string, number>();
  for (const report of reports) for (const [procedure, times] of report.calls) add(calls, procedure, times);
  const rate = (times: number): number => round(times / (WARM_SECONDS + SECONDS) / reports.length);
  return {
    ...{ nodes: reports.length, seconds: SECONDS, blocks: made.length, transactions: sent.length },
    blockMsP50: round(percentile(blocks, 0.5)),
    blockMsP99: round(percentile(blocks, 0.99)),
    blocksMissed: made.length * reports.length - blocks.length,
    transactionMsP50: round(percentile(transactions, 0.5)),
    transactionMsP99: round(percentile(transactions, 0.99)),
    transactionsMissed: sent.length * reports.length - transactions.length,
    staleRate: round(stale / made.length),
    links: announced.links,
    announcementsPerTransactionAndLink: round(announced.total / (sent.length * announced.links)),
    bodiesPerTransactionAndLink: round(asked.total / (sent.length * announced.links)),
    mostBodiesOfOneTransactionOnOneLink: asked.most,
    mostBodiesOfOneTransactionToOneNode: asked.mostToOne,
    callsASecondAndNode: rate([...calls.values()].reduce((sum, each) => sum + each, 0)),
    ...Object.fromEntries([...calls].map(([procedure, times]) => [`${procedure} a second and node`, rate(times)])),
  };
}

/** How long after the first node each node had each item. */
function delays(seen: readonly ReadonlyMap<string, number>[], items: readonly string[]): number[] {
  return items.flatMap((item) => {
    const times = seen.flatMap((each) => each.get(item) ?? []);
    const first = Math.min(...times);
    return times.map((time) => time - first);
  });
}

/** Counts by pair of nodes and transaction, whichever of the two called. */
function perLink(
  reports: readonly PeersReport[],
  of: (report: PeersReport) => ReadonlyMap<string, number>,
  measured: ReadonlySet<string>,
) {
  const byLink = new Map<string, number>();
  const byNode = new Map<string, number>();
  const links = new Set<string>();
  let total = 0;
  for (const report of reports) {
    for (const [name, times] of of(report)) {
      const [origin = '', wtxid = ''] = name.split(' ');
      if (!measured.has(wtxid)) continue;
      const link = [new URL(origin).origin, report.url].sort().join(' ');
      links.add(link);
      add(byLink, `${link} ${wtxid}`, times);
      add(byNode, `${report.url} ${wtxid}`, times);
      total += times;
    }
  }
  const most = (map: ReadonlyMap<string, number>): number => [...map.values()].reduce((a, b) => Math.max(a, b), 0);
  return { links: links.size, total, most: most(byLink), mostToOne: most(byNode) };
}

function add(map: Map<string, number>, key: string, times: number): void {
  map.set(key, (map.get(key) ?? 0) + times);
}
