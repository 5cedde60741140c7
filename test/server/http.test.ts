import { readFile, stat } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { createClient } from '../../client/createClient.js';
import { parseReason } from '../../shared/parseReason.js';
import { bodyLimit, MAX_BATCH } from '../../shared/rpc/limits.js';
import { readSuperjson } from '../../shared/rpc/transformer.js';
import { allProcedures } from '../fuzz/procedures.js';
import { closedUrl } from '../support/closedUrl.js';
import { failureFrom } from '../support/failureFrom.js';
import { temporaryDirectory } from '../support/temporary.js';
import { type TestNode, testNode } from '../support/testNode.js';

const ADDRESS = '0x9858EfFD232B4033E47d90003D41EC34EcaEda94';

let node: TestNode;
let before: unknown;
/** Where nobody answers. */
let closed: string;

beforeAll(async () => {
  closed = await closedUrl();
  node = await testNode();
  await node.client.block.generate.mutate({ address: ADDRESS, count: 3 });
  before = await state();
});

afterAll(() => node[Symbol.asyncDispose]());

/** Everything that bad input must not change. */
async function state(): Promise<unknown> {
  const { client } = node;
  // What came and went lately is counted over a stretch of time that goes on.
  const mempool = client.info.mempool.query().then(({ flow: _, ...rest }) => rest);
  return Promise.all([client.info.chain.query(), mempool, client.node.list.query()]);
}

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly text: string;
}

const errorBody = z.object({
  error: z.unknown(),
});
/** Strict: a stack trace, or anything else that nobody promised, fails the test. */
const errorShape = z.strictObject({
  message: z.string(),
  code: z.int(),
  data: z.strictObject({
    code: z.string(),
    httpStatus: z.int(),
    path: z.string().optional(),
    reason: z.looseObject({ code: z.string() }).nullable(),
    issues: z.array(z.strictObject({ path: z.string(), message: z.string() })),
  }),
});

interface Request {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  /** Another node than the one of this file. */
  readonly url?: string;
}

/** A request as anybody could write it, without a client in between. */
async function send(request: Request): Promise<Answer> {
  const { status, text } = await exchange(request);
  return { status, text, code: codeOf(text) };
}

function exchange({
  method = 'POST',
  path = '/trpc/info.chain',
  headers = {},
  body,
  url = node.url,
}: Request): Promise<Omit<Answer, 'code'> & { readonly headers: IncomingHttpHeaders }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      hostname,
      port,
      method,
      path,
      headers: { 'content-type': 'application/json', ...headers },
    });
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString('utf8'),
        });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

function codeOf(text: string): string | undefined {
  const parsed = errorBody.safeParse(JSON.parse(text));
  if (!parsed.success || parsed.data.error === undefined) return undefined;
  const { reason } = errorShape.parse(readSuperjson(parsed.data.error)).data;
  return parseReason(reason)?.code ?? 'internal';
}

const call = (input: unknown): string => JSON.stringify({ json: input });
const own = (): string => new URL(node.url).host;

