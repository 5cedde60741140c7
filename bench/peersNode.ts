import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import * as z from 'zod';
import { nodeConfig } from '../server/config.js';
import { startNode } from '../server/node.js';
import { NETWORKS } from '../shared/consensus/networks.js';
import { readSuperjson } from '../shared/rpc/transformer.js';

// The entry of a process that is one node of the network that `bench peers` measures. It notes when blocks and
// transactions came, and what it sent to whom, without a change to the node: undici tells of every request it makes.

/** Requests are told as they are made, and their bodies as they are sent: ours are short and go in one piece. */
const request = z.object({ request: z.object({ origin: z.union([z.string(), z.instanceof(URL)]), path: z.string() }) });
const sent = request.extend({ chunk: z.instanceof(Uint8Array) });
const named = z.object({ wtxids: z.array(z.string()) });

/** What one node has seen and said, as it is handed to the parent. */
export interface PeersReport {
  readonly url: string;
  /** When each block was connected, and each transaction taken in, in milliseconds since 1970. */
  readonly blocks: ReadonlyMap<string, number>;
  readonly transactions: ReadonlyMap<string, number>;
  /** How often each transaction was named to each peer, and asked of it: by `<url> <wtxid>`. */
  readonly announced: ReadonlyMap<string, number>;
  readonly asked: ReadonlyMap<string, number>;
  /** Calls to each peer, by procedure. */
  readonly calls: ReadonlyMap<string, number>;
}

const now = (): number => performance.timeOrigin + performance.now();

async function main(): Promise<void> {
  process.once('disconnect', () => process.exit(1));
  const [config]: unknown[] = await once(process, 'message');
  const [blocks, transactions] = [new Map<string, number>(), new Map<string, number>()];
  const [announced, asked, calls] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  channel('undici:request:create').subscribe((message) => {
    count(calls, procedureOf(request.parse(message).request.path));
  });
  channel('undici:request:bodyChunkSent').subscribe((message) => {
    const { chunk, request: to } = sent.parse(message);
    const counts = { 'transaction.announce': announced, 'transaction.raw': asked }[procedureOf(to.path)];
    if (counts === undefined) return;
    const body: unknown = JSON.parse(Buffer.from(chunk).toString('utf8'));
    for (const wtxid of named.parse(readSuperjson(body)).wtxids) count(counts, `${String(to.origin)} ${wtxid}`);
  });
  const node = await startNode(NETWORKS.dev, nodeConfig.parse(config));
  node.chain.events.on('connected', ({ record }) => note(blocks, record.header.hash));
  node.mempool.events.on('accepted', ({ entry }) => note(transactions, entry.transaction.wtxid));
  process.on('message', (told) => {
    if (told === 'report')
      process.send?.({ url: node.url, blocks, transactions, announced, asked, calls } satisfies PeersReport);
    else void node.stop();
  });
  process.send?.({ url: node.url, token: node.token });
  await node.stopped;
  process.exit(0);
}

function procedureOf(path: string): string {
  return path.replace('/trpc/', '');
}

function note(times: Map<string, number>, name: string): void {
  if (!times.has(name)) times.set(name, now());
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

await main();
