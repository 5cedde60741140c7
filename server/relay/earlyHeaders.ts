import type { Header } from '../../shared/model/header.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { Cancel, Clock } from '../ports.js';

/** Headers kept at once. Each has cost its sender the work of a block, so a full house is a rare guest. */
export const MAX_EARLY = 16;
/** What is further ahead than this is not waited for. */
const MAX_WAIT_MS = 3_600_000;

/** Announced headers from ahead of our clock: not wrong but early, so they are tried again when their time has come. */
export class EarlyHeaders<Source> {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #retry: (header: Header, source: Source) => void;
  readonly #waiting = new Map<BlockHash, Cancel>();

  constructor(clock: Pick<Clock, 'after'>, retry: (header: Header, source: Source) => void) {
    this.#clock = clock;
    this.#retry = retry;
  }

  /** Keeps a header until so many milliseconds have passed. */
  keep(header: Header, source: Source, waitMs: number): void {
    if (this.#waiting.has(header.hash) || this.#waiting.size >= MAX_EARLY || waitMs > MAX_WAIT_MS) return;
    const cancel = this.#clock.after(waitMs, () => {
      this.#waiting.delete(header.hash);
      this.#retry(header, source);
    });
    this.#waiting.set(header.hash, cancel);
  }

  close(): void {
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }
}
