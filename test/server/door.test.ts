import { createServer, request, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { initTRPC } from '@trpc/server';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient } from '../../client/createClient.js';
import { PEERS, STRANGERS } from '../../server/http/admission.js';
import { Connections } from '../../server/http/connections.js';
import { costOf } from '../../server/http/costs.js';
import { listen } from '../../server/http/listen.js';
import { Quotas } from '../../server/http/quotas.js';
import { LOOK_MS, MOST_LOOKS } from '../../server/http/slowReaders.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import { MAX_BATCH } from '../../shared/rpc/limits.js';
import { eventually } from '../support/eventually.js';
import { failureFrom } from '../support/failureFrom.js';
import { recordingLog } from '../support/recordingLog.js';
import { type TestNode, testNode } from '../support/testNode.js';

/** A node that counts callers from this machine, each of its loopback addresses by itself, as strangers. */
function countingNode(exempt: readonly string[] = []): Promise<TestNode> {
  return testNode({ params: NETWORKS.test, config: { allowPrivate: false, exempt: [...exempt] } });
}

interface Call {
  readonly path?: string;
  readonly body?: string;
  readonly from?: string;
}

interface Told {
  readonly status: number;
  readonly text: string;
}

/** A call from one of this machine's addresses; status 0 where the connection was closed without an answer. */
function call({ url }: TestNode, { path = 'node.ping', body = '{}', from = '127.0.0.1' }: Call = {}): Promise<Told> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json' };
    const sent = request(`${url}/trpc/${path}`, { method: 'POST', localAddress: from, headers, agent: false });
    sent.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on('error', () => resolve({ status: 0, text: '' }));
    sent.end(body);
  });
}

/** Calls until the answer is another, and answers that. */
async function callUntil(node: TestNode, status: number, options: Call): Promise<Told> {
  for (let i = 0; i < 1_000; i++) {
    const told = await call(node, options);
    if (told.status === status) return told;
  }
  throw new Error(`never answered ${status}`);
}

describe('a quota over HTTP', () => {
  test('ends in 429 with a reason that clients understand, and in a ban for who goes on; others do not notice', async () => {
    await using node = await countingNode();
    const from = '127.0.0.2';
    const refused = await callUntil(node, 429, { path: 'no.such', from });
    expect(JSON.parse(refused.text)).toMatchObject({
      error: { json: { data: { code: 'TOO_MANY_REQUESTS', httpStatus: 429, reason: { code: 'peer-quota' } } } },
    });
    const banned = await callUntil(node, 403, { from });
    expect(JSON.parse(banned.text)).toMatchObject({
      error: { json: { data: { reason: { code: 'peer-banned', target: from } } } },
    });
    // It is told so now and then; beside that the connection is closed.
    expect((await callUntil(node, 0, { from })).text).toBe('');
    expect((await call(node, { from: '127.0.0.3' })).status).toBe(200);
    const { bans } = await node.client.node.peers.query();
    expect(bans).toMatchObject([{ target: from, why: 'peer-quota' }]);
    await node.client.node.unban.mutate({ address: from });
    expect((await call(node, { from })).status).toBe(200);
  });

  test('counts each call of a batch', async () => {
    await using node = await countingNode();
    const single = [];
    for (let i = 0; i < 8; i++) single.push((await call(node, { from: '127.0.0.3' })).status);
    expect(new Set(single)).toEqual(new Set([200]));
    const path = `${Array<string>(MAX_BATCH).fill('block.range').join()}?batch=1`;
    const body = JSON.stringify(
      Object.fromEntries(Array.from({ length: MAX_BATCH }, (_, i) => [i, { json: { from: 0, count: 1 } }])),
    );
    const statuses = [];
    for (let i = 0; i < 8; i++) statuses.push((await call(node, { path, body, from: '127.0.0.2' })).status);
    expect([statuses[0], ...statuses.slice(-2)]).toEqual([200, 429, 429]);
  });

  test('makes garbage dear: a few bodies that are no JSON, and the caller has to wait', async () => {
    await using node = await countingNode();
    const statuses = [];
    for (let i = 0; i < 12; i++) statuses.push((await call(node, { body: '{{', from: '127.0.0.2' })).status);
    expect(statuses[0]).toBe(400);
    expect(statuses.at(-1)).toBe(429);
  });

  test('does not hold for the operator, nor for an address that the operator exempts', async () => {
    await using node = await countingNode(['127.0.0.2']);
    for (let i = 0; i < 300; i++) await node.client.node.peers.query();
    for (let i = 0; i < 100; i++) expect((await call(node, { path: 'no.such', from: '127.0.0.2' })).status).toBe(404);
  });

  test('lets a wallet send ten transfers a second, and an explorer show its pages', async () => {
    const quotas = new Quotas();
    const often = ['transaction.submit', 'transaction.get', 'info.address'];
    const seldom = ['info.chain', 'block.list', 'block.last', 'info.richList', 'block.template'];
    for (let now = 0; now < 600_000; now += 100) {
      const paths = now % 1_000 === 0 ? [...often, ...seldom] : often;
      for (const path of paths)
        expect(quotas.take('wallet', STRANGERS, { cost: costOf(path), now })).toEqual({ ok: true });
    }
  });

  test('lets a peer catch up with full ranges of blocks as fast as a gigabit brings them', async () => {
    const quotas = new Quotas();
    const rangesPerSecond = 1e9 / 8 / 5_400_000;
    for (let now = 0; now < 600_000; now += 1_000 / rangesPerSecond)
      expect(quotas.take('peer', PEERS, { cost: costOf('block.range'), now })).toEqual({ ok: true });
  });
});

