import type { Cancel } from '../../../server/ports.js';
import type { Scheduler } from './scheduler.js';

/** How long a subscription whose node has gone waits before it tries again. */
const RECONNECT_MS = 1_000;
/** What ends a subscription for good, as the server itself would. */
const END_OF_STREAM = 'event: return\ndata: \n\n';
const LAST_ID = /(?:^|\n)id: (.*)\n/g;

/** What a lasting stream is made of. */
export interface LastingStreamParts {
  readonly scheduler: Scheduler;
  /** What feeds it at first; `undefined` where the node is down. */
  readonly first: ReadableStream<Uint8Array> | undefined;
  /** The last event that the client has seen. */
  readonly lastId: string | undefined;
  /** Asks the process that runs then for what came after an event; no body where it will not say. */
  readonly ask: (lastId: string | undefined) => Promise<ReadableStream<Uint8Array> | undefined>;
  /** Whoever reads has gone, or it has been closed. */
  readonly onEnd: () => void;
}

/** One stream of events for a client, over however many processes feed it: each takes up where the one before it broke off. */
export class LastingStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #parts: LastingStreamParts;
  #lastId: string | undefined;
  #isOver = false;
  /** Ends what is under way: the wait, or the reading. */
  #stop: Cancel = () => {};
  #out: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(parts: LastingStreamParts) {
    this.#parts = parts;
    this.#lastId = parts.lastId;
    this.readable = new ReadableStream<Uint8Array>({
      start: (out) => {
        this.#out = out;
        this.#follow(parts.first);
      },
      cancel: () => this.end(),
    });
  }

  /** Ends it as the server would: the client does not come back. */
  close(): void {
    if (this.#isOver) return;
    this.#out?.enqueue(new TextEncoder().encode(END_OF_STREAM));
    this.end();
    this.#out?.close();
  }

  /** Ends it where nobody reads it any more. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stop();
    this.#parts.onEnd();
  }

  /** Feeds on what one process sends until that breaks off, then waits for the next. */
  #follow(body: ReadableStream<Uint8Array> | undefined): void {
    const again = (): void => {
      if (!this.#isOver) this.#askLater();
    };
    if (body === undefined) again();
    else this.#feed(body).then(again, again);
  }

  async #feed(body: ReadableStream<Uint8Array>): Promise<void> {
    const reader = body.getReader();
    const stop = (): void => void reader.cancel().catch(() => {});
    this.#stop = stop;
    if (this.#isOver) return stop();
    for (let part = await reader.read(); !part.done && !this.#isOver; part = await reader.read()) {
      this.#lastId = lastIdIn(part.value) ?? this.#lastId;
      this.#out?.enqueue(part.value);
    }
  }

  #askLater(): void {
    this.#stop = this.#parts.scheduler.after(RECONNECT_MS, () => {
      this.#parts.ask(this.#lastId).then(
        (body) => this.#follow(body),
        () => this.#follow(undefined),
      );
    });
  }
}

function lastIdIn(bytes: Uint8Array): string | undefined {
  return Array.from(new TextDecoder().decode(bytes).matchAll(LAST_ID)).at(-1)?.[1];
}
