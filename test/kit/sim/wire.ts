import type { Client } from '../../../client/createClient.js';
import type { Fetch } from '../../../client/links.js';
import { createPeerClient } from '../../../client/peerClient.js';
import type { OpenStream } from '../../../client/streamLink.js';
import type { After } from '../../../client/time.js';
import { type Dialer, type DialOptions, MAX_ANSWER_BYTES, PEER_TIMEOUT_MS } from '../../../server/net/dialer.js';
import { hostOf, type PeerUrl } from '../../../server/net/peerUrl.js';
import type { Cancel } from '../../../server/ports.js';
import { TrestleError } from '../../../shared/errors.js';
import { type ConnectionFault, connectionError } from './connectionError.js';
import type { Lifeline } from './lifeline.js';
import type { Links } from './links.js';
import type { Scheduler } from './scheduler.js';
import { sumOf, type Trace } from './trace.js';
import { type Carrier, openWireStream } from './wireStream.js';

/** A request, as far as a simulated network carries it. */
export interface WireRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly remoteAddress: string;
  /** Aborts where whoever asked has gone. */
  readonly signal: AbortSignal;
}

/** What is sent back. */
export interface WireResponse {
  readonly status: number;
  readonly body: string;
}

/** A machine on the simulated network. */
export interface Station {
  readonly name: string;
  /** Its IP address, by which everybody calls it. */
  readonly address: string;
  /** The process that runs there now; `undefined` where none does. */
  readonly lifeline: Lifeline | undefined;
  /** Answers a request; `undefined` where nothing listens. */
  readonly answer: ((request: WireRequest) => Promise<WireResponse>) | undefined;
  /** Opens a subscription; left out where there are none. */
  readonly stream?: ((request: WireRequest) => Promise<WireStream>) | undefined;
}

/** A subscription as it is sent back: whole events, one after the other. */
export interface WireStream {
  readonly ok: boolean;
  readonly events: AsyncIterable<string>;
}

/** A question or an answer, as it is sent: whether it arrives shows later. */
export interface Message {
  readonly kind: 'question' | 'answer';
  readonly from: string;
  readonly to: string;
  /** The procedure, such as `block.raw`. */
  readonly path: string;
  readonly body: string;
}

/** What calls travel over. */
export interface WireParts {
  readonly scheduler: Scheduler;
  readonly links: Links;
  readonly trace: Trace;
}

/** A process that calls. */
export interface Caller {
  readonly lifeline: Lifeline;
  /** Ends every call when it aborts. */
  readonly signal: AbortSignal;
}

interface Sent {
  readonly from: Station;
  readonly lifeline: Lifeline;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal | undefined;
}

interface Call {
  readonly from: Station;
  readonly to: Station;
  /** The procedure, for the trace. */
  readonly path: string;
  readonly request: WireRequest;
  readonly settle: (response: WireResponse) => void;
  readonly fail: (error: Error) => void;
}

/**
 * Carries calls between machines: the real client and the real router at both ends, real serialization in between, and
 * every message an event of its own that may be late, lost or doubled.
 */
export class Wire {
  readonly #parts: WireParts;
  readonly #stations = new Map<string, Station>();
  readonly #listeners = new Set<(message: Message) => void>();
  #inFlight = 0;

  constructor(parts: WireParts) {
    this.#parts = parts;
  }

  /** Messages that are on their way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Hears every message when it is sent; answers how to end that. */
  listen(listener: (message: Message) => void): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets what is on its way, when whatever was to happen is forgotten. */
  clear(): void {
    this.#inFlight = 0;
  }

  join(station: Station): void {
    this.#stations.set(station.address, station);
  }

  leave(station: Station): void {
    this.#stations.delete(station.address);
  }

  /** How a process on a machine calls others. */
  dialer(from: Station, { lifeline, signal }: Caller): Dialer {
    return {
      dial: (url, options = {}) => this.#client(url, { from, lifeline, signal, options }),
      resolve: async (url) => [hostOf(url)],
      close: async () => {},
    };
  }

