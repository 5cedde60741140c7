import { createTRPCClient, getUntypedClient, TRPCClientError, type TRPCLink } from '@trpc/client';
import { observable } from '@trpc/server/observable';
import type { Client } from '../../../client/createClient.js';
import type { Dialer } from '../../../server/net/dialer.js';
import type { AppRouter } from '../../../shared/rpc/router.js';
import type { Gate } from './gate.js';

/** A dialer whose every call passes a gate first. */
export function gatedDialer(dialer: Dialer, gate: Gate): Dialer {
  return {
    dial: (url, options) =>
      createTRPCClient<AppRouter>({ links: [gateLink(dialer.dial(url, options), { gate, url })] }),
    resolve: (url) => dialer.resolve(url),
    close: () => dialer.close(),
  };
}

/** Hands each call on to another client, by way of the gate. */
function gateLink(client: Client, { gate, url }: { readonly gate: Gate; readonly url: string }): TRPCLink<AppRouter> {
  const inner = getUntypedClient(client);
  return () =>
    ({ op: { type, path, input, context, signal: given } }) =>
      observable((observer) => {
        const call = gate.pass(url, (cut) => {
          const signal = given == null ? cut : AbortSignal.any([cut, given]);
          return type === 'query'
            ? inner.query(path, input, { context, signal })
            : inner.mutation(path, input, { context, signal });
        });
        call.then(
          (data) => {
            observer.next({ result: { type: 'data', data } });
            observer.complete();
          },
          (error: unknown) => observer.error(TRPCClientError.from(asError(error))),
        );
      });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
