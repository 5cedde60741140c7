import { createTRPCClient, httpLink, type TRPCClient } from '@trpc/client';
import type { AppRouter } from '../shared/rpc/router.js';
import { transformer } from '../shared/rpc/transformer.js';
import { type Fetch, timeoutLink, unansweredLink } from './links.js';
import { runLater } from './time.js';

/** The time limit of a request, in milliseconds. */
export const REQUEST_TIMEOUT_MS = 5_000;

/** How to reach a node. */
export interface ClientOptions {
  /** The node's address, such as `http://127.0.0.1:42221`. */
  readonly url: string;
  /** The operator token, for calls that only the operator may make. */
  readonly token?: string | undefined;
  /** How long a call may take; 5 s unless said otherwise. */
  readonly timeoutMs?: number | undefined;
  /** Another `fetch`, for tests and proxies. */
  readonly fetch?: Fetch | undefined;
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
export function createClient({ url, token, timeoutMs = REQUEST_TIMEOUT_MS, fetch }: ClientOptions): Client {
  const base = url.replace(/\/+$/, '');
  return createTRPCClient<AppRouter>({
    links: [
      timeoutLink({ limitMs: timeoutMs, after: runLater }),
      unansweredLink(base),
      httpLink({
        url: `${base}/trpc`,
        transformer,
        // Long inputs do not fit a URL: Node answers 431 above 16 kB of headers.
        methodOverride: 'POST',
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        ...(fetch === undefined ? {} : { fetch }),
      }),
    ],
  });
}
