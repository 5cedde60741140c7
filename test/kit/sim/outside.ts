import type { Lifeline } from './lifeline.js';
import type { Scheduler } from './scheduler.js';
import type { Serve } from './simListen.js';

/** Whoever runs the network calls from the machine itself. */
const LOOPBACK = '127.0.0.1';
/** How long a subscription whose node has gone waits before it tries again. */
const RECONNECT_MS = 1_000;
/** What ends a subscription for good, as the server itself would. */
const END_OF_STREAM = 'event: return\ndata: \n\n';
const LAST_ID = /(?:^|\n)id: (.*)\n/g;

/** What there is to call. */
export interface Callee {
  readonly scheduler: Scheduler;
  /** The process and what answers in it now; `undefined` where the node is down. */
  readonly current: () => { readonly lifeline: Lifeline; readonly serve: Serve } | undefined;
  readonly note: (what: string) => void;
}

/**
 * Calls to a simulated node by whoever runs the network. They take no time on the way, and virtual time goes by until
 * they are answered. A subscription comes back in virtual time when its node does, with the last event it saw.
 */
export class Outside {
  readonly #callee: Callee;
  readonly #subscriptions = new Set<() => void>();

  constructor(callee: Callee) {
    this.#callee = callee;
  }

  /** Fits where `fetch` is asked for. */
  async fetch(input: Parameters<typeof fetch>[0], init: RequestInit | undefined): Promise<Response> {
    const request = new Request(input, init);
    const { scheduler } = this.#callee;
    if (request.headers.get('accept') !== 'text/event-stream') return scheduler.during(this.#ask(request).response);
    // A node that is down is no failure yet. To the client's library it would be one, which it repeats in real time.
    const first = await scheduler.during(this.#ask(request).response).catch(() => undefined);
    if (first !== undefined && (first.body === null || !first.ok)) return first;
    const headers = { 'content-type': 'text/event-stream' };
    return new Response(this.#lasting(request, first?.body ?? undefined), { status: 200, headers });
  }

  /** Ends every subscription. */
  close(): void {
    for (const end of [...this.#subscriptions]) end();
  }

  /** One call to the process that runs now. It breaks when the process dies. */
  #ask(request: Request): { readonly response: Promise<Response>; readonly hangUp: () => void } {
    const { scheduler, current, note } = this.#callee;
    const controller = new AbortController();
    const hangUp = (): void => controller.abort();
    const response = new Promise<Response>((resolve, reject) => {
      scheduler.after(0, () => {
        note(`asked from outside  ${new URL(request.url).pathname.slice('/trpc/'.length)}`);
        const callee = current();
        if (callee === undefined || request.signal.aborted) return reject(refused());
        callee.lifeline.onDeath(() => {
          hangUp();
          reject(refused());
        });
        request.signal.addEventListener('abort', hangUp);
        controller.signal.addEventListener('abort', () => reject(refused()));
        const asked = new Request(request.clone(), { signal: controller.signal });
        callee.lifeline.enter(() => void callee.serve(asked, LOOPBACK).then(resolve, reject));
      });
    });
    return { response, hangUp };
  }

  /** One stream for the client, over however many processes feed it; fed by the first at once, where there is one. */
  #lasting(request: Request, first: ReadableStream<Uint8Array> | undefined): ReadableStream<Uint8Array> {
    const { scheduler } = this.#callee;
    let lastId = request.headers.get('last-event-id') ?? undefined;
    let isOver = false;
    let stop = (): void => {};
    return new ReadableStream<Uint8Array>({
      start: (out) => {
        const end = (): void => {
          if (isOver) return;
          isOver = true;
          this.#subscriptions.delete(end);
          stop();
        };
        const close = (): void => {
          if (isOver) return;
          out.enqueue(new TextEncoder().encode(END_OF_STREAM));
          end();
          out.close();
        };
        const feed = async (body: ReadableStream<Uint8Array>): Promise<void> => {
          const reader = body.getReader();
          stop = () => void reader.cancel().catch(() => {});
          for (let part = await reader.read(); !part.done && !isOver; part = await reader.read()) {
            lastId = lastIdIn(part.value) ?? lastId;
            out.enqueue(part.value);
          }
        };
        const again = (): void => {
          const cancel = scheduler.after(RECONNECT_MS, () => {
            const headers = new Headers(request.headers);
            if (lastId !== undefined) headers.set('last-event-id', lastId);
            const { response } = this.#ask(new Request(request.url, { headers }));
            response.then(({ ok, body }) => (ok && body !== null ? feed(body) : undefined)).then(retry, retry);
          });
          stop = cancel;
        };
        const retry = (): void => {
          if (!isOver) again();
        };
        request.signal.addEventListener('abort', end);
        this.#subscriptions.add(close);
        if (first === undefined) again();
        else feed(first).then(retry, retry);
      },
      cancel: () => {
        isOver = true;
        stop();
      },
    });
  }
}

function lastIdIn(bytes: Uint8Array): string | undefined {
  return Array.from(new TextDecoder().decode(bytes).matchAll(LAST_ID)).at(-1)?.[1];
}

function refused(): Error {
  return new TypeError('fetch failed', { cause: Object.assign(new Error('ECONNREFUSED'), { code: 'ECONNREFUSED' }) });
}
