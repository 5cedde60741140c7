import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { launch } from '../../client/cli/devnet/launch.js';
import { type Client, createClient } from '../../client/createClient.js';
import { toBase64 } from '../../shared/bytes/base64.js';
import { TrestleError } from '../../shared/errors.js';
import { formatAddress } from '../../shared/model/address.js';
import { toHeight } from '../../shared/model/height.js';
import { PROTOCOL_VERSION } from '../../shared/rpc/nodeSchemas.js';
import { testKey } from '../kit/builders.js';
import { eventually } from '../support/eventually.js';
import { fakeNode } from '../support/fakeNode.js';
import { temporaryDirectory } from '../support/temporary.js';
import { makeFixture, NETWORK, unsentWords, valuesOf } from './fixture.js';
import { stateOf } from './state.js';
import type { Corpus } from './validInput.js';

const SCRIPT = fileURLToPath(new URL('./watchedNode.js', import.meta.url));
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const TEMPLATES = 4;

const delayFile = z.strictObject({ p99Ms: z.number(), ownP99Ms: z.number(), ownMaxMs: z.number() });
/** Delay of the node's event loop, measured inside it. */
export type LoopDelay = z.output<typeof delayFile>;

/** A real node process with a chain, waiting transactions and a peer that it has called back. */
export interface Target extends AsyncDisposable {
  readonly url: URL;
  readonly client: Client;
  /** Places on this machine that no answer may name. */
  readonly paths: readonly string[];
  /** What the node's process has written to its log. */
  log(): Promise<string>;
  /** Whether it runs and answers. */
  isAlive(): Promise<boolean>;
  state(): Promise<string>;
  /** What inputs are made of, with templates that are still kept. */
  corpus(): Promise<Corpus>;
  /** A session of the peer, which the node has a session with in turn: so what it announces is listened to. */
  session(): Promise<string>;
  /** The delay since the last time this was asked. */
  loopDelay(): Promise<LoopDelay>;
}

/** Starts the node and gives it its chain. */
export async function startTarget(): Promise<Target> {
  const home = await temporaryDirectory();
  const ends: (() => PromiseLike<void>)[] = [() => home[Symbol.asyncDispose]()];
  const end = async (): Promise<void> => {
    for (let last = ends.pop(); last !== undefined; last = ends.pop()) await last();
  };
  return startIn(home.path, ends).then(
    (target) => ({ ...target, [Symbol.asyncDispose]: end }),
    async (error: unknown) => {
      await end();
      throw error;
    },
  );
}

/** What was started ends by `ends`, the last one first, whether the rest starts or not. */
async function startIn(home: string, ends: (() => PromiseLike<void>)[]): Promise<Omit<Target, keyof AsyncDisposable>> {
  const network = join(home, 'network.json');
  const dataDir = join(home, 'data');
  const logFile = join(home, 'node.log');
  const delays = join(home, 'delay.json');
  await writeFile(network, JSON.stringify(NETWORK));
  await mkdir(dataDir);
  const args = [delays, 'node', '--network', network, '--allow-private', '--port', '0', '--data-dir', dataDir];
  const node = await launch(SCRIPT, { name: 'node', args, logFile });
  ends.push(() => node.stop());
  const client = createClient({ url: node.url });
  const token = (await readFile(join(dataDir, 'operator-token'), 'utf8')).trim();
  const operator = createClient({ url: node.url, token });
  const fixture = makeFixture();
  const genesis = fixture.genesis.header.hash;
  for (const { raw } of fixture.blocks) await client.block.submit.mutate({ block: toBase64(raw) });
  for (const { raw } of fixture.waiting) await client.transaction.submit.mutate({ transaction: toBase64(raw) });

  const tip = { height: toHeight(0), hash: genesis, work: 0n };
  const greeting = { protocol: PROTOCOL_VERSION, capabilities: [], genesis, tip, userAgent: 'fuzz' };
  const nobody = new TrestleError({ code: 'not-found', detail: 'nothing' });
  const peer = await fakeNode({
    answers: {
      'node.hello': { ...greeting, session: 'ab'.repeat(16), confirmed: true },
      'node.ping': { genesis, tip, time: 0 },
      'transaction.raw': { transactions: [] },
      'block.raw': nobody,
      'block.range': nobody,
    },
  });
  ends.push(() => peer[Symbol.asyncDispose]());
  return {
    url: new URL(node.url),
    client,
    paths: [home, ROOT, tmpdir(), process.execPath],
    log: () => readFile(logFile, 'utf8'),
    isAlive: () => answers(client, node.died),
    state: () => stateOf(client, dataDir),
    async corpus() {
      const address = formatAddress(testKey(1).address);
      const templates: string[] = [];
      while (templates.length < TEMPLATES) templates.push((await client.block.template.query({ address })).id);
      return { values: valuesOf(fixture, { url: peer.url, templates }), unsent: unsentWords(fixture) };
    },
    async session() {
      // What it announced before may have had it banned, and rightly.
      await operator.node.unban.mutate({ url: peer.url });
      const { session } = await client.node.hello.mutate({ ...greeting, url: peer.url, nonce: '00'.repeat(16) });
      await eventually('the node has a session with the peer', async () =>
        (await client.node.list.query()).nodes.some(({ url, connected }) => url === peer.url && connected),
      );
      return session;
    },
    async loopDelay() {
      await rm(delays, { force: true });
      process.kill(node.pid, 'SIGUSR2');
      return eventually('the node tells its delay', async () => {
        const text = await readFile(delays, 'utf8').catch(() => undefined);
        return text === undefined ? undefined : delayFile.parse(JSON.parse(text));
      });
    },
  };
}

async function answers(client: Client, died: Promise<string>): Promise<boolean> {
  const pinged = client.node.ping.query().then(
    () => true,
    () => false,
  );
  return Promise.race([pinged, died.then(() => false)]);
}
