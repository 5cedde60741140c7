import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { SESSION_HEADER } from '../../../client/peerClient.js';
import { TRPC_PATH } from '../../../server/http/guard.js';
import type { Listen } from '../../../server/http/listen.js';
import { refusalFor } from '../../../server/http/refusal.js';
import { failureOf } from '../../../shared/rpc/errors.js';
import { MAX_BATCH } from '../../../shared/rpc/limits.js';

/** Answers one request, as a node that listens does. */
export type Serve = (request: Request, remoteAddress: string) => Promise<Response>;

/**
 * Listens without a socket: the real router, behind the adapter for `fetch` requests. `onChange` hears what answers from
 * now on, and `undefined` when it closes. The limits of sockets and bodies are the HTTP server's, and are tested there.
 */
export function simListen(onChange: (serve: Serve | undefined) => void): Listen {
  return async ({ router, host, port, createContext, door, log }) => {
    onChange(async (request, remoteAddress) => {
      const incoming = {
        remoteAddress,
        authorization: request.headers.get('authorization') ?? undefined,
        session: request.headers.get(SESSION_HEADER) ?? undefined,
      };
      const refused = door.refusalOf(incoming, new URL(request.url).pathname.slice(TRPC_PATH.length));
      if (refused !== undefined) {
        const { status, body } = refusalFor(refused);
        return new Response(body, { status });
      }
      return fetchRequestHandler({
        endpoint: '/trpc',
        req: request,
        router,
        maxBatchSize: MAX_BATCH,
        allowMethodOverride: true,
        createContext: () => createContext(incoming),
        onError({ error, path }) {
          door.failed(incoming, failureOf(error, path ?? '').reason?.code ?? '');
          if (error.code === 'INTERNAL_SERVER_ERROR') log.error('a call failed', { path, error: String(error.cause) });
        },
      });
    });
    return { host, port, close: async () => onChange(undefined) };
  };
}
