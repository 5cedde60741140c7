import { createTRPCClient, getUntypedClient, TRPCClientError } from '@trpc/client';
import { observable } from '@trpc/server/observable';
import type { Client } from '../../client/createClient.js';
import type { AppRouter } from '../../shared/rpc/router.js';

/** What becomes of the answer to a procedure, by its path; `undefined`: nothing. */
export type Lies = Readonly<Record<string, (answer: never, input: unknown) => unknown>>;

/** A client of a node that lies: of the true answers some are changed on their way. */
export function lyingClient(client: Client, lies: Lies): Client {
  const inner = getUntypedClient(client);
  return createTRPCClient<AppRouter>({
    links: [
      () =>
        ({ op: { type, path, input } }) =>
          observable((observer) => {
            const answer = type === 'query' ? inner.query(path, input) : inner.mutation(path, input);
            answer
              .then(async (data) => (await lies[path]?.(data as never, input)) ?? data)
              .then(
                (data) => {
                  observer.next({ result: { type: 'data', data } });
                  observer.complete();
                },
                (error: Error) => observer.error(TRPCClientError.from(error)),
              );
          }),
    ],
  });
}
