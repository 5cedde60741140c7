import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { Agent } from 'undici';
import type { Client } from '../../client/createClient.js';
import type { Fetch } from '../../client/links.js';
import { createPeerClient } from '../../client/peerClient.js';
import type { OpenStream } from '../../client/streamLink.js';
import { TrestleError } from '../../shared/errors.js';
import type { Clock } from '../ports.js';
import { isPrivateAddress } from './addressPolicy.js';
import { hostOf, type PeerUrl } from './peerUrl.js';

/** The time limit of calls between nodes. */
export const PEER_TIMEOUT_MS = 5_000;
/** The same for calls that move many blocks. */
export const BULK_TIMEOUT_MS = 20_000;
/** The most bytes of an answer: a full range of blocks in base64 is 5.4 MB. */
export const MAX_ANSWER_BYTES = 8_000_000;
/** Connections kept to one peer. */
const MAX_CONNECTIONS = 8;

/** How one peer is called. */
export interface DialOptions {
  readonly session?: () => string | undefined;
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
}

/** Reaches other nodes. The simulator has another. */
export interface Dialer {
  dial(url: PeerUrl, options?: DialOptions): Client;
  /** The IP addresses behind a URL. Throws `peer-address` where it may not be called, `peer-unreachable` where none is. */
  resolve(url: PeerUrl): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** What reaching nodes needs. */
export interface DialerParts {
  /** Whether private addresses may be called. */
  readonly allowPrivate: boolean;
  readonly clock: Pick<Clock, 'after'>;
  /** Ends every call when it aborts. */
  readonly signal: AbortSignal;
}

/** How a process comes by its dialer: over HTTP, or over a simulated network. */
export type MakeDialer = (parts: DialerParts) => Dialer;

/** Asks the system's resolver for all addresses of a name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

const systemResolve: Resolve = (host) => lookup(host, { all: true });

/** Reaches nodes over HTTP. */
export function httpDialer({ allowPrivate, clock, signal }: DialerParts, resolve: Resolve = systemResolve): Dialer {
  const isForbidden = (address: string): boolean => !allowPrivate && isPrivateAddress(address);
  const agent = new Agent({
    connections: MAX_CONNECTIONS,
    connect: { timeout: PEER_TIMEOUT_MS, lookup: checkedLookup(resolve, isForbidden) },
  });
  return {
    dial(url, { session = () => undefined, timeoutMs = PEER_TIMEOUT_MS, maxBytes = MAX_ANSWER_BYTES } = {}) {
      const check = (): void => assertCallable(url, isForbidden);
      const [fetch, openStream] = [boundedFetch(agent, maxBytes, check), streamOpener(agent, check)];
      return createPeerClient({ url, fetch, openStream, timeoutMs, after: clock.after, signal, session });
    },
    async resolve(url) {
      assertCallable(url, isForbidden);
      const host = hostOf(url);
      if (isIP(host) !== 0) return [host];
      const found = await resolve(host).catch((error: unknown) => {
        const reason = { code: 'peer-unreachable', url, detail: 'the name does not resolve' } as const;
        throw new TrestleError(reason, { cause: error });
      });
      assertAllowed(host, { found, isForbidden });
      return found.map(({ address }) => address);
    },
    close: () => agent.destroy(),
  };
}

/** An address written as a number never reaches the lookup, so it is looked at before. */
function assertCallable(url: PeerUrl, isForbidden: (address: string) => boolean): void {
  const host = hostOf(url);
  if (isIP(host) !== 0 && isForbidden(host))
    throw new TrestleError({ code: 'peer-address', url, detail: 'a private address' });
}

/**
 * The lookup of each new connection: what it answers is where the socket goes, and nobody resolves the name again in
 * between. A name that resolves to another address the next time (DNS rebinding) is checked the next time. One forbidden
 * address is enough to refuse the name: an honest one has none.
 */
function checkedLookup(resolve: Resolve, isForbidden: (address: string) => boolean): LookupFunction {
  return (host, options, callback) => {
    const answer = async (): Promise<readonly LookupAddress[]> => {
      const found = await resolve(host);
      assertAllowed(host, { found, isForbidden });
      return found;
    };
    answer().then(
      (found) => {
        const [first] = found;
        if (first === undefined) callback(new Error(`${host} has no address`), []);
        else if (options.all === true) callback(null, [...found]);
        else callback(null, first.address, first.family);
      },
      (error: Error) => callback(error, []),
    );
  };
}

function assertAllowed(
  host: string,
  { found, isForbidden }: { found: readonly LookupAddress[]; isForbidden: (address: string) => boolean },
): void {
  const forbidden = found.find(({ address }) => isForbidden(address));
  if (forbidden !== undefined)
    throw new TrestleError({ code: 'peer-address', url: host, detail: `resolves to ${forbidden.address}` });
}

/**
 * What calls need of `fetch`, by undici's own request: it follows no redirects and decompresses nothing, so that no few
 * bytes become many, and reading stops at the limit.
 */
function boundedFetch(agent: Agent, maxBytes: number, check: () => void): Fetch {
  return async (input, init) => {
    check();
    const { statusCode, body } = await agent.request({
      ...placeOf(String(input)),
      method: 'POST',
      headers: Object.fromEntries(new Headers(init?.headers).entries()),
      body: typeof init?.body === 'string' ? init.body : null,
      signal: init?.signal ?? null,
    });
    const text = await readBounded(body, maxBytes);
    return { ok: isSuccess(statusCode), json: async (): Promise<unknown> => JSON.parse(text) };
  };
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** An address as undici takes it. */
function placeOf(url: string): { origin: string; path: string } {
  const { origin, pathname, search } = new URL(url);
  return { origin, path: `${pathname}${search}` };
}

/** The same for subscriptions, which have no end: whoever reads them bounds each event. */
function streamOpener(agent: Agent, check: () => void): OpenStream {
  return async (url, { headers, signal }) => {
    check();
    const { statusCode, body } = await agent.request({ ...placeOf(url), method: 'GET', headers, signal });
    return { ok: isSuccess(statusCode), body };
  };
}

async function readBounded(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    // Leaving the loop cancels the stream, so the rest is never received.
    if (bytes > maxBytes) throw new TrestleError({ code: 'too-large', limit: maxBytes });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
