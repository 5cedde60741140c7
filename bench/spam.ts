import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { type MessageEvent, WebSocket } from 'undici';
import { createClient } from '../client/createClient.js';
import { sleep } from '../client/time.js';
import { toBase64 } from '../shared/bytes/base64.js';
import { ByteWriter } from '../shared/bytes/writer.js';
import { contextAfter, expectedBits, type ParentContext } from '../shared/consensus/checkHeader.js';
import { parseNetwork } from '../shared/consensus/params.js';
import { targetFromBits } from '../shared/consensus/target.js';
import { type Block, rootOfTransactions, sealBlock } from '../shared/model/block.js';
import { encodeHeader, NONCE_OFFSET, sealHeader } from '../shared/model/header.js';
import { toHeight } from '../shared/model/height.js';
import { type BlockHash, idFromBytes } from '../shared/model/ids.js';
import { headersInput, MAX_HEADERS } from '../shared/rpc/blockSchemas.js';
import { PROTOCOL_VERSION } from '../shared/rpc/nodeSchemas.js';
import { readSuperjson, transformer } from '../shared/rpc/transformer.js';
import { present } from '../test/kit/assertOk.js';
import { coinbase, mine, testKey } from '../test/kit/builders.js';
import { TestChain } from '../test/kit/testChain.js';
import { servingCli } from '../test/support/servingCli.js';
import { temporaryDirectory } from '../test/support/temporary.js';

/** Headers that are made up, each valid, all of the easiest target. */
const SPAM = Number(process.env['TRESTLE_BENCH_HEADERS'] ?? 1_000_000);
/** Blocks of the honest chain that come in no time, and then as they should: then each has 2,000 times the work. */
const [FAST, STEADY] = [550, 600];
const HOUR_MS = 3_600_000;
const LOOK_MS = 250;
/** How often memory is read: each time all garbage is collected, which holds up the node. */
const MEMORY_MS = 5_000;
/** Headers after which a node that has only just started has run all that it will run. */
const WARM = 50_000;
const LIMIT_MS = 900_000;

/** A network with a difficulty that honest miners have driven up. */
const NETWORK = {
  ...{ name: 'spam', blockIntervalSeconds: 1, retarget: 'asert', halfLifeIntervals: 50, genesisBits: 0x207fffff },
  ...{ reward: '1.5', halvingInterval: 0, coinbaseMaturity: 2, maxSupply: '90000000', minimumWork: '0' },
  ...{ upgrades: [], nodePort: 42_221 },
} as const;

/**
 * What a million valid headers of little work do to a node: one peer claims more work than anybody's and makes them up as
 * it is asked. The node is a process of its own, and collects its garbage before its memory is read.
 */
