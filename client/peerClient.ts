import { createTRPCClient, httpLink, splitLink, TRPCClientError, type TRPCLink } from '@trpc/client';
import { observable } from '@trpc/server/observable';
import * as z from 'zod';
import { TrestleError } from '../shared/errors.js';
import { type AppRouter, appRouter } from '../shared/rpc/router.js';
import { transformer } from '../shared/rpc/transformer.js';
import type { Client } from './createClient.js';
import { type Fetch, timeoutLink, unansweredLink } from './links.js';
import { type OpenStream, streamLink } from './streamLink.js';
import type { After } from './time.js';

/** The header in which a peer presents the session that `node.hello` opened. */
export const SESSION_HEADER = 'x-trestle-session';

/** How a node calls a peer. */
export interface PeerClientOptions {
  readonly url: string;
  /** Must bound the bytes it reads and refuse redirects: the other side is nobody's friend. */
  readonly fetch: Fetch;
  /** The same for subscriptions; without it there are none. */
  readonly openStream?: OpenStream | undefined;
  readonly timeoutMs: number;
  readonly after: After;
  /** Ends every call when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** The session to present, once there is one. */
  readonly session: () => string | undefined;
}

/**
 * The client by which nodes call each other: the same generated, typed calls, with every answer held against the
 * contract's output schema. A type is the other side's promise, and peers break promises.
 */
export function createPeerClient(options: PeerClientOptions): Client {
  const { url, fetch, openStream = noStreams, timeoutMs, after, signal, session } = options;
  const headers = (): Record<string, string> => {
    const token = session();
    return token === undefined ? {} : { [SESSION_HEADER]: token };
  };
  return createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: ({ type }) => type === 'subscription',
        true: streamLink({ url, open: openStream, headers, after, signal }),
        false: [
          timeoutLink({ limitMs: timeoutMs, after, signal }),
          checkAnswers(url),
          unansweredLink(url),
          httpLink({ url: `${url}/trpc`, transformer, methodOverride: 'POST', fetch, headers }),
        ],
      }),
    ],
  });
}

const noStreams: OpenStream = () => Promise.reject(new Error('this client hears no subscriptions'));

/** Turns an answer that is not what the contract promises into `peer-protocol`. */
function checkAnswers(url: string): TRPCLink<AppRouter> {
  return () =>
    ({ op, next }) =>
      observable((observer) =>
        next(op).subscribe({
          next(envelope) {
            const { result } = envelope;
            if (result.type !== undefined && result.type !== 'data') return observer.next(envelope);
            const checked = outputSchema(op.path).safeParse(result.data);
            if (checked.success) {
              return observer.next({ ...envelope, result: { ...result, data: checked.data } });
            }
            const detail = `${op.path}: ${checked.error.issues[0]?.message ?? 'no such answer'}`;
            return observer.error(TRPCClientError.from(new TrestleError({ code: 'peer-protocol', url, detail })));
          },
          error: (error) => observer.error(error),
          complete: () => observer.complete(),
        }),
      );
}

/** tRPC keeps the schemas in a half-private place; only this function knows it, and a test knows when it moves. */
function outputSchema(path: string): z.ZodType {
  const procedures: Readonly<Record<string, unknown>> = appRouter._def.procedures;
  const found = procedures[path];
  const output = isRecord(found) && isRecord(found['_def']) ? found['_def']['output'] : undefined;
  return output instanceof z.ZodType ? output : z.never();
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' || typeof value === 'function') && value !== null;
}
