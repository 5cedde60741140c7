import { type getFetch, TRPCClientError, type TRPCLink } from '@trpc/client';
import type { AnyRouter } from '@trpc/server';
import { observable } from '@trpc/server/observable';
import { TrestleError } from '../shared/errors.js';
import { isUnanswered, reasonOf, systemDetail } from './failure.js';
import type { After } from './time.js';

/** The part of `fetch` that calls need; the global one fits. */
export type Fetch = ReturnType<typeof getFetch>;

/** Gives calls that nobody answered their reason, `peer-unreachable`, with the address that was called. */
export function unansweredLink<Router extends AnyRouter>(url: string): TRPCLink<Router> {
  return () =>
    ({ op, next }) =>
      observable((observer) =>
        next(op).subscribe({
          next: (envelope) => observer.next(envelope),
          error(error) {
            // Whoever called it off knows why.
            if (op.signal?.aborted || reasonOf(error) !== null || !isUnanswered(error)) return observer.error(error);
            const reason = { code: 'peer-unreachable', url, detail: systemDetail(error) } as const;
            return observer.error(TRPCClientError.from(new TrestleError(reason, { cause: error })));
          },
          complete: () => observer.complete(),
        }),
      );
}

/** The options of a call that may take another time than the client's own limit, because it moves much. */
export function within(timeoutMs: number): { readonly context: { readonly timeoutMs: number } } {
  return { context: { timeoutMs } };
}

/** How long calls may take. */
export interface TimeLimit {
  readonly limitMs: number;
  readonly after: After;
  /** Ends every call when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Ends each call after its time limit with `timeout`. tRPC alone has no limit, and loses the reason where a signal
 * ends a call.
 */
export function timeoutLink<Router extends AnyRouter>({ limitMs, after, signal }: TimeLimit): TRPCLink<Router> {
  return () =>
    ({ op, next }) =>
      observable((observer) => {
        const ms = timeoutOf(op.context) ?? limitMs;
        const controller = new AbortController();
        const abort = (): void => controller.abort();
        const cancel = after(ms, () => {
          observer.error(TRPCClientError.from(new TrestleError({ code: 'timeout', limitMs: ms })));
          abort();
        });
        // Listeners that are taken off again: signals joined with `AbortSignal.any` would stay with a signal that lives on.
        const sources = [signal, op.signal].filter((source) => source != null);
        for (const source of sources) source.addEventListener('abort', abort);
        if (sources.some(({ aborted }) => aborted)) abort();
        const subscription = next({ ...op, signal: controller.signal }).subscribe(observer);
        return () => {
          cancel();
          for (const source of sources) source.removeEventListener('abort', abort);
          subscription.unsubscribe();
        };
      });
}

function timeoutOf(context: Readonly<Record<string, unknown>>): number | undefined {
  const { timeoutMs } = context;
  return typeof timeoutMs === 'number' ? timeoutMs : undefined;
}