const BAD: [string, () => Request, number, string][] = [
  ['a body that is no JSON', () => ({ path: '/trpc/block.get', body: '{' }), 400, 'bad-request'],
  ['a body that is no superjson', () => ({ path: '/trpc/block.get', body: '[1]' }), 400, 'bad-request'],
  ['no body where one is needed', () => ({ path: '/trpc/block.get' }), 400, 'bad-request'],
  [
    'a field that nobody knows',
    () => ({ path: '/trpc/block.get', body: call({ block: 1, extra: 1 }) }),
    400,
    'bad-request',
  ],
  ['an input where none belongs', () => ({ body: call({ a: 1 }) }), 400, 'bad-request'],
  ['a height of -1', () => ({ path: '/trpc/block.get', body: call({ block: -1 }) }), 400, 'bad-request'],
  ['a height of 1.5', () => ({ path: '/trpc/block.get', body: call({ block: 1.5 }) }), 400, 'bad-request'],
  ['a height as text', () => ({ path: '/trpc/block.get', body: call({ block: '1' }) }), 400, 'bad-request'],
  [
    'a path of a file as a hash',
    () => ({ path: '/trpc/block.get', body: call({ block: '../blocks/0' }) }),
    400,
    'bad-request',
  ],
  [
    'JSON 200,000 deep',
    () => ({ path: '/trpc/block.get', body: `{"json":${'['.repeat(200_000)}${']'.repeat(200_000)}}` }),
    413,
    'too-large',
  ],
  [
    'JSON 50,000 deep',
    () => ({ path: '/trpc/block.get', body: `{"json":${'['.repeat(50_000)}${']'.repeat(50_000)}}` }),
    400,
    'bad-request',
  ],
  [
    'a hostile superjson body',
    () => ({ path: '/trpc/block.get', body: '{"json":[],"meta":{"values":[["set"],{}]}}' }),
    400,
    'bad-request',
  ],
  [
    'a __proto__ key',
    () => ({ path: '/trpc/block.get', body: '{"json":{"__proto__":{"block":1}}}' }),
    400,
    'bad-request',
  ],
  ['a procedure that does not exist', () => ({ path: '/trpc/block.destroy', body: call({}) }), 404, 'not-found'],
  ['a procedure of Object', () => ({ path: '/trpc/constructor', body: call({}) }), 404, 'not-found'],
  ['a path outside the contract', () => ({ path: '/zzzz/info.chain' }), 404, 'not-found'],
  ['the root', () => ({ method: 'GET', path: '/' }), 404, 'not-found'],
  ['a mutation by GET', () => ({ method: 'GET', path: '/trpc/node.stop' }), 405, 'bad-request'],
  ['another method', () => ({ method: 'PUT' }), 400, 'bad-request'],
  ['a method that the fetch standard forbids', () => ({ method: 'TRACE' }), 400, 'bad-request'],
  ['a height of -0', () => ({ path: '/trpc/block.get', body: '{"json":{"block":-0}}' }), 400, 'bad-request'],
  [
    'sixteen fields with a lot to say, of which a client must be able to read the reason',
    () => ({ path: '/trpc/node.hello', body: hello({ capabilities: Array(32).fill({}) }) }),
    400,
    'bad-request',
  ],
  [
    'a form',
    () => ({
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      path: '/trpc/node.stop',
      body: '--x--',
    }),
    400,
    'bad-request',
  ],
  ['plain text', () => ({ headers: { 'content-type': 'text/plain' }, path: '/trpc/node.stop' }), 415, 'bad-request'],
  [
    'a compressed body',
    () => ({ headers: { 'content-encoding': 'gzip' }, path: '/trpc/block.get', body: gzipSync('{}') }),
    400,
    'bad-request',
  ],
  ['a foreign Origin', () => ({ headers: { origin: 'https://evil.example' } }), 401, 'unauthorized'],
  ['an opaque Origin', () => ({ headers: { origin: 'null' } }), 401, 'unauthorized'],
  ['a foreign Host', () => ({ headers: { host: 'evil.example' } }), 401, 'unauthorized'],
  ['a Host that is no host', () => ({ headers: { host: 'a b' } }), 400, 'bad-request'],
  ['an operator call without its token', () => ({ path: '/trpc/node.stop' }), 401, 'unauthorized'],
  [
    'an operator call with a wrong token',
    () => ({ path: '/trpc/node.stop', headers: { authorization: `Bearer ${'0'.repeat(64)}` } }),
    401,
    'unauthorized',
  ],
  [
    'a peer call without a session',
    () => ({ path: '/trpc/transaction.announce', body: call({ wtxids: ['ab'.repeat(32)] }) }),
    401,
    'unauthorized',
  ],
  [
    'a peer call with a made-up session',
    () => ({
      path: '/trpc/transaction.announce',
      headers: { 'x-trestle-session': 'ab'.repeat(16) },
      body: call({ wtxids: ['ab'.repeat(32)] }),
    }),
    401,
    'unauthorized',
  ],
  [
    'a body over its limit',
    () => ({ path: '/trpc/block.get', body: call('x'.repeat(bodyLimit('block.get'))) }),
    413,
    'too-large',
  ],
  [
    'a body over its limit that does not say its length',
    () => ({
      path: '/trpc/block.get',
      headers: { 'transfer-encoding': 'chunked' },
      body: call('x'.repeat(bodyLimit('block.get'))),
    }),
    413,
    'too-large',
  ],
  [
    'a batch of too many calls',
    () => ({
      method: 'GET',
      path: `/trpc/${Array(MAX_BATCH + 1)
        .fill('info.chain')
        .join()}?batch=1`,
    }),
    400,
    'bad-request',
  ],
  [
    'base64 with a line break in it',
    () => ({ path: '/trpc/transaction.submit', body: call({ transaction: 'AAAA\n' }) }),
    400,
    'bad-request',
  ],
  [
    'a hello of another network',
    () => ({ path: '/trpc/node.hello', body: hello({ genesis: '00'.repeat(32) }) }),
    403,
    'peer-network',
  ],
  [
    'a hello in a version that is spoken no more',
    () => ({ path: '/trpc/node.hello', body: hello({ protocol: 0 }) }),
    403,
    'peer-version',
  ],
  [
    'a hello whose URL does not answer',
    () => ({ path: '/trpc/node.hello', body: hello({ url: closed }) }),
    400,
    'peer-unreachable',
  ],
  [
    'a hello whose URL answers as somebody else',
    () => ({ path: '/trpc/node.hello', body: hello({ url: node.url }) }),
    400,
    'peer-unreachable',
  ],
  [
    'a hello whose URL has a path',
    () => ({ path: '/trpc/node.hello', body: hello({ url: `${node.url}/x` }) }),
    400,
    'peer-address',
  ],
];

