import { createTRPCClient, httpLink, httpSubscriptionLink, splitLink, type TRPCClient } from '@trpc/client';
import { EventSource } from 'eventsource';
import type { AppRouter } from '../shared/rpc/router.js';
import { transformer } from '../shared/rpc/transformer.js';
import { type Fetch, timeoutLink, unansweredLink } from './links.js';
import { type After, runLater } from './time.js';

/** The time limit of a request, in milliseconds. */
export const REQUEST_TIMEOUT_MS = 5_000;

/** How to reach a node. */
export interface ClientOptions {
  /** The node's address, such as `http://127.0.0.1:42221`. */
  readonly url: string;
  /** The operator token, for calls that only the operator may make; a function where it may change. */
  readonly token?: string | (() => string | undefined) | undefined;
  /** How long a call may take; 5 s unless said otherwise. */
  readonly timeoutMs?: number | undefined;
  /** Another `fetch`, for tests and proxies. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Other timers, for tests that own the time. */
  readonly after?: After | undefined;
}

/** The typed client: every procedure with its input, its output and nothing else. */
export type Client = TRPCClient<AppRouter>;

/**
 * A typed client of one node.
 *
 * @example
 * const client = createClient({ url: 'http://127.0.0.1:42221' });
 * const { height, supply } = await client.info.chain.query();
 */
export function createClient({
  url,
  token,
  timeoutMs = REQUEST_TIMEOUT_MS,
  fetch,
  after = runLater,
}: ClientOptions): Client {
  const base = url.replace(/\/+$/, '');
  return createTRPCClient<AppRouter>({
    links: [
      splitLink({
        // A subscription has no end, and so no time limit.
        condition: ({ type }) => type === 'subscription',
        true: httpSubscriptionLink({
          url: `${base}/trpc`,
          transformer,
          EventSource,
          eventSourceOptions: fetch === undefined ? {} : { fetch },
        }),
        false: [
          timeoutLink({ limitMs: timeoutMs, after }),
          unansweredLink(base),
          httpLink({
            url: `${base}/trpc`,
            transformer,
            // Long inputs do not fit a URL: Node answers 431 above 16 kB of headers.
            methodOverride: 'POST',
            headers: () => {
              const current = typeof token === 'function' ? token() : token;
              return current === undefined ? {} : { authorization: `Bearer ${current}` };
            },
            ...(fetch === undefined ? {} : { fetch: fetchFor(fetch) }),
          }),
        ],
      }),
    ],
  });
}

/** The calls' view of a `fetch`: tRPC spells a missing signal out, and `fetch` wants none. */
function fetchFor(fetch: typeof globalThis.fetch): Fetch {
  return (input, { signal, ...init } = {}) => fetch(input, signal == null ? init : { ...init, signal });
}
