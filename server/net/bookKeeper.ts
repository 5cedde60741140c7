import { reasonOf } from '../../client/failure.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { Clock, Logger } from '../ports.js';
import type { Dialer } from './dialer.js';
import type { PeerBook } from './peerBook.js';
import type { PeerUrl } from './peerUrl.js';

/** Addresses asked at once. */
const BATCH = 16;

/** What the keeper needs. */
export interface KeeperParts {
  readonly genesis: BlockHash;
  readonly book: PeerBook;
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly everyMs: number;
}

/** Checks on a timer that the nodes in a directory's book still answer and still belong to its network. */
export class BookKeeper {
  readonly #parts: KeeperParts;
  #cancel = (): void => {};
  #stopped = false;
  #round: Promise<void> = Promise.resolve();

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#stopped) return;
    this.#cancel = this.#parts.clock.after(this.#parts.everyMs, () => {
      this.#round = this.#check()
        .catch((error: unknown) => this.#parts.log.error('the check of known nodes failed', { error: String(error) }))
        .then(() => this.start());
    });
  }

  async close(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#round;
  }

  async #check(): Promise<void> {
    const due = this.#parts.book.due(Number.POSITIVE_INFINITY, () => false);
    for (let start = 0; start < due.length && !this.#stopped; start += BATCH)
      await Promise.all(due.slice(start, start + BATCH).map((url) => this.#checkOne(url)));
  }

  async #checkOne(url: PeerUrl): Promise<void> {
    const { book, dialer, genesis, log } = this.#parts;
    try {
      const answer = await dialer.dial(url).node.ping.query();
      if (answer.genesis === genesis) return await book.succeeded(url);
      log.info('a node has gone over to another network', { url });
      await book.forget(url);
    } catch (error) {
      if (this.#stopped) return;
      log.debug('a node does not answer', { url, why: reasonOf(error)?.code ?? String(error) });
      await book.failed(url);
    }
  }
}
