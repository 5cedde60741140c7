import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from '../../client/createClient.js';
import type { Fetch } from '../../client/links.js';
import { createPeerClient, SESSION_HEADER } from '../../client/peerClient.js';
import { listen } from '../../server/http/listen.js';
import { httpDialer, type MakeDialer } from '../../server/net/dialer.js';
import type { Reason } from '../../shared/reasons.js';
import { readSuperjson, transformer } from '../../shared/rpc/transformer.js';
import { failureEnvelope, successEnvelope } from '../kit/envelopes.js';
import { type TestNode, testNode } from '../support/testNode.js';
import { CONTRACT_1, isPath1 } from './contract1.js';

/** A node that others take for one of version 1. */
export interface Version1Node extends TestNode {
  /** Where its peers reach it: what does not belong to version 1 is refused there. */
  readonly url: string;
  /** What a node of version 1 could not have read or would not have been asked: nothing, where neighbours get on. */
  readonly violations: string[];
}

/**
 * Starts a node that speaks version 1 to its peers, both ways: what it sends is cut down to the frozen contract, and
 * what comes in is held against it as strictly as that release held it, the answers of others included.
 */
export async function version1Node(config: { readonly peers?: string[] } = {}): Promise<Version1Node> {
  const violations: string[] = [];
  let inner = '';
  const gate = createServer((request, response) => {
    // A node that is gone breaks the connection.
    answer(request).then(
      ({ status, body }) => response.writeHead(status, { 'content-type': 'application/json' }).end(body),
      () => response.destroy(),
    );
  });
  const answer = async (request: IncomingMessage): Promise<{ status: number; body: string }> => {
    const body = await bodyOf(request);
    const path = pathOf(request.url ?? '');
    const input = readInput(body);
    const isKnown = isPath1(path) && CONTRACT_1[path].input.safeParse(input).success;
    // Version 1 put it this way, whatever the field: it read hellos strictly, and had no other procedures.
    if (!isKnown) {
      if (path !== 'node.hello') violations.push(`was asked ${path} ${body.slice(0, 200)}`);
      return refusal({ code: 'bad-request', detail: 'Unrecognized key' });
    }
    const session = request.headers[SESSION_HEADER];
    const headers = {
      'content-type': 'application/json',
      ...(session === undefined ? {} : { [SESSION_HEADER]: String(session) }),
    };
    const answered = await fetch(`${inner}/trpc/${path}`, { method: 'POST', headers, body });
    const text = await answered.text();
    const isHello = path === 'node.hello' && answered.ok;
    return { status: answered.status, body: isHello ? answerOf(withoutCapabilities(outputOf(text))) : text };
  };
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${portOf(gate.address())}`;
  const node = await testNode({
    config: { name: 'version 1', publicUrl: url, ...config },
    ports: {
      dialer: version1Dialer(violations),
      async listen(options) {
        const listening = await listen(options);
        inner = `http://127.0.0.1:${listening.port}`;
        return listening;
      },
    },
  });
  return {
    ...node,
    client: createClient({ url: inner, token: node.running.token }),
    url,
    violations,
    [Symbol.asyncDispose]: async () => {
      await node[Symbol.asyncDispose]();
      gate.closeAllConnections();
      await new Promise((resolve) => gate.close(resolve));
    },
  };
}

/** Calls others as version 1 did: only its procedures, with its inputs, and reading their answers as strictly. */
function version1Dialer(violations: string[]): MakeDialer {
  return (parts) => {
    const dialer = httpDialer(parts);
    return {
      ...dialer,
      dial: (url, { session = () => undefined, timeoutMs = 5_000 } = {}) =>
        createPeerClient({
          url,
          timeoutMs,
          session,
          after: parts.clock.after,
          signal: parts.signal,
          fetch: asVersion1(violations),
        }),
    };
  };
}

function asVersion1(violations: string[]): Fetch {
  return async (input, init) => {
    const path = pathOf(String(input));
    if (!isPath1(path)) throw new Error(`version 1 has no ${path}`);
    const body = typeof init?.body === 'string' ? init.body : '';
    const sent = path === 'node.hello' ? JSON.stringify(transformer.serialize(asHello1(readInput(body)))) : body;
    const headers = Object.fromEntries(new Headers(init?.headers).entries());
    const response = await fetch(String(input), {
      method: 'POST',
      headers,
      ...(sent === '' ? {} : { body: sent }),
      signal: init?.signal ?? null,
    });
    const text = await response.text();
    if (!response.ok) return new Response(text, { status: response.status });
    const output = outputOf(text);
    const checked = CONTRACT_1[path].output.safeParse(output);
    if (!checked.success) violations.push(`${path} answered ${text.slice(0, 200)}`);
    // What the other side can do beyond version 1 means nothing to a node of that version.
    const shown = path === 'node.hello' ? withoutCapabilities(output) : output;
    return new Response(answerOf(shown), { status: response.status });
  };
}

/** A hello cut down to what version 1 said of itself. */
function asHello1(hello: unknown): unknown {
  if (!isRecord(hello)) return hello;
  const { contract: _, ...rest } = hello;
  return CONTRACT_1['node.hello'].input.parse({ ...rest, protocol: 1, capabilities: [] });
}

function readInput(body: string): unknown {
  return body === '' ? undefined : readSuperjson(JSON.parse(body));
}

function outputOf(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  const result = isRecord(parsed) ? parsed['result'] : undefined;
  return isRecord(result) ? readSuperjson(result['data']) : undefined;
}

/** Version 1 could do nothing that not every node can. */
function withoutCapabilities(hello: unknown): unknown {
  return isRecord(hello) ? { ...hello, capabilities: [] } : hello;
}

function answerOf(output: unknown): string {
  return JSON.stringify(successEnvelope(output));
}

function refusal(reason: Reason): { status: number; body: string } {
  return { status: 400, body: JSON.stringify(failureEnvelope(reason)) };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

function pathOf(url: string): string {
  return url.slice(url.lastIndexOf('/trpc/') + '/trpc/'.length);
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
