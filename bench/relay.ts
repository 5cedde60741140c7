import { type ChildProcess, fork } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, createClient } from '../client/createClient.js';
import { sleep } from '../client/time.js';
import { toBase64 } from '../shared/bytes/base64.js';
import type { Block } from '../shared/model/block.js';
import type { Transaction } from '../shared/model/transaction.js';
import { present } from '../test/kit/assertOk.js';
import { type Spendable, testKey, transfer } from '../test/kit/builders.js';
import { TestChain } from '../test/kit/testChain.js';
import { temporaryDirectory } from '../test/support/temporary.js';
import { BENCH_PARAMS, type BenchOrder, type BenchReport, benchReport, sharedNow } from './relayNode.js';
import { median, percentile, round } from './report.js';

/** Blocks of each size are measured this often, after two that warm the nodes up. */
const BLOCKS = 11;
const WARM_UP = 2;
const PER_BLOCK = 1_000;
const PAYMENTS = 220;
/** Nodes of the line, and so one hop less. */
const LINE = 5;
/** Calls under way at once where a mempool is filled. */
const AT_ONCE = 8;
const PATIENCE_MS = 60_000;
/** How long whatever else belongs to an announcement may take after the new tip. */
const LINGER_MS = 60;

/** A node in a process of its own. */
interface BenchNode {
  readonly url: string;
  readonly client: Client;
  tell(order: BenchOrder): void;
  /** Settles when it has told something, with the moment. */
  heard(kind: string, id: string): Promise<number>;
  bytes(): Promise<number>;
  end(): Promise<void>;
}

/**
 * How fast blocks and transactions travel between real nodes over HTTP: the time from the moment a block is proved on one
 * node to the new tip on its peer, whose mempool holds all of it, with the bytes of every connection of the peer meanwhile;
 * and the time a payment takes from its submission to the mempool of the last node of a line.
 */
export async function relayFigures(): Promise<Record<string, number | string>> {
  await using directory = await temporaryDirectory();
  const blocks = await blockFigures(directory.path);
  return { ...blocks, ...(await paymentFigures(directory.path)) };
}

async function blockFigures(folder: string): Promise<Record<string, number>> {
  const { blocks, spread } = paymentChain(WARM_UP + BLOCKS);
  const nodes = await startNodes(folder, { count: 2, prefix: 'block' });
  const [a, b] = [present(nodes[0]), present(nodes[1])];
  try {
    await meet(a, b);
    await feed(nodes, spread);
    const [times, sizes, shares]: number[][] = [[], [], []];
    for (const [i, block] of blocks.entries()) {
      await fill(a, b, block);
      const before = await b.bytes();
      const [proved, settled] = [a.heard('proved', block.header.hash), b.heard('settled', block.header.hash)];
      await a.client.block.submit.mutate({ block: toBase64(block.raw) });
      const ms = (await settled) - (await proved);
      await sleep(LINGER_MS);
      const bytes = (await b.bytes()) - before;
      if (i < WARM_UP) continue;
      times?.push(ms);
      sizes?.push(bytes);
      shares?.push((100 * bytes) / block.raw.length);
    }
    return {
      blocks: times?.length ?? 0,
      blockBytes: present(blocks[WARM_UP]).raw.length,
      blockMs: round(median(times ?? [])),
      blockMsWorst: round(Math.max(...(times ?? []))),
      wireBytes: median(sizes ?? []),
      wirePercent: round(median(shares ?? [])),
    };
  } finally {
    await Promise.all(nodes.map((node) => node.end()));
  }
}

async function paymentFigures(folder: string): Promise<Record<string, number>> {
  const { blocks, spread } = paymentChain(1, PAYMENTS + 20);
  const nodes = await startNodes(folder, { count: LINE, prefix: 'line' });
  const [first, last] = [present(nodes[0]), present(nodes.at(-1))];
  try {
    for (const [i, node] of nodes.slice(1).entries()) await meet(present(nodes[i]), node);
    await feed(nodes, spread);
    const times: number[] = [];
    for (const [i, { txid, raw }] of present(blocks[0]).transactions.slice(1).entries()) {
      const arrived = last.heard('accepted', txid);
      const start = sharedNow();
      await first.client.transaction.submit.mutate({ transaction: toBase64(raw) });
      const ms = (await arrived) - start;
      if (i >= 20) times.push(ms);
      // Far enough apart that each finds the nodes quiet, as payments of people do.
      await sleep(GAP_MS);
    }
    return {
      payments: times.length,
      hops: LINE - 1,
      paymentMs: round(median(times)),
      paymentMsP99: round(percentile(times, 0.99)),
    };
  } finally {
    await Promise.all(nodes.map((node) => node.end()));
  }
}

const GAP_MS = 30;