  #client(
    url: PeerUrl,
    { from, lifeline, signal: end, options }: Caller & { from: Station; options: DialOptions },
  ): Client {
    const { session = () => undefined, timeoutMs = PEER_TIMEOUT_MS, maxBytes = MAX_ANSWER_BYTES } = options;
    const fetch: Fetch = async (input, init) => {
      const headers = Object.fromEntries(new Headers(init?.headers).entries());
      const body = typeof init?.body === 'string' ? init.body : '';
      const signal = init?.signal ?? undefined;
      const response = await this.#send({ url: String(input), headers, body, from, lifeline, signal });
      if (response.body.length > maxBytes) throw new TrestleError({ code: 'too-large', limit: maxBytes });
      return answerOf(response);
    };
    const after: After = (ms, action) => lifeline.after(ms, action);
    const openStream: OpenStream = async (input, { headers, signal }) =>
      openWireStream({ url: input, headers: { ...headers }, from, lifeline, signal }, this.#carrier);
    return createPeerClient({ url, fetch, openStream, timeoutMs, after, signal: end, session });
  }

  /** What carries the events of a subscription. */
  readonly #carrier: Carrier = {
    at: (address) => this.#stations.get(address) ?? nobodyAt(address),
    note: (at, what) => this.#note(at, what),
    travel: (from, to, message) => this.#travel(from, to, message),
  };

  #send({ from, lifeline, signal, ...sent }: Sent): Promise<WireResponse> {
    const { hostname, pathname } = new URL(sent.url);
    const to = this.#stations.get(hostname) ?? nobodyAt(hostname);
    return new Promise((resolve, reject) => {
      const gone = new AbortController();
      // Whoever asked may have called it off, or may be dead: then the other side learns it, if it can.
      const hangUp = (): void => {
        cleanUp();
        this.#travel(from, to, { bytes: 0, arrived: () => gone.abort(), broken: () => {} });
      };
      const abort = (): void => {
        hangUp();
        reject(new DOMException('the call was called off', 'AbortError'));
      };
      const forget = lifeline.onDeath(hangUp);
      const cleanUp = (): void => {
        forget();
        signal?.removeEventListener('abort', abort);
      };
      const end = (then: () => void): void =>
        lifeline.enter(() => {
          cleanUp();
          then();
        });
      const call: Call = {
        from,
        to,
        path: pathname.slice(pathname.lastIndexOf('/') + 1),
        request: { ...sent, remoteAddress: from.address, signal: gone.signal },
        settle: (response) => end(() => resolve(response)),
        fail: (error) => end(() => reject(error)),
      };
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort);
      this.#tell({ kind: 'question', from: from.name, to: to.name, path: call.path, body: sent.body });
      this.#travel(from, to, {
        bytes: sent.body.length,
        arrived: () => this.#arrive(call),
        broken: () => call.fail(connectionError('ECONNRESET')),
        mayRepeat: true,
      });
    });
  }

  #arrive(call: Call): void {
    const { from, to, path, request } = call;
    this.#note(to, `${from.name} -> ${to.name}  ${path}  ${request.body.length} B ${sumOf(request.body)}`);
    const { lifeline, answer } = to;
    if (lifeline === undefined || answer === undefined) {
      this.#refuse(call, 'ECONNREFUSED');
      return;
    }
    // A process that dies with the question in hand breaks the connection.
    const forget = lifeline.onDeath(() => this.#refuse(call, 'ECONNRESET'));
    lifeline.enter(() => {
      void answer(request).then((response) =>
        lifeline.enter(() => {
          forget();
          this.#answer(call, response);
        }),
      );
    });
  }

  #answer(call: Call, response: WireResponse): void {
    const { from, to, path } = call;
    this.#tell({ kind: 'answer', from: to.name, to: from.name, path, body: response.body });
    this.#travel(to, from, {
      bytes: response.body.length,
      arrived: () => {
        const { status, body } = response;
        this.#note(from, `${to.name} => ${from.name}  ${path}  ${status} ${body.length} B ${sumOf(body)}`);
        call.settle(response);
      },
      broken: () => call.fail(connectionError('ECONNRESET')),
    });
  }

  #refuse(call: Call, code: ConnectionFault): void {
    const fail = (): void => call.fail(connectionError(code));
    this.#travel(call.to, call.from, { bytes: 0, arrived: fail, broken: fail });
  }

  /** Sends one message; what becomes of it is drawn when it starts, and whether the way is open is asked again when it arrives. */
  #travel(
    from: Station,
    to: Station,
    message: { bytes: number; arrived: () => void; broken: () => void; mayRepeat?: boolean },
  ): void {
    const { scheduler, links } = this.#parts;
    const passage = links.send({ from: from.name, to: to.name, bytes: message.bytes, now: scheduler.now });
    if (passage.kind === 'lost') return;
    const schedule = (afterMs: number, then: () => void): void => {
      this.#inFlight += 1;
      scheduler.after(afterMs, () => {
        this.#inFlight -= 1;
        if (!links.routes.isCut(from.name, to.name)) then();
      });
    };
    schedule(passage.afterMs, passage.kind === 'broken' ? message.broken : message.arrived);
    if (passage.kind !== 'arrives' || passage.again === undefined || !message.mayRepeat) return;
    links.counts.doubled += 1;
    schedule(passage.again, message.arrived);
  }

  #tell(message: Message): void {
    for (const listener of this.#listeners) listener(message);
  }

  #note(at: Station, what: string): void {
    const { trace, scheduler } = this.#parts;
    trace.add(scheduler.now, at.name, what);
  }
}

/** What the client reads of a `Response`, without the streams that a real one is made of: they cost more than the rest of it. */
function answerOf({ status, body }: WireResponse): Awaited<ReturnType<Fetch>> {
  return {
    ok: status < 300,
    json: async (): Promise<unknown> => JSON.parse(body),
  };
}

function nobodyAt(address: string): Station {
  return { name: address, address, lifeline: undefined, answer: undefined };
}
