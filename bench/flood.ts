import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { createClient } from '../client/createClient.js';
import { sleep } from '../client/time.js';
import { formatAddress } from '../shared/model/address.js';
import { mineBlocks } from '../test/kit/actions/mineBlocks.js';
import { walletKey } from '../test/kit/wallets.js';
import { servingCli } from '../test/support/servingCli.js';
import { temporaryDirectory } from '../test/support/temporary.js';
import { post } from './post.js';
import { median } from './report.js';

const ROUNDS = 3;
const CLIENTS = 50;
const FLOOD_PER_SECOND = 2_000;
const GOOD_PER_SECOND = 50;
const FLOOD_MS = 30_000;
const QUIET_MS = 10_000;
const WARM_UP_MS = 3_000;
const BLOCKS = 60;
/** The well-behaved client's own address. */
const GOOD_ADDRESS = '127.0.1.1';

/** What the misbehaving clients say of themselves. */
const floodReport = z.object({ sent: z.number(), answers: z.record(z.string(), z.number()) });

interface Measured {
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
  readonly calls: number;
}

interface Round {
  readonly quiet: Measured;
  readonly flooded: Measured;
  readonly report: z.output<typeof floodReport>;
  /** Addresses that the node keeps out at the end. */
  readonly banned: number;
}

/**
 * A node process that counts loopback callers as it counts any other, 50 misbehaving clients in a process of theirs, each
 * at an address of its own, and one well-behaved client: how long that one waits, without the flood and with it.
 */
export async function flood(): Promise<Record<string, number | string>> {
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await oneRound());
  const middle = (of: (round: Round) => number): number => Number(median(rounds.map(of)).toFixed(2));
  return {
    clients: CLIENTS,
    seconds: FLOOD_MS / 1_000,
    requestsPerSecond: middle(({ report }) => report.sent / (FLOOD_MS / 1_000)),
    quietP50Ms: middle(({ quiet }) => quiet.p50),
    quietP99Ms: middle(({ quiet }) => quiet.p99),
    quietErrors: middle(({ quiet }) => quiet.errors),
    floodP50Ms: middle(({ flooded }) => flooded.p50),
    floodP99Ms: middle(({ flooded }) => flooded.p99),
    floodErrors: middle(({ flooded }) => flooded.errors),
    calls: middle(({ flooded }) => flooded.calls),
    banned: middle(({ banned }) => banned),
    answers: JSON.stringify(rounds.at(-1)?.report.answers ?? {}),
  };
}

async function oneRound(): Promise<Round> {
  await using directory = await temporaryDirectory();
  const args = ['node', '--network', 'test', '--port', '0', '--data-dir', directory.path, '--log-level', 'warn'];
  await using node = await servingCli(args);
  const token = (await readFile(join(directory.path, 'operator-token'), 'utf8')).trim();
  const operator = createClient({ url: node.url, token, timeoutMs: 60_000 });
  await mineBlocks(operator, formatAddress(walletKey(0).address), BLOCKS);
  await goodClient(node.url, WARM_UP_MS);
  const quiet = await goodClient(node.url, QUIET_MS);
  const attackers = fork(fileURLToPath(new URL('./floodClients.js', import.meta.url)));
  try {
    attackers.send({ url: node.url, clients: CLIENTS, perSecond: FLOOD_PER_SECOND, ms: FLOOD_MS });
    const told = once(attackers, 'message');
    const flooded = await goodClient(node.url, FLOOD_MS);
    const report = floodReport.parse((await told)[0]);
    const { bans } = await operator.node.peers.query();
    return { quiet, flooded, report, banned: bans.length };
  } finally {
    attackers.kill();
  }
}

/** Calls as an explorer, a wallet and a monitor do, at a steady pace whatever the answers take. */
async function goodClient(url: string, ms: number): Promise<Measured> {
  const agent = new Agent({ keepAlive: true, maxSockets: 32, localAddress: GOOD_ADDRESS });
  const address = formatAddress(walletKey(0).address);
  const mix: readonly (readonly [path: string, input?: object])[] = [
    ['node.ping'],
    ['block.last'],
    ['info.address', { address }],
    ['block.get', { block: 3 }],
    ['info.chain'],
    ['transaction.list', { limit: 10 }],
    ['info.history', { address, limit: 10 }],
    ['node.self'],
  ];
  const waits: number[] = [];
  let errors = 0;
  const started: Promise<void>[] = [];
  const count = (ms / 1_000) * GOOD_PER_SECOND;
  const startedAt = performance.now();
  for (let i = 0; i < count; i++) {
    await sleep(Math.max(0, startedAt + (i * 1_000) / GOOD_PER_SECOND - performance.now()));
    const [path, input] = mix[i % mix.length] ?? ['node.ping'];
    const from = performance.now();
    const call = post({ url, path, agent, body: JSON.stringify({ json: input }) }).then((status) => {
      waits.push(performance.now() - from);
      if (status !== 200) errors += 1;
    });
    started.push(call);
  }
  await Promise.all(started);
  agent.destroy();
  waits.sort((a, b) => a - b);
  const at = (share: number): number => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), errors, calls: waits.length };
}
