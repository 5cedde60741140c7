import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { SESSION_HEADER } from '../../../client/peerClient.js';
import type { Listen } from '../../../server/http/listen.js';
import { MAX_BATCH } from '../../../shared/rpc/limits.js';

/** Answers one request, as a node that listens does. */
export type Serve = (request: Request, remoteAddress: string) => Promise<Response>;

/**
 * Listens without a socket: the real router, behind the adapter for `fetch` requests. `onChange` hears what answers from
 * now on, and `undefined` when it closes. The limits of sockets and bodies are the HTTP server's, and are tested there.
 */
export function simListen(onChange: (serve: Serve | undefined) => void): Listen {
  return async ({ router, host, port, createContext, log }) => {
    onChange((request, remoteAddress) =>
      fetchRequestHandler({
        endpoint: '/trpc',
        req: request,
        router,
        maxBatchSize: MAX_BATCH,
        allowMethodOverride: true,
        createContext: () =>
          createContext({
            remoteAddress,
            authorization: request.headers.get('authorization') ?? undefined,
            session: request.headers.get(SESSION_HEADER) ?? undefined,
          }),
        onError({ error, path }) {
          if (error.code === 'INTERNAL_SERVER_ERROR') log.error('a call failed', { path, error: String(error.cause) });
        },
      }),
    );
    return { host, port, close: async () => onChange(undefined) };
  };
}