describe('bad input gets a typed error, changes nothing, and leaves the node alive', () => {
  test.each(BAD)('%s', async (...[, request, status, code]) => {
    const answer = await send(request());
    expect(answer).toMatchObject({ status, code });
    expect(answer.text).not.toMatch(/node_modules|\bat .*\.js:\d/);
    expect(await state()).toEqual(before);
  });

  test('no procedure turns nonsense into a fault of ours', async () => {
    const nonsense = [
      null,
      1,
      -1,
      'x',
      [],
      {},
      { block: {} },
      { wtxids: 'x' },
      { address: 5 },
      { cursor: '', limit: 0 },
      true,
    ];
    // Subscriptions answer in streams, which the fuzzer reads.
    const names = allProcedures().flatMap(({ path, type }) => (type === 'subscription' ? [] : [path]));
    for (const name of names) {
      for (const input of nonsense) {
        const { status, code } = await send({ path: `/trpc/${name}`, body: call(input) });
        expect(status, `${name} ${JSON.stringify(input)}`).not.toBe(500);
        expect(code, `${name} ${JSON.stringify(input)}`).not.toBe('internal');
      }
    }
    expect(await state()).toEqual(before);
  });
});

describe('a call reads the same whether it is answered straight away or by tRPC’s own adapter', () => {
  const good: [string, () => Request][] = [
    ['a query without input', () => ({})],
    ['a query by GET', () => ({ method: 'GET' })],
    [
      'a query by GET with its input',
      () => ({ method: 'GET', path: `/trpc/block.get?input=${encodeURIComponent(call({ block: 1 }))}` }),
    ],
    ['a query by GET with an empty input', () => ({ method: 'GET', path: '/trpc/info.chain?input=' })],
    ['a query with its input posted', () => ({ path: '/trpc/block.get', body: call({ block: 2 }) })],
    ['a body with a byte order mark', () => ({ path: '/trpc/block.get', body: `\ufeff${call({ block: 2 })}` })],
    ['a body that is no UTF-8', () => ({ path: '/trpc/block.get', body: Buffer.from([0x7b, 0xff, 0x7d]) })],
    ['an empty body in pieces', () => ({ headers: { 'transfer-encoding': 'chunked' } })],
    ['a page of a list', () => ({ path: '/trpc/block.list', body: call({ limit: 2 }) })],
    ['what is not found', () => ({ path: '/trpc/block.get', body: call({ block: 4_000 }) })],
    ['a refused transaction', () => ({ path: '/trpc/transaction.submit', body: call({ transaction: 'AAAA' }) })],
  ];
  const requests = [...good, ...BAD.map(([name, request]): [string, () => Request] => [name, request])];

  test.each(requests)('%s', async (_, request) => {
    const [straight, adapted] = [request(), request()];
    const one = await exchange(straight);
    // Whoever names what it accepts is not answered straight away.
    const other = await exchange({ ...adapted, headers: { ...adapted.headers, accept: 'application/json' } });
    expect(one.text).toBe(other.text);
    expect(one.status).toBe(other.status);
    expect(spoken(one.headers)).toEqual(spoken(other.headers));
  });

  test('the usual ones are answered straight away, in one piece, and those that name what they accept are not', async () => {
    for (const [name, request] of good) {
      const { headers } = await exchange(request());
      expect(headers['content-length'], name).toBeDefined();
      const adapted = await exchange({ ...request(), headers: { ...request().headers, accept: 'application/json' } });
      expect(adapted.headers['transfer-encoding'], name).toBe('chunked');
    }
  });

  /** What a caller goes by: neither the moment, nor in how many pieces it comes. */
  function spoken({ date: _, 'content-length': _length, 'transfer-encoding': _pieces, ...rest }: IncomingHttpHeaders) {
    return rest;
  }
});

