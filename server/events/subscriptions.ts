import { TrestleError } from '../../shared/errors.js';

/** Streams that may stand at once. Each holds a connection; HTTP allows 512 of those. */
export const MAX_SUBSCRIPTIONS = 128;
/** Streams that one address may hold, so that one client does not take everybody's. */
export const MAX_SUBSCRIPTIONS_PER_ADDRESS = 32;

/** Who subscribes. */
export interface Subscriber {
  readonly remoteAddress: string;
  /** Aborts when the caller is gone. */
  readonly signal: AbortSignal | undefined;
}

/** Counts the subscriptions that stand, and refuses more than there is room for with `busy`. */
export class Subscriptions {
  readonly #byAddress = new Map<string, number>();
  #count = 0;

  /**
   * Takes a place for a stream of events, until it ends or its caller goes away: one that nobody ever reads must not keep
   * its place for good.
   */
  open<Event>({ remoteAddress, signal }: Subscriber, events: AsyncIterable<Event>): AsyncGenerator<Event> {
    const own = this.#byAddress.get(remoteAddress) ?? 0;
    if (this.#count >= MAX_SUBSCRIPTIONS || own >= MAX_SUBSCRIPTIONS_PER_ADDRESS)
      throw new TrestleError({ code: 'busy', detail: 'too many subscriptions' });
    this.#change(remoteAddress, 1);
    let release = (): void => {
      release = () => {};
      this.#change(remoteAddress, -1);
    };
    signal?.addEventListener('abort', () => release(), { once: true });
    return untilEnd(events, () => release());
  }

  #change(remoteAddress: string, by: 1 | -1): void {
    const own = (this.#byAddress.get(remoteAddress) ?? 0) + by;
    if (own === 0) this.#byAddress.delete(remoteAddress);
    else this.#byAddress.set(remoteAddress, own);
    this.#count += by;
  }
}

async function* untilEnd<Event>(events: AsyncIterable<Event>, ended: () => void): AsyncGenerator<Event> {
  try {
    yield* events;
  } finally {
    ended();
  }
}
