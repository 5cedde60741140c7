import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type AnyTRPCRouter,
  callTRPCProcedure,
  getTRPCErrorFromUnknown,
  getTRPCErrorShape,
  type inferRouterContext,
  TRPCError,
  transformTRPCResponse,
} from '@trpc/server';
import { getHTTPStatusCodeFromError } from '@trpc/server/http';
import { bodyLimitOf, pathOf, TRPC_PATH } from './guard.js';

/** What answering plain calls needs. */
export interface PlainCallsOptions<Router extends AnyTRPCRouter> {
  readonly router: Router;
  readonly createContext: (request: IncomingMessage) => inferRouterContext<Router>;
  /** Headers of an answer beside the usual, given why it failed. */
  readonly headersFor: (errors: readonly TRPCError[]) => Readonly<Record<string, string>> & { readonly vary?: string };
  readonly onError: (request: IncomingMessage, failed: { readonly error: TRPCError; readonly path: string }) => void;
}

/** What tRPC says of its answers, too: they differ by these headers of the request. */
const VARY = 'trpc-accept, accept';

/** One call, sent as almost all are: alone, as JSON, wanting JSON. */
interface PlainCall {
  readonly path: string;
  readonly type: 'query' | 'mutation';
  readonly signal: AbortSignal;
  /** The input as it was sent; empty where there is none. */
  readonly text: Promise<string>;
}

/**
 * Answers plain calls by handing them to tRPC's procedures straight away. Its own adapter first makes a web request of
 * each and then a web response with streams, which takes twice as long as the call; it stays for all that is not plain:
 * batches, subscriptions, and requests that it refuses. What a caller reads is the same either way.
 */
export class PlainCalls<Router extends AnyTRPCRouter> {
  readonly #options: PlainCallsOptions<Router>;
  readonly #types: ReadonlyMap<string, PlainCall['type']>;

  constructor(options: PlainCallsOptions<Router>) {
    this.#options = options;
    this.#types = typesOf(options.router);
  }

  /** Answers a request that the guard has let through. `false` where it is not a plain call, and nothing was done. */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    const path = pathOf(request).slice(TRPC_PATH.length);
    const type = this.#types.get(path);
    if (type === undefined || !wantsJson(request)) return false;
    // Queries may be posted, too: their input can be too long for an address.
    const text = textOf(request, type);
    if (text === undefined) return false;
    const signal = goneSignal(response);
    this.#answer(request, response, { path, type, signal, text }).catch((error: unknown) => {
      // What cannot be put into words ends the connection, so that nobody waits for it.
      response.destroy();
      this.#options.onError(request, { error: getTRPCErrorFromUnknown(error), path });
    });
    return true;
  }

  async #answer(request: IncomingMessage, response: ServerResponse, call: PlainCall): Promise<void> {
    const { router, createContext } = this.#options;
    const { path, type, signal, text } = call;
    const { transformer } = router._def._config;
    let outcome: { readonly data: unknown } | { readonly error: TRPCError };
    let ctx: inferRouterContext<Router> | undefined;
    try {
      ctx = createContext(request);
      const getRawInput = async (): Promise<unknown> => readInput(await text, transformer.input);
      const data: unknown = await callTRPCProcedure({ router, path, type, ctx, getRawInput, signal, batchIndex: 0 });
      outcome = { data };
    } catch (cause) {
      outcome = { error: getTRPCErrorFromUnknown(cause) };
    }
    // A body that was too large or ended early need not have been read by the procedure; nobody else looks at it.
    text.catch(() => {});
    if (signal.aborted) return;
    if ('data' in outcome) {
      const body = transformTRPCResponse(router._def._config, { result: { data: outcome.data } });
      return this.#send(response, { status: 200, body, error: undefined });
    }
    const { error } = outcome;
    this.#options.onError(request, { error, path });
    const shape = getTRPCErrorShape({ config: router._def._config, error, type, path, input: undefined, ctx });
    const body = transformTRPCResponse(router._def._config, { error: shape });
    this.#send(response, { status: getHTTPStatusCodeFromError(error), body, error });
  }

  #send(
    response: ServerResponse,
    { status, body, error }: { readonly status: number; readonly body: unknown; readonly error: TRPCError | undefined },
  ): void {
    const bytes = Buffer.from(JSON.stringify(body));
    const { vary, ...headers } = this.#options.headersFor(error === undefined ? [] : [error]);
    response.writeHead(status, {
      ...headers,
      vary: vary === undefined ? VARY : `${VARY}, ${vary}`,
      'content-type': 'application/json',
      'content-length': bytes.length,
    });
    response.end(bytes);
  }
}

/** tRPC keeps the procedures in a half-private place; only this function knows it. */
function typesOf(router: AnyTRPCRouter): ReadonlyMap<string, PlainCall['type']> {
  const types = new Map<string, PlainCall['type']>();
  const procedures: Readonly<Record<string, unknown>> = router._def.procedures;
  for (const [path, procedure] of Object.entries(procedures)) {
    const definition = isRecord(procedure) && isRecord(procedure['_def']) ? procedure['_def'] : {};
    const { type } = definition;
    if (type === 'query' || type === 'mutation') types.set(path, type);
  }
  return types;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' || typeof value === 'function') && value !== null;
}

/** Answers in pieces are asked for by header. */
function wantsJson({ headers }: IncomingMessage): boolean {
  return headers['trpc-accept'] === undefined && (headers.accept === undefined || headers.accept === '*/*');
}

/** The input as it was sent, where it was sent in a way that can be read here. */
function textOf(request: IncomingMessage, type: PlainCall['type']): Promise<string> | undefined {
  if (request.method === 'POST') return postedText(request);
  return request.method === 'GET' ? queryText(request, type) : undefined;
}

/** The input in the address of a query. Addresses that carry anything else are left alone. */
function queryText({ url = '' }: IncomingMessage, type: PlainCall['type']): Promise<string> | undefined {
  if (type !== 'query') return undefined;
  const question = url.indexOf('?');
  if (question < 0) return Promise.resolve('');
  const parameters = new URLSearchParams(url.slice(question + 1));
  return parameters.size === 1 && parameters.has('input') ? Promise.resolve(parameters.get('input') ?? '') : undefined;
}

/** The body of a request, which begins to flow at once. */
function postedText(request: IncomingMessage): Promise<string> | undefined {
  if (request.url?.includes('?')) return undefined;
  const limit = bodyLimitOf(request);
  const text = new Promise<string>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes <= limit) return void chunks.push(chunk);
      request.off('data', take);
      reject(new TRPCError({ code: 'PAYLOAD_TOO_LARGE' }));
    };
    request.on('data', take);
    request.once('end', () => resolve(new TextDecoder().decode(Buffer.concat(chunks))));
    request.once('close', () => reject(new TRPCError({ code: 'CLIENT_CLOSED_REQUEST' })));
  });
  // It may fail before the procedure asks for it.
  text.catch(() => {});
  return text;
}

function readInput(text: string, { deserialize }: { readonly deserialize: (value: unknown) => unknown }): unknown {
  if (text === '') return undefined;
  try {
    return deserialize(JSON.parse(text));
  } catch (cause) {
    if (cause instanceof TRPCError) throw cause;
    throw new TRPCError({
      code: 'BAD_REQUEST',
      message: cause instanceof Error ? cause.message : 'Invalid input',
      cause,
    });
  }
}

/** Aborts when the caller is gone before it has its answer. */
function goneSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableEnded) controller.abort();
  });
  return controller.signal;
}
