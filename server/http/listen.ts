import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AnyTRPCRouter, inferRouterContext, TRPCError } from '@trpc/server';
import { createHTTPHandler } from '@trpc/server/adapters/standalone';
import { TrestleError } from '../../shared/errors.js';
import type { Reason } from '../../shared/reasons.js';
import { failureOf, toTrpcError } from '../../shared/rpc/errors.js';
import { bodyLimit, MAX_BATCH } from '../../shared/rpc/limits.js';
import type { Clock, Logger } from '../ports.js';
import type { Door } from './admission.js';
import { type Incoming, incomingOf } from './callers.js';
import { Connections, MAX_CONNECTIONS } from './connections.js';
import { answerPreflight, nameAllowedOrigin } from './cors.js';
import { FloodGate, refuseCrumbs } from './flood.js';
import { bodyLimitOf, type GuardOptions, isPreflight, pathOf, refusalOf, TRPC_PATH } from './guard.js';
import { PlainCalls } from './plainCalls.js';
import { refusalFor } from './refusal.js';
import { SlowReaders } from './slowReaders.js';

/** How long a client may take to send its headers, and its whole request (slow senders hold sockets otherwise). */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** How long an unused connection is kept. */
const KEEP_ALIVE_MS = 10_000;
/** How often the two limits above are looked at. */
const CHECK_INTERVAL_MS = 2_000;
/** Beyond the places that are given out by address, so that a newcomer can be looked at. */
const SPARE_CONNECTIONS = 64;
/** Connections that wait to be looked at. Where there is no room, an honest caller's waits a second for its next try. */
const BACKLOG = 2_048;
const TOO_LARGE = 413;
/** Bytes of a refused request that are taken in and thrown away, so that the connection can be used again. */
const MOST_UNREAD = 16_384;
/** How long the rest of an oversized request is taken in and thrown away. */
const LINGER_MS = 1_000;
/** How long answers under way may take when the server closes. */
const CLOSE_GRACE_MS = 300;

/** What is served, and where. */
export interface ListenOptions<Router extends AnyTRPCRouter> extends GuardOptions {
  readonly router: Router;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Who may come in, and how often. */
  readonly door: Door;
  readonly createContext: (incoming: Incoming) => inferRouterContext<Router>;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Logger;
}

/** A server that answers. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Serves a router, over HTTP or over something that stands in for it. */
export type Listen = <Router extends AnyTRPCRouter>(options: ListenOptions<Router>) => Promise<Listening>;

/** Serves a router over HTTP. Throws `address-in-use` or `address-unusable` where it cannot listen. */
export async function listen<Router extends AnyTRPCRouter>(options: ListenOptions<Router>): Promise<Listening> {
  const handle = handlerFor(options);
  const { door, clock } = options;
  const gate = new FloodGate();
  const connections = new Connections(door);
  const slowReaders = new SlowReaders(clock);
  const server = createServer({ connectionsCheckingInterval: CHECK_INTERVAL_MS }, (request, response) => {
    if (!gate.admits(request, response)) return;
    response.once('finish', () => {
      if (response.statusCode === TOO_LARGE) hangUpSoon(request, clock);
    });
    nameAllowedOrigin(request, response, options.origins);
    const refusal = door.refusalOf(incomingOf(request), proceduresOf(request));
    if (refusal !== undefined) return turnAway(request, response, refusal);
    if (isPreflight(request, options.origins) && refusalOf(request, options) === undefined)
      return answerPreflight(response);
    if (request.method === 'TRACE') return refuseTrace(response);
    handle(request, response);
    refuseCrumbs(request);
  });
  server.on('connection', (socket) => {
    if (connections.take(socket)) slowReaders.watch(socket);
  });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.maxConnections = MAX_CONNECTIONS + SPARE_CONNECTIONS;
  const { port } = await open(server, options.host, options.port);
  return { host: options.host, port, close: () => close(server, clock).finally(() => slowReaders.close()) };
}

