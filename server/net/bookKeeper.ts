import { whyOf } from '../../client/failure.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { Clock, Logger } from '../ports.js';
import type { Dialer } from './dialer.js';
import type { PeerBook } from './peerBook.js';
import type { PeerUrl } from './peerUrl.js';

/** Addresses asked in one round, all at once. A book of a thousand is through after so many rounds as that takes. */
const PER_ROUND = 32;

/** What the keeper needs. */
export interface KeeperParts {
  readonly genesis: BlockHash;
  readonly book: PeerBook;
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly everyMs: number;
  /** Addresses that need no check: our own, and those of peers, which are pinged anyway. */
  readonly exclude: (url: PeerUrl) => boolean;
  /** Aborts when the process stops. */
  readonly signal: AbortSignal;
}

/**
 * Checks on a timer that the nodes in the book still answer and still belong to this network, the longest unchecked
 * first: what is handed on to others should be true.
 */
export class BookKeeper {
  readonly #parts: KeeperParts;
  #cancel = (): void => {};
  #round: Promise<void> = Promise.resolve();

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  start(): void {
    const { clock, everyMs, log, signal } = this.#parts;
    if (signal.aborted) return;
    this.#cancel = clock.after(everyMs, () => {
      this.#round = this.#check()
        .catch((error: unknown) => log.error('the check of known nodes failed', { error: String(error) }))
        .then(() => this.start());
    });
  }

  async close(): Promise<void> {
    this.#cancel();
    await this.#round;
  }

  async #check(): Promise<void> {
    const { book, exclude } = this.#parts;
    await Promise.all(book.unchecked(PER_ROUND, exclude).map((url) => this.#checkOne(url)));
  }

  async #checkOne(url: PeerUrl): Promise<void> {
    const { book, genesis, log, signal } = this.#parts;
    const answered = await this.#genesisOf(url);
    if (signal.aborted) return;
    // What is written here may fail for want of room: our disk says nothing of whether the node answers.
    if (answered === genesis) return book.succeeded(url);
    if (answered === undefined) return book.failed(url);
    log.info('a node has gone over to another network', { url });
    await book.forget(url);
  }

  /** The genesis that a node names; `undefined` where it does not answer. */
  async #genesisOf(url: PeerUrl): Promise<BlockHash | undefined> {
    const { dialer, log, signal } = this.#parts;
    try {
      return (await dialer.dial(url).node.ping.query()).genesis;
    } catch (error) {
      if (!signal.aborted) log.debug('a known node does not answer', { url, why: whyOf(error) });
      return undefined;
    }
  }
}