describe('a ban over HTTP', () => {
  test('keeps an address out, also after a restart, until the operator lifts it', async () => {
    await using node = await countingNode();
    await node.client.node.ban.mutate({ address: '127.0.0.9', minutes: 60 });
    expect((await call(node, { from: '127.0.0.9' })).status).toBe(403);
    await node.running.stop();
    await using again = await testNode({
      params: NETWORKS.test,
      config: { allowPrivate: false, dataDir: node.dataDir },
    });
    const told = await call(again, { from: '127.0.0.9' });
    expect(told.status).toBe(403);
    const stranger = createClient({ url: again.url });
    expect((await failureFrom(stranger.node.unban.mutate({ address: '127.0.0.9' }))).code).toBe('unauthorized');
    await again.client.node.unban.mutate({ address: '127.0.0.9' });
    expect((await call(again, { from: '127.0.0.9' })).status).toBe(200);
  });
});

describe('connections', () => {
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  /** A server whose connections are counted, with this many places. */
  async function counted(most: number, perAddress: number) {
    const door = { mayConnect: (_: string, open: number) => open < perAddress };
    const connections = new Connections({ refusalOf: () => undefined, failed: () => {}, ...door }, most);
    const server = createServer();
    servers.push(server);
    let seen = 0;
    server.on('connection', (socket) => {
      connections.take(socket);
      seen += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return async (localAddress: string): Promise<Socket> => {
      const before = seen;
      const socket = connect({ port: address.port, host: '127.0.0.1', localAddress });
      socket.on('error', () => {});
      sockets.push(socket);
      await eventually('the connection', async () => seen > before);
      return socket;
    };
  }

  const isOpen = async (socket: Socket): Promise<boolean> => {
    for (let i = 0; i < 20; i++) await setImmediate();
    return !socket.closed && !socket.readableEnded && !socket.destroyed;
  };

  test('of one address are so many and no more, and another address has its own', async () => {
    const open = await counted(100, 3);
    const own = [await open('127.0.0.2'), await open('127.0.0.2'), await open('127.0.0.2')];
    const fourth = await open('127.0.0.2');
    fourth.resume();
    await eventually('its end', async () => fourth.closed);
    expect(await isOpen(await open('127.0.0.3'))).toBe(true);
    for (const socket of own) expect(await isOpen(socket)).toBe(true);
    own[0]?.destroy();
    await eventually('a place', async () => isOpen(await open('127.0.0.2')));
  });

  test('that take all places lose one to an address that holds fewer, and to none that holds as many', async () => {
    const open = await counted(4, 100);
    const flood: Socket[] = [];
    for (let i = 0; i < 4; i++) flood.push(await open('127.0.0.2'));
    for (const socket of flood) socket.resume();
    const honest = await open('127.0.0.3');
    await eventually('the oldest gives way', async () => flood[0]?.closed === true);
    expect(await isOpen(honest)).toBe(true);
    const more = await open('127.0.0.2');
    more.resume();
    await eventually('its end', async () => more.closed);
    expect(await isOpen(honest)).toBe(true);
  });
});

describe('a reader that does not read', () => {
  /** What the server under test answers: much at once, and much for ever. */
  const t = initTRPC.create();
  const piece = 'x'.repeat(1_000_000);
  let isStreaming = false;
  const router = t.router({
    large: t.procedure.query(() => piece.repeat(40)),
    stream: t.procedure.subscription(async function* () {
      isStreaming = true;
      try {
        for (;;) yield piece;
      } finally {
        isStreaming = false;
      }
    }),
  });

  /** A server, a connection to it that asks for a path, and a clock that a test moves. */
  async function asking(path: string, headers = '') {
    let look: (() => void) | undefined;
    const after = (_ms: number, action: () => void): (() => void) => {
      look = action;
      return () => {};
    };
    const server = await listen({
      ...{ router, host: '127.0.0.1', port: 0, hosts: [], origins: [], createContext: () => ({}) },
      door: { refusalOf: () => undefined, failed: () => {}, mayConnect: () => true },
      clock: { after },
      log: recordingLog(),
    });
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.write(`GET /trpc/${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n`);
    return {
      socket,
      closed,
      looks(times: number): void {
        for (let i = 0; i < times; i++) look?.();
      },
      [Symbol.asyncDispose]: async () => {
        socket.destroy();
        const ended = server.close();
        look?.();
        await ended;
      },
    };
  }

  /** Answers when the first bytes are there, and reads none of them. */
  const begun = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('readable', () => resolve()));

  test('an answer is cut off after half a minute', async () => {
    expect(LOOK_MS * MOST_LOOKS).toBe(30_000);
    await using scene = await asking('large');
    await begun(scene.socket);
    scene.looks(MOST_LOOKS + 1);
    scene.looks(1);
    scene.socket.resume();
    await scene.closed;
    expect(scene.socket.bytesRead).toBeLessThan(40_000_000);
  });

  test('a stream is cut off, too, and its source is let go', async () => {
    await using scene = await asking('stream', 'Accept: text/event-stream\r\n');
    await begun(scene.socket);
    await eventually('the stream', async () => isStreaming);
    scene.looks(MOST_LOOKS + 2);
    await eventually('its end', async () => !isStreaming);
    scene.socket.resume();
    await scene.closed;
  });

  test('is another than one that has read all and asks nothing', async () => {
    await using scene = await asking('large');
    let read = 0;
    scene.socket.on('data', (chunk: Buffer) => {
      read += chunk.length;
    });
    await eventually('the answer', async () => read > 40_000_000);
    scene.looks(10 * MOST_LOOKS);
    for (let i = 0; i < 20; i++) await setImmediate();
    expect(scene.socket.closed).toBe(false);
  });
});