/** Plain calls go to their procedures straight away, all others through tRPC's own adapter. */
function handlerFor<Router extends AnyTRPCRouter>(
  options: ListenOptions<Router>,
): (request: IncomingMessage, response: ServerResponse) => void {
  const { router, createContext, log, door, origins } = options;
  /** A batch that fails as a whole fails many times. */
  const failed = new WeakSet<IncomingMessage>();
  const onError = (request: IncomingMessage, { error, path }: { error: TRPCError; path: string | undefined }): void => {
    if (!failed.has(request)) door.failed(incomingOf(request), failureOf(error, path ?? '').reason?.code ?? '');
    failed.add(request);
    const isOurs = error.code === 'INTERNAL_SERVER_ERROR' || isStoreFailure(error.cause);
    if (isOurs) log.error('a call failed', { path, error: describe(error) });
  };
  const headersFor = (errors: readonly TRPCError[]): Record<string, string> => ({
    // The answer differs by origin, also where none is named: a cache must not hand one page's answer to another.
    ...(origins.length > 0 ? { vary: 'origin' } : {}),
    // A client must not send its next request on a connection that is about to close.
    ...(errors.some(({ code }) => code === 'PAYLOAD_TOO_LARGE') ? { connection: 'close' } : {}),
  });
  const contextOf = (request: IncomingMessage): inferRouterContext<Router> => createContext(incomingOf(request));
  const plain = new PlainCalls({ router, createContext: contextOf, headersFor, onError });
  const adapterFor = (maxBodySize: number): ReturnType<typeof createHTTPHandler> =>
    createHTTPHandler<AnyTRPCRouter>({
      router,
      basePath: TRPC_PATH,
      maxBodySize,
      maxBatchSize: MAX_BATCH,
      allowMethodOverride: true,
      createContext: ({ req }) => contextOf(req),
      middleware: (request, _response, next) => {
        const refusal = refusalOf(request, options);
        next(refusal === undefined ? undefined : toTrpcError(refusal));
      },
      responseMeta: ({ errors }) => ({ headers: new Headers(headersFor(errors)) }),
      onError: ({ error, path, req }) => onError(req, { error, path }),
    });
  // Blocks are larger than all else: only calls that carry one get an adapter that would read so much.
  const [usual, large] = [bodyLimit(''), bodyLimit('block.submit')];
  const [usualAdapter, largeAdapter] = [adapterFor(usual), adapterFor(large)];
  return (request, response) => {
    if (refusalOf(request, options) === undefined && plain.take(request, response)) return;
    const adapter = bodyLimitOf(request) === large ? largeAdapter : usualAdapter;
    adapter(request, response);
  };
}

/** The fetch standard knows no TRACE, and tRPC fails on it before it could put a refusal into words. */
function refuseTrace(response: ServerResponse): void {
  say(response, new TrestleError({ code: 'bad-request', detail: 'method TRACE' }));
}

/** Refuses a request unread. Whoever is banned, or sends much, has to connect anew: its bytes are not taken in. */
function turnAway(request: IncomingMessage, response: ServerResponse, error: TrestleError): void {
  const isMuch =
    Number(request.headers['content-length'] ?? MOST_UNREAD + 1) > MOST_UNREAD && request.method === 'POST';
  if (error.code === 'peer-banned' || isMuch) {
    response.setHeader('connection', 'close');
    response.once('finish', () => request.socket.destroySoon());
  }
  say(response, error);
}

function say(response: ServerResponse, error: TrestleError): void {
  const { status, body } = refusalFor(error);
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

/** What is called, in the form of `block.get,block.last`. */
function proceduresOf(request: IncomingMessage): string {
  return pathOf(request).slice(TRPC_PATH.length);
}

function isStoreFailure(cause: unknown): boolean {
  return cause instanceof TrestleError && cause.code.startsWith('store-');
}

function describe(error: TRPCError): string {
  const cause = error.cause ?? error;
  return cause.stack ?? String(cause);
}

/** Closes a connection on which more is being sent than we take, once the sender has had time to read why. */
function hangUpSoon(request: IncomingMessage, clock: Pick<Clock, 'after'>): void {
  request.resume();
  const cancel = clock.after(LINGER_MS, () => request.socket.destroy());
  request.socket.once('close', cancel);
}

function open(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const detail = `port ${port}: ${error.code ?? error.message}`;
      const reason: Reason =
        error.code === 'EADDRINUSE'
          ? { code: 'address-in-use', host, port }
          : { code: 'address-unusable', host, detail };
      reject(new TrestleError(reason, { cause: error }));
    });
    server.listen({ host, port, backlog: BACKLOG }, () => {
      const address = server.address();
      if (address !== null && typeof address === 'object') resolve(address);
      else reject(new Error('the server listens on no port'));
    });
  });
}

/** Lets answers under way go out, then ends: clients that hold a connection open would hold the process, too. */
function close(server: Server, clock: Pick<Clock, 'after'>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(CLOSE_GRACE_MS, () => server.closeAllConnections());
    server.close(() => {
      cancel();
      resolve();
    });
    server.closeIdleConnections();
  });
}