export async function spam(): Promise<Record<string, number | string>> {
  await using directory = await temporaryDirectory();
  const params = parseNetwork(NETWORK);
  const file = join(directory.path, 'network.json');
  await writeFile(file, JSON.stringify(NETWORK));
  const args = [
    'node',
    '--network',
    file,
    '--allow-private',
    '--port',
    '0',
    '--data-dir',
    join(directory.path, 'data'),
  ];
  const spammer = new Spammer(new TestChain(params));
  await using peer = await served(spammer);
  await using node = await servingCli([...args, '--peer', peer.url], {
    NODE_OPTIONS: '--expose-gc --inspect=127.0.0.1:0',
  });
  const client = createClient({ url: node.url, timeoutMs: 30_000 });
  const chain = honestChain();
  for (const block of chain.slice(0, -1)) await client.block.submit.mutate({ block: toBase64(block.raw) });
  const inspector = await Inspector.connect(/ws:\/\/\S+/.exec(node.said())?.[0] ?? '');
  const before = await inspector.memory();
  spammer.claimsMuch = true;
  let warm: Memory | undefined;
  let peak = before;
  const startedAt = performance.now();
  const isDropped = (): boolean =>
    node
      .said()
      .split('\n')
      .some((line) => line.includes('peer dropped') && line.includes('peer-protocol'));
  let loopDelayP99Ms = 0;
  for (let readAt = startedAt; !isDropped(); ) {
    if (performance.now() - startedAt > LIMIT_MS) throw new Error(`the peer is not dropped: ${node.said()}`);
    await sleep(LOOK_MS);
    if (performance.now() - readAt < MEMORY_MS) continue;
    ({ loopDelayP99Ms } = await client.info.health.query());
    const now = await inspector.memory();
    readAt = performance.now();
    peak = { rss: Math.max(peak.rss, now.rss), heap: Math.max(peak.heap, now.heap) };
    if (spammer.sent >= WARM) warm ??= now;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const last = present(chain.at(-1));
  await client.block.submit.mutate({ block: toBase64(last.raw) });
  const { tip } = await client.info.chain.query();
  const { bestHeader } = await client.info.sync.query();
  inspector.close();
  const mb = (bytes: number): number => Number((bytes / 1_000_000).toFixed(1));
  return {
    headers: spammer.sent,
    headersPerSecond: Math.round(spammer.sent / seconds),
    heapGrowthMb: mb(peak.heap - before.heap),
    rssGrowthMb: mb(peak.rss - before.rss),
    rssGrowthOnceWarmMb: mb(peak.rss - (warm ?? before).rss),
    barMb: 20,
    peer: 'dropped',
    honestTip: tip === last.header.hash && bestHeader === last.header.height ? 'unaffected' : 'lost',
    loopDelayP99Ms,
  };

  function honestChain(): Block[] {
    const source = new TestChain(params);
    const blocks: Block[] = [];
    let timestamp = Date.now() - HOUR_MS;
    for (let height = 1; height <= FAST + STEADY; height++) {
      timestamp += height <= FAST ? 1 : params.blockInterval;
      blocks.push(mined(source, blocks.at(-1) ?? source.genesis, timestamp));
    }
    return blocks;
  }
}

/** An empty block, with the native hash: builders that hash in JavaScript would take minutes. */
function mined(source: TestChain, parent: Block, timestamp: number): Block {
  const { params } = source;
  const context = source.contextOf(parent);
  const height = toHeight(context.height + 1);
  const transactions = [coinbase({ params, height, address: testKey(1).address })];
  const bits = expectedBits(params, context);
  const target = present(targetFromBits(bits));
  const fields = {
    version: 1,
    height,
    previous: context.hash,
    merkleRoot: rootOfTransactions(transactions),
    timestamp,
  };
  const bytes = encodeHeader({ ...fields, bits, nonce: 0n });
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const sha256 = (data: Uint8Array): Buffer => createHash('sha256').update(data).digest();
  let nonce = 0;
  while (BigInt(`0x${sha256(sha256(bytes)).toString('hex')}`) > target) view.setUint32(NONCE_OFFSET, ++nonce, true);
  return source.adopt(sealBlock(sealHeader({ ...fields, bits, nonce: BigInt(nonce) }), transactions));
}

/** Makes up headers on genesis, as far as it is asked, and keeps none of them. */
class Spammer {
  claimsMuch = false;
  sent = 0;
  readonly #source: TestChain;
  readonly #start = Date.now() - (SPAM + 10_000) * 1000;
  #context: ParentContext;

  constructor(source: TestChain) {
    this.#source = source;
    this.#context = source.contextOf(source.genesis);
  }

  answer(path: string, input: unknown): unknown {
    const genesis = this.#source.genesis.header.hash;
    const tip = this.claimsMuch
      ? { height: toHeight(2_000_000), hash: idFromBytes<BlockHash>(new Uint8Array(32).fill(9)), work: 2n ** 200n }
      : { height: toHeight(0), hash: genesis, work: 0n };
    switch (path) {
      case 'node.hello': {
        const own = { protocol: PROTOCOL_VERSION, capabilities: [], genesis, tip, userAgent: 'spammer' };
        return { ...own, session: 'ab'.repeat(16), confirmed: true };
      }
      case 'node.ping':
        return { genesis, tip, time: Date.now() };
      case 'block.headers':
        return { headers: this.claimsMuch ? this.#headers(headersInput.parse(input).locator) : '' };
      case 'node.list':
        return { nodes: [] };
      case 'transaction.ids':
        return { items: [], next: null };
      case 'block.announce':
        return { known: true };
      default:
        return {};
    }
  }

  /** The next ones after those it has sent; from genesis on where the asker does not go on from there. */
  #headers([last]: readonly BlockHash[]): string {
    const { params } = this.#source;
    if (last !== this.#context.hash) this.#context = this.#source.contextOf(this.#source.genesis);
    const writer = new ByteWriter();
    const end = Math.min(SPAM, this.#context.height + MAX_HEADERS);
    while (this.#context.height < end) {
      const height = toHeight(this.#context.height + 1);
      const timestamp = this.#start + height * params.blockInterval;
      const fields = { version: 1, height, previous: this.#context.hash, merkleRoot: new Uint8Array(32), timestamp };
      const header = mine({ ...fields, bits: expectedBits(params, this.#context), nonce: 0n });
      writer.bytes(encodeHeader(header));
      this.#context = contextAfter(this.#context, header);
      this.sent += 1;
    }
    return toBase64(writer.finish());
  }
}

async function served(spammer: Spammer): Promise<AsyncDisposable & { readonly url: string }> {
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString('utf8');
    const input = body === '' ? undefined : readSuperjson(JSON.parse(body));
    const answer = spammer.answer(request.url?.replace('/trpc/', '') ?? '', input);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ result: { data: transformer.serialize(answer) } }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Memory {
  readonly rss: number;
  readonly heap: number;
}

/** Reads another process's memory over its inspector, after its garbage has been collected. */
class Inspector {
  readonly #socket: WebSocket;
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static async connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error(`no inspector at ${url}`));
    });
    return new Inspector(socket);
  }

  async memory(): Promise<Memory> {
    await this.#call('HeapProfiler.collectGarbage', {});
    const expression = '(({ rss, heapUsed, external }) => [rss, heapUsed + external].join())(process.memoryUsage())';
    const answer = await this.#call('Runtime.evaluate', { expression });
    const [rss = 0, heap = 0] = (/"value":"([\d,]+)"/.exec(answer)?.[1] ?? '').split(',').map(Number);
    return { rss, heap };
  }

  async #call(method: string, params: object): Promise<string> {
    const id = ++this.#last;
    const answered = new Promise<string>((resolve) => {
      const listen = ({ data }: MessageEvent): void => {
        const text = String(data);
        if (!text.startsWith(`{"id":${id},`)) return;
        this.#socket.removeEventListener('message', listen);
        resolve(text);
      };
      this.#socket.addEventListener('message', listen);
    });
    this.#socket.send(JSON.stringify({ id, method, params }));
    return answered;
  }

  close(): void {
    this.#socket.close();
  }
}