describe('who may call', () => {
  test('the node’s own page, localhost and plain addresses are welcome', async () => {
    const port = new URL(node.url).port;
    for (const host of [own(), `localhost:${port}`, `[::1]:${port}`])
      expect((await send({ headers: { host } })).status, host).toBe(200);
    expect((await send({ headers: { origin: `http://${own()}` } })).status).toBe(200);
  });

  test('names and origins that the operator allowed are welcome', async () => {
    await using open = await testNode({
      config: { allowHosts: ['node.example'], allowOrigins: ['https://app.example'] },
    });
    const fetched = await fetch(`${open.url}/trpc/info.chain`, { headers: { origin: 'https://app.example' } });
    expect(fetched.status).toBe(200);
    expect(fetched.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(fetched.headers.get('vary')).toContain('origin');
    const named = await exchange({ url: open.url, headers: { host: 'node.example' } });
    expect(named.status).toBe(200);
    expect((await exchange({ url: open.url, headers: { host: 'other.example' } })).status).toBe(401);
    const port = Number(new URL(await closedUrl()).port);
    await using _known = await testNode({
      config: { port, publicUrl: 'http://public.example:80', allowHosts: ['Spelt.Example'] },
    });
    for (const host of ['public.example', 'spelt.example'])
      expect((await exchange({ url: `http://127.0.0.1:${port}`, headers: { host } })).status, host).toBe(200);
  });

  test('a browser that asks first is told what pages of an allowed origin may send, and others are not', async () => {
    await using open = await testNode({ config: { allowOrigins: ['https://app.example/'] } });
    const preflight = (origin: string, host = new URL(open.url).host) =>
      exchange({
        url: open.url,
        method: 'OPTIONS',
        path: '/trpc/transaction.submit',
        headers: {
          host,
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type',
        },
      });
    const allowed = await preflight('https://app.example');
    expect(allowed.status).toBe(204);
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-methods': expect.stringContaining('POST'),
      'access-control-allow-headers': expect.stringContaining('content-type'),
    });
    for (const refused of [
      await preflight('https://evil.example'),
      await preflight('https://app.example', 'evil.example'),
    ])
      expect(refused.status).toBe(401);
    const foreign = await preflight('https://evil.example');
    expect(foreign.headers['access-control-allow-origin']).toBeUndefined();
    // A node that allows no page at all answers no browser's question.
    const closedNode = await exchange({ method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } });
    expect(closedNode.status).toBe(400);
  });

  test('the operator’s token is a secret of the data directory, and outlives a restart', async () => {
    const stranger = createClient({ url: node.url, token: node.running.token.replace(/./g, '0') });
    expect((await failureFrom(stranger.node.stop.mutate())).code).toBe('unauthorized');
    await using home = await temporaryDirectory();
    const tokens: string[] = [];
    for (let i = 0; i < 2; i++) {
      await using again = await testNode({ config: { dataDir: home.path } });
      const file = join(home.path, 'operator-token');
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect((await readFile(file, 'utf8')).trim()).toBe(again.running.token);
      tokens.push(again.running.token);
    }
    expect(tokens[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(tokens[1]).toBe(tokens[0]);
  });
});

describe('one connection', () => {
  test('that sends a thousand requests at once is closed, and a few in a row are answered', async () => {
    const request = 'GET /trpc/info.chain HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
    expect(answered(await overSocket(request.repeat(5)))).toBe(5);
    expect(answered(await overSocket(request.repeat(1_000)))).toBeLessThan(10);
    expect((await send({})).status).toBe(200);
  });

  test('that sends its body in crumbs is closed, and one that sends it in pieces is answered', async () => {
    const head = 'POST /trpc/block.get HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n';
    const chunked = (pieces: readonly string[]): string =>
      `${head}Transfer-Encoding: chunked\r\n\r\n${pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('')}0\r\n\r\n`;
    const spaces = Array<string>(100);
    expect(await overSocket(chunked(['{"json":', ...spaces.fill(' '), '{"block":1}}']))).toContain('200 OK');
    expect(await overSocket(chunked(['{"json":', ...Array<string>(50_000).fill(' '), '{"block":1}}']))).toBe('');
  });
});

test('a sender of slow headers is cut off, and the node answers others meanwhile', async () => {
  const { hostname, port } = new URL(node.url);
  const socket = connect(Number(port), hostname);
  socket.write('POST /trpc/info.chain HTTP/1.1\r\nHost: 127.0.0.1\r\n');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  expect((await node.client.info.chain.query()).height).toBe(3);
  socket.resume();
  await closed;
});

/** Everything that comes back for these bytes until the connection is closed. */
function overSocket(bytes: string): Promise<string> {
  const { hostname, port } = new URL(node.url);
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(port), hostname);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    // The node may hang up while it is still being talked to.
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    socket.end(bytes);
  });
}

function answered(text: string): number {
  return Array.from(text.matchAll(/HTTP\/1\.1 200/g)).length;
}

function hello(change: Record<string, unknown>): string {
  const tip = { height: 0, hash: '00'.repeat(32), work: '0' };
  const base = {
    protocol: 1,
    capabilities: [],
    genesis: genesis(),
    url: null,
    nonce: '00'.repeat(16),
    tip,
    userAgent: 'x',
  };
  return JSON.stringify({ json: { ...base, ...change }, meta: { values: { 'tip.work': ['bigint'] } } });
}

function genesis(): string {
  return '1f8e3c756571b6f8085667d242fd6d3689b8eb9d9aa143b50ab91b08fd1a8f93';
}
