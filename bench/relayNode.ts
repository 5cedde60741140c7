import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { Socket } from 'node:net';
import * as z from 'zod';
import { type Dialer, httpDialer } from '../server/net/dialer.js';
import { parsePeerUrl } from '../server/net/peerUrl.js';
import { startNode } from '../server/node.js';
import { NETWORKS } from '../shared/consensus/networks.js';
import type { NetworkParams } from '../shared/consensus/params.js';
import { TrestleError } from '../shared/errors.js';

/**
 * Rules as on `dev`, at a slower pace: looks at peers every half a minute do not fall into what is measured. The difficulty
 * is none either way.
 */
export const BENCH_PARAMS: NetworkParams = { ...NETWORKS.dev, name: 'bench', blockInterval: 150_000 };

// The entry of a process that is one node of the relay bench: it calls nobody but the nodes it is told to, says when
// something of note happens, and counts the bytes of all its connections.

const order = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('start'), dataDir: z.string() }),
  z.strictObject({ kind: z.literal('meet'), urls: z.array(z.string()) }),
  z.strictObject({ kind: z.literal('count') }),
]);

/** What a node of the bench is told. */
export type BenchOrder = z.input<typeof order>;

/** What it tells: when is in milliseconds of the machine's monotonic clock, which all its processes share. */
export const benchReport = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ready'), url: z.string(), token: z.string() }),
  z.strictObject({ kind: z.enum(['proved', 'settled', 'accepted', 'connected']), id: z.string(), at: z.number() }),
  z.strictObject({ kind: z.literal('bytes'), bytes: z.number() }),
]);

/** A report of such a node. */
export type BenchReport = z.output<typeof benchReport>;

/** Milliseconds of the clock that all processes of this machine share. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

const sockets = new Set<Socket>();
const allowed = new Set<string>();
let closedBytes = 0;

function watch(message: unknown): void {
  const socket = typeof message === 'object' && message !== null && 'socket' in message ? message.socket : undefined;
  if (!(socket instanceof Socket)) return;
  sockets.add(socket);
  socket.once('close', () => {
    sockets.delete(socket);
    closedBytes += socket.bytesRead + socket.bytesWritten;
  });
}

function tell(report: BenchReport): void {
  process.send?.(report);
}

function bytesSoFar(): number {
  return [...sockets].reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, closedBytes);
}

/** A dialer that reaches only who is allowed. */
function narrowed(dialer: Dialer): Dialer {
  return {
    ...dialer,
    dial(url, options) {
      if (!allowed.has(url)) throw new TrestleError({ code: 'peer-unreachable', url, detail: 'not of this line' });
      return dialer.dial(url, options);
    },
  };
}

async function main(): Promise<void> {
  process.once('disconnect', () => process.exit(1));
  subscribe('net.server.socket', watch);
  subscribe('net.client.socket', watch);
  const [first]: unknown[] = await once(process, 'message');
  const start = order.parse(first);
  if (start.kind !== 'start') throw new Error('a node is started first');
  const config = { name: 'bench', port: 0, allowPrivate: true, logLevel: 'silent' as const, dataDir: start.dataDir };
  const node = await startNode(BENCH_PARAMS, config, { dialer: (parts) => narrowed(httpDialer(parts)) });
  const { chain, mempool, peers } = node;
  chain.events.on('proved', ({ record }) => tell({ kind: 'proved', id: record.header.hash, at: sharedNow() }));
  chain.events.on('settled', ({ tip }) => tell({ kind: 'settled', id: tip.header.hash, at: sharedNow() }));
  mempool.events.on('accepted', ({ entry }) => tell({ kind: 'accepted', id: entry.transaction.txid, at: sharedNow() }));
  peers.events.on('connected', ({ url }) => tell({ kind: 'connected', id: url, at: sharedNow() }));
  process.on('message', (message) => {
    const told = order.parse(message);
    if (told.kind === 'count') tell({ kind: 'bytes', bytes: bytesSoFar() });
    if (told.kind !== 'meet') return;
    for (const url of told.urls) {
      allowed.add(url);
      const parsed = parsePeerUrl(url);
      if (parsed !== undefined) peers.meet(parsed);
    }
  });
  tell({ kind: 'ready', url: node.url, token: node.token });
  await node.stopped;
}

if (process.send !== undefined) await main();