/** Every payment of a block waits at one node, and has come to the other by relay. */
async function fill(a: BenchNode, b: BenchNode, { transactions }: Block): Promise<void> {
  const payments = transactions.slice(1);
  const arrived = Promise.all(payments.map(({ txid }) => b.heard('accepted', txid)));
  const waiting = [...payments];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      await a.client.transaction.submit.mutate({ transaction: toBase64(next.raw) });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  await arrived;
}

/** All nodes have these blocks. */
async function feed(nodes: readonly BenchNode[], blocks: readonly Block[]): Promise<void> {
  const last = present(blocks.at(-1)).header.hash;
  const settled = Promise.all(nodes.map((node) => node.heard('settled', last)));
  for (const { raw } of blocks) await present(nodes[0]).client.block.submit.mutate({ block: toBase64(raw) });
  await settled;
}

async function meet(a: BenchNode, b: BenchNode): Promise<void> {
  const met = Promise.all([a.heard('connected', b.url), b.heard('connected', a.url)]);
  a.tell({ kind: 'meet', urls: [b.url] });
  b.tell({ kind: 'meet', urls: [a.url] });
  await met;
}

async function startNodes(
  folder: string,
  { count, prefix }: { readonly count: number; readonly prefix: string },
): Promise<BenchNode[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => startOne(join(folder, `${prefix}${i}`))));
}

async function startOne(dataDir: string): Promise<BenchNode> {
  await mkdir(dataDir, { recursive: true });
  const child = fork(new URL('./relayNode.js', import.meta.url), [], { execArgv: [], stdio: ['ignore', 2, 2, 'ipc'] });
  const told = new Map<string, number>();
  const waiting = new Map<string, (at: number) => void>();
  let counted = (_bytes: number): void => {};
  const hear = (report: BenchReport): void => {
    if (report.kind === 'bytes') counted(report.bytes);
    if (!('id' in report)) return;
    const key = `${report.kind} ${report.id}`;
    told.set(key, report.at);
    waiting.get(key)?.(report.at);
  };
  const ready = new Promise<BenchReport & { kind: 'ready' }>((resolve, reject) => {
    child.on('message', (message) => {
      const report = benchReport.parse(message);
      if (report.kind === 'ready') resolve(report);
      else hear(report);
    });
    child.once('exit', () => reject(new Error('a node of the bench ended')));
  });
  const tell = (order: BenchOrder): void => void child.send(order);
  tell({ kind: 'start', dataDir });
  const { url, token } = await ready;
  return {
    url,
    client: createClient({ url, token, timeoutMs: PATIENCE_MS }),
    tell,
    heard: (kind, id) =>
      within(
        `${kind} ${id}`,
        new Promise((resolve) => {
          const at = told.get(`${kind} ${id}`);
          if (at === undefined) waiting.set(`${kind} ${id}`, resolve);
          else resolve(at);
        }),
      ),
    bytes: () =>
      new Promise((resolve) => {
        counted = resolve;
        tell({ kind: 'count' });
      }),
    end: () => ended(child),
  };
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  await gone;
}

async function within<T>(what: string, work: Promise<T>): Promise<T> {
  const controller = new AbortController();
  const late = sleep(PATIENCE_MS, controller.signal).then(() => undefined);
  const first = await Promise.race([work, late]);
  controller.abort();
  if (first === undefined) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
  return first;
}

/** Blocks full of payments of one input and two outputs, each of an output of the block before; and those they stand on. */
function paymentChain(count: number, perBlock = PER_BLOCK): { readonly spread: Block[]; readonly blocks: Block[] } {
  const source = new TestChain(BENCH_PARAMS);
  const key = testKey(1);
  const genesis = source.genesis.header.hash;
  const spread = source.grow(source.genesis, 3);
  const value = 140_000n;
  const fan = transfer({
    genesis,
    spend: [source.coinOf(present(spread[0]))],
    outputs: Array.from({ length: perBlock }, () => ({ address: key.address, value })),
  });
  spread.push(source.extend(present(spread.at(-1)), { transactions: [fan] }));
  const coinsOf = (transactions: readonly Transaction[]): Spendable[] =>
    transactions.map(({ txid, body }) => ({ outpoint: { txid, index: 0 }, coin: present(body.outputs[0]), key }));
  let coins: Spendable[] = fan.body.outputs.map((coin, index) => ({ outpoint: { txid: fan.txid, index }, coin, key }));
  const blocks: Block[] = [];
  while (blocks.length < count) {
    const transactions = coins.map((coin) => {
      const rest = { address: key.address, value: coin.coin.value - 400n };
      return transfer({ genesis, spend: [coin], outputs: [rest, { address: testKey(2).address, value: 200n }] });
    });
    coins = coinsOf(transactions);
    blocks.push(source.extend(present(blocks.at(-1) ?? spread.at(-1)), { transactions }));
  }
  return { spread, blocks };
}
