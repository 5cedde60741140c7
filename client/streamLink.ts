import { TRPCClientError, type TRPCLink } from '@trpc/client';
import { observable } from '@trpc/server/observable';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type * as z from 'zod';
import { TrestleError } from '../shared/errors.js';
import { blockChange, transactionChange } from '../shared/rpc/events.js';
import type { AppRouter } from '../shared/rpc/router.js';
import { transformer } from '../shared/rpc/transformer.js';
import type { After } from './time.js';

/** The most characters of one event: ours have three hundred. */
const MAX_EVENT = 4_096;
/** A peer says every ten seconds that it is alive; who says nothing for this long is not. */
const SILENCE_MS = 25_000;

/** Bytes as they come. */
export interface ByteStream {
  readonly ok: boolean;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Opens a stream by GET. Must refuse redirects. */
export type OpenStream = (
  url: string,
  how: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
) => Promise<ByteStream>;

/** How a peer's subscriptions are heard. */
export interface StreamOptions {
  readonly url: string;
  readonly open: OpenStream;
  readonly headers: () => Record<string, string>;
  readonly after: After;
  /** Ends every subscription when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** What the events of each subscription are held against. */
const EVENTS: Readonly<Record<string, z.ZodType>> = {
  'block.onChange': blockChange,
  'transaction.onChange': transactionChange,
};

/**
 * Hears a peer's subscriptions as hostile input: each event has a limit and is held against its schema, and a peer that
 * falls silent is given up. It does not reconnect by itself, as the library's own link does on timers of its own: whoever
 * subscribes knows when the peer is worth another try.
 */
export function streamLink({ url, open, headers, after, signal }: StreamOptions): TRPCLink<AppRouter> {
  return () =>
    ({ op }) =>
      observable((observer) => {
        const controller = new AbortController();
        const abort = (): void => controller.abort();
        let cancelSilence = (): void => {};
        const fail = (reason: TrestleError): void => {
          observer.error(TRPCClientError.from(reason));
          abort();
        };
        const unreachable = (detail: string): TrestleError =>
          new TrestleError({ code: 'peer-unreachable', url, detail });
        const heed = (): void => {
          cancelSilence();
          cancelSilence = after(SILENCE_MS, () => fail(unreachable('the subscription fell silent')));
        };
        const lied = (detail: string): void =>
          fail(new TrestleError({ code: 'peer-protocol', url, detail: `${op.path}: ${detail}` }));
        const parser = createParser({
          maxBufferSize: MAX_EVENT,
          onEvent(message) {
            if (controller.signal.aborted) return;
            // Of the events with a name the end and the failure tell something; the rest says that the peer lives.
            if (message.event === 'return') return observer.complete();
            if (message.event === 'serialized-error') return fail(unreachable('the subscription failed'));
            if (message.event !== undefined) return;
            const event = eventOf(op.path, message);
            if (event === undefined) return lied('no such event');
            observer.next({ result: { type: 'data', data: { id: message.id ?? '', data: event } } });
          },
          onError({ type }) {
            if (type === 'max-buffer-size-exceeded') lied('an event without end');
          },
        });
        const read = async (): Promise<void> => {
          heed();
          const input = encodeURIComponent(JSON.stringify(transformer.serialize(op.input)));
          const accept = { accept: 'text/event-stream', ...headers() };
          const stream = await open(`${url}/trpc/${op.path}?input=${input}`, {
            headers: accept,
            signal: controller.signal,
          });
          if (!stream.ok) return fail(unreachable('the subscription was refused'));
          const decoder = new TextDecoder();
          for await (const chunk of stream.body) {
            heed();
            parser.feed(decoder.decode(chunk, { stream: true }));
            if (controller.signal.aborted) return;
          }
          observer.complete();
        };
        signal?.addEventListener('abort', abort);
        if (signal?.aborted) abort();
        read()
          .catch((error: unknown) => fail(unreachable(String(error))))
          .finally(() => cancelSilence());
        return () => {
          abort();
          cancelSilence();
          signal?.removeEventListener('abort', abort);
        };
      });
}

/** An event as the contract promises it; `undefined` where it is something else. */
function eventOf(path: string, { data }: EventSourceMessage): unknown {
  try {
    const checked = EVENTS[path]?.safeParse(transformer.deserialize(JSON.parse(data)));
    return checked?.success ? checked.data : undefined;
  } catch {
    return undefined;
  }
}
