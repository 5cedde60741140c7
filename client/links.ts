import { type getFetch, TRPCClientError, type TRPCLink } from '@trpc/client';
import type { AnyRouter } from '@trpc/server';
import { observable } from '@trpc/server/observable';
import { TrestleError } from '../shared/errors.js';

/** The part of `fetch` that calls need; the global one fits. */
export type Fetch = ReturnType<typeof getFetch>;

/** Runs an action later; answers how to cancel it. */
export type After = (ms: number, action: () => void) => () => void;

/** What a call may carry in its context to be treated apart. */
export interface CallOptions {
  /** Another time limit than the client's own, for calls that move much. */
  readonly timeoutMs?: number;
}

/**
 * Ends each call after its time limit with `timeout`. tRPC alone has no limit, and loses the reason where a signal
 * ends a call.
 */
export function timeoutLink<Router extends AnyRouter>(limitMs: number, after: After): TRPCLink<Router> {
  return () =>
    ({ op, next }) =>
      observable((observer) => {
        const ms = timeoutOf(op.context) ?? limitMs;
        const controller = new AbortController();
        const cancel = after(ms, () => {
          observer.error(TRPCClientError.from(new TrestleError({ code: 'timeout', limitMs: ms })));
          controller.abort();
        });
        const signal = op.signal ? AbortSignal.any([op.signal, controller.signal]) : controller.signal;
        const subscription = next({ ...op, signal }).subscribe(observer);
        return () => {
          cancel();
          subscription.unsubscribe();
        };
      });
}

function timeoutOf(context: Readonly<Record<string, unknown>>): number | undefined {
  const { timeoutMs } = context;
  return typeof timeoutMs === 'number' ? timeoutMs : undefined;
}
