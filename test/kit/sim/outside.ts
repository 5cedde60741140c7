import { connectionError } from './connectionError.js';
import { LastingStream } from './lastingStream.js';
import type { Lifeline } from './lifeline.js';
import type { Scheduler } from './scheduler.js';
import type { Serve } from './simListen.js';

/** Whoever runs the network calls from the machine itself. */
const LOOPBACK = '127.0.0.1';

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
  readonly #subscriptions = new Set<LastingStream>();

  constructor(callee: Callee) {
    this.#callee = callee;
  }

  /** Fits where `fetch` is asked for. */
  async fetch(input: Parameters<typeof fetch>[0], init: RequestInit | undefined): Promise<Response> {
    const request = new Request(input, init);
    const { scheduler } = this.#callee;
    if (request.headers.get('accept') !== 'text/event-stream') return scheduler.during(this.#ask(request));
    return this.#subscribe(request);
  }

  /** Ends every subscription. */
  close(): void {
    for (const stream of [...this.#subscriptions]) stream.close();
  }

  /** One call to the process that runs now. It breaks when the process dies, and a subscription while it is open. */
  #ask(request: Request): Promise<Response> {
    const { scheduler, current, note } = this.#callee;
    return new Promise((resolve, reject) => {
      scheduler.after(0, () => {
        note(`asked from outside  ${new URL(request.url).pathname.slice('/trpc/'.length)}`);
        const callee = current();
        if (callee === undefined || request.signal.aborted) return reject(connectionError('ECONNREFUSED'));
        const controller = new AbortController();
        const breakOff = (): void => {
          forget();
          controller.abort();
          reject(connectionError('ECONNREFUSED'));
        };
        const forgetDeath = callee.lifeline.onDeath(breakOff);
        const forget = (): void => {
          forgetDeath();
          request.signal.removeEventListener('abort', breakOff);
        };
        request.signal.addEventListener('abort', breakOff);
        const asked = new Request(request.clone(), { signal: controller.signal });
        const answered = (response: Response): void => {
          if (!isStream(response)) forget();
          resolve(response);
        };
        callee.lifeline.enter(() => {
          void callee.serve(asked, LOOPBACK).then(answered, (error: unknown) => {
            forget();
            reject(error);
          });
        });
      });
    });
  }

  /** One stream for the client, over however many processes. Its end is the end of the call that feeds it. */
  async #subscribe(request: Request): Promise<Response> {
    const { scheduler } = this.#callee;
    const ending = new AbortController();
    const ask = (headers: Headers): Promise<Response> =>
      this.#ask(new Request(request.url, { headers, signal: ending.signal }));
    // A node that is down is no failure yet. To the client's library it would be one, which it repeats in real time.
    const first = await scheduler.during(ask(request.headers)).catch(() => undefined);
    if (first !== undefined && (first.body === null || !first.ok)) return first;
    const end = (): void => stream.end();
    const stream = new LastingStream({
      ...{ scheduler, first: first?.body ?? undefined },
      lastId: request.headers.get('last-event-id') ?? undefined,
      ask: async (lastId) => {
        const headers = new Headers(request.headers);
        if (lastId !== undefined) headers.set('last-event-id', lastId);
        const { ok, body } = await ask(headers);
        return ok && body !== null ? body : undefined;
      },
      onEnd: () => {
        request.signal.removeEventListener('abort', end);
        this.#subscriptions.delete(stream);
        ending.abort();
      },
    });
    this.#subscriptions.add(stream);
    request.signal.addEventListener('abort', end);
    if (request.signal.aborted) stream.end();
    return new Response(stream.readable, { status: 200, headers: { 'content-type': 'text/event-stream' } });
  }
}

function isStream({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') ?? false;
}
