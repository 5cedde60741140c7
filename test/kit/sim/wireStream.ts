import type { ByteStream } from '../../../client/streamLink.js';
import type { Lifeline } from './lifeline.js';
import { sumOf } from './trace.js';
import type { Station, WireRequest } from './wire.js';

/** What a subscription travels over, a message for each event. */
export interface Carrier {
  readonly at: (address: string) => Station;
  readonly note: (at: Station, what: string) => void;
  readonly travel: (
    from: Station,
    to: Station,
    message: { bytes: number; arrived: () => void; broken: () => void },
  ) => void;
}

/** Who subscribes to what. */
interface Opening {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly from: Station;
  readonly lifeline: Lifeline;
  readonly signal: AbortSignal;
}

/**
 * Opens a subscription at another machine. Each event is a message of its own, and they come in order, as over one
 * connection: where one is lost, nothing comes any more, and whoever reads finds out by the silence.
 */
export function openWireStream(opening: Opening, carrier: Carrier): Promise<ByteStream> {
  const { url, headers, from, lifeline, signal } = opening;
  const { hostname, pathname } = new URL(url);
  const to = carrier.at(hostname);
  const path = pathname.slice(pathname.lastIndexOf('/') + 1);
  const gone = new AbortController();
  const inbox = new Inbox();
  const request: WireRequest = { url, headers, body: '', remoteAddress: from.address, signal: gone.signal };
  return new Promise((resolve, reject) => {
    const hangUp = (): void => {
      forget();
      inbox.close();
      carrier.travel(from, to, { bytes: 0, arrived: () => gone.abort(), broken: () => {} });
    };
    const forget = lifeline.onDeath(hangUp);
    const fail = (): void =>
      lifeline.enter(() => {
        inbox.close();
        reject(new TypeError('fetch failed'));
      });
    if (signal.aborted) return fail();
    signal.addEventListener('abort', hangUp, { once: true });
    /** Sends something back, as the next of all that is sent. */
    const back = (sequence: number, arrived: () => void): void =>
      carrier.travel(to, from, {
        bytes: 0,
        arrived: () => lifeline.enter(() => inbox.take(sequence, arrived)),
        broken: fail,
      });
    const serve = async (open: NonNullable<Station['stream']>): Promise<void> => {
      const { ok, events } = await open(request);
      let sequence = 0;
      back(sequence++, () => resolve({ ok, body: inbox.bytes() }));
      for await (const event of events) {
        back(sequence++, () => {
          carrier.note(from, `${to.name} => ${from.name}  ${path}  event ${event.length} B ${sumOf(event)}`);
          inbox.push(event);
        });
      }
      back(sequence, () => inbox.close());
    };
    carrier.travel(from, to, {
      bytes: url.length,
      arrived() {
        carrier.note(to, `${from.name} -> ${to.name}  ${path}  subscribes`);
        const { lifeline: theirs, stream } = to;
        if (theirs === undefined || stream === undefined) return back(0, fail);
        theirs.onDeath(() => carrier.travel(to, from, { bytes: 0, arrived: fail, broken: fail }));
        theirs.enter(() => void serve(stream).catch(() => back(0, fail)));
      },
      broken: fail,
    });
  });
}

/** What has arrived and is not read yet, in the order in which it was sent. */
class Inbox {
  readonly #early = new Map<number, () => void>();
  #next = 0;
  #events: string[] = [];
  #isClosed = false;
  #wake = (): void => {};

  /** Takes what was sent as number `sequence` when all before it has come. */
  take(sequence: number, arrived: () => void): void {
    this.#early.set(sequence, arrived);
    for (let due = this.#early.get(this.#next); due !== undefined; due = this.#early.get(this.#next)) {
      this.#early.delete(this.#next);
      this.#next += 1;
      due();
    }
  }

  push(event: string): void {
    this.#events.push(event);
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const events = this.#events;
      this.#events = [];
      for (const event of events) yield new TextEncoder().encode(event);
      if (this.#events.length > 0) continue;
      if (this.#isClosed) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
