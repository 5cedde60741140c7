import { createServer, type ServerResponse } from 'node:http';
import { genesisBlock } from '../../shared/consensus/genesis.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import { TrestleError } from '../../shared/errors.js';
import { toHeight } from '../../shared/model/height.js';
import { PROTOCOL_VERSION } from '../../shared/rpc/nodeSchemas.js';
import { readSuperjson } from '../../shared/rpc/transformer.js';
import type { TipView } from '../../shared/rpc/views.js';
import { failureEnvelope, successEnvelope } from '../kit/envelopes.js';

/** One call that a fake node was sent. */
export interface FakeCall {
  /** The name of the fake node. */
  readonly at: string;
  readonly path: string;
  readonly input: unknown;
}

/** What a fake node answers to a procedure: a value, a failure, or a function of the input that yields one of them. */
export type FakeAnswers = Record<string, unknown>;

/** Something that answers as a node does, but says just what a test wants it to. */
export interface FakeNode extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
  readonly calls: FakeCall[];
  /** May be changed at any time. */
  readonly answers: FakeAnswers;
}

/** How a fake node differs from an honest one that has nothing but genesis. */
export interface FakeNodeOptions {
  readonly name?: string;
  readonly tip?: TipView;
  readonly answers?: FakeAnswers;
  /** Where it listens; 127.0.0.1 unless given. */
  readonly host?: string;
  /** Answers by itself, and not as a node does, where it says so. */
  readonly raw?: (path: string, response: ServerResponse) => boolean;
  /** Where calls are noted, in their order; several fake nodes may share it. */
  readonly calls?: FakeCall[];
}

/** Starts a fake node on a free port. */
export async function fakeNode({
  name = 'fake',
  tip,
  answers = {},
  calls = [],
  host = '127.0.0.1',
  raw = () => false,
}: FakeNodeOptions = {}): Promise<FakeNode> {
  const genesis = genesisBlock(NETWORKS.dev).header.hash;
  const ownTip = tip ?? { height: toHeight(0), hash: genesis, work: 0n };
  const hello = { protocol: PROTOCOL_VERSION, capabilities: [], genesis, tip: ownTip, userAgent: name };
  const own: FakeAnswers = {
    'node.hello': { ...hello, session: 'ab'.repeat(16), confirmed: true },
    'node.confirm': { mine: true },
    'node.ping': { genesis, tip: ownTip, time: 0 },
    'node.list': { nodes: [] },
    'block.headers': { headers: '' },
    'block.announce': { known: true },
    'transaction.announce': { wanted: 0 },
    'transaction.ids': { items: [], next: null },
    ...answers,
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url?.replace('/trpc/', '') ?? '';
      const body = Buffer.concat(chunks).toString('utf8');
      const input = body === '' ? undefined : readSuperjson(JSON.parse(body));
      calls.push({ at: name, path, input });
      if (raw(path, response)) return;
      const answer = own[path];
      const value: unknown = typeof answer === 'function' ? answer(input) : answer;
      response.setHeader('content-type', 'application/json');
      if (value instanceof TrestleError) response.statusCode = 400;
      const envelope = value instanceof TrestleError ? failureEnvelope(value.reason) : successEnvelope(value ?? {});
      response.end(JSON.stringify(envelope));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    name,
    url: `http://${host}:${address.port}`,
    calls,
    answers: own,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
