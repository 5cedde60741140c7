import { whyOf } from '../../client/failure.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { Clock, Logger, Random } from '../ports.js';
import type { Dialer } from './dialer.js';
import type { PeerBook } from './peerBook.js';
import type { PeerUrl } from './peerUrl.js';

/** How many addresses are asked in one round, all at once. */
export interface Care {
  /** Of those that others told of: who answers comes among the tried (feelers, as Heilman et al. 2015 call them). */
  readonly untried: number;
  /** Of those that have answered before, the longest unchecked first. */
  readonly tried: number;
}

/** A node looks at one of each: its book should be true, and nobody wants to be asked by everybody all the time. */
export const NODE_CARE: Care = { untried: 1, tried: 1 };
/** To know who answers is what a directory is for. Its whole book is through after 150 rounds at most. */
export const DIRECTORY_CARE: Care = { untried: 16, tried: 16 };

/** What the keeper needs. */
export interface KeeperParts {
  readonly genesis: BlockHash;
  readonly book: PeerBook;
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly care: Care;
  /** Between two rounds, on average: half of it is left to chance, so that nobody is asked by many at one moment. */
  readonly everyMs: number;
  /** Whether this node reaches nobody now: then it is not the others' fault that they do not answer. */
  readonly isAlone: () => boolean;
  /** Addresses that need no check: our own, and those of peers, which are pinged anyway. */
  readonly exclude: (url: PeerUrl) => boolean;
  /** Aborts when the process stops. */
  readonly signal: AbortSignal;
}

/**
 * Checks on a timer that nodes in the book answer and belong to this network: what is handed on to others should be true,
 * and what is dialled after the next start should be there. Where an address of the tried table is to make room for
 * another, it asks there first.
 */
export class BookKeeper {
  readonly #parts: KeeperParts;
  #cancel = (): void => {};
  #round: Promise<void> = Promise.resolve();

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  start(): void {
    const { clock, random, everyMs, log, signal } = this.#parts;
    if (signal.aborted) return;
    this.#cancel = clock.after((everyMs * 3) / 4 + random.below(Math.ceil(everyMs / 2)), () => {
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
    const { book, care, exclude } = this.#parts;
    const contested = book.contests().map(({ incumbent }) => incumbent);
    const urls = [...contested, ...book.untried(care.untried, exclude), ...book.unchecked(care.tried, exclude)];
    await Promise.all([...new Set(urls)].map((url) => this.#checkOne(url)));
  }

  async #checkOne(url: PeerUrl): Promise<void> {
    const { book, genesis, log, signal } = this.#parts;
    const answered = await this.#genesisOf(url);
    if (signal.aborted) return;
    // What is written here may fail for want of room: our disk says nothing of whether the node answers.
    if (answered === genesis) return book.succeeded(url);
    if (answered === undefined) return book.failed(url, this.#parts.isAlone());
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
