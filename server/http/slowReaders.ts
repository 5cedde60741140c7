import type { Socket } from 'node:net';
import type { Cancel, Clock } from '../ports.js';

/** How often connections with unsent bytes are looked at. */
export const LOOK_MS = 5_000;
/**
 * How many looks in a row may find that nothing more has been taken. The largest answer is one piece to the socket: this
 * is also the time in which it has to be taken, and longer than any client of ours waits.
 */
export const MOST_LOOKS = 6;

interface Watched {
  unsent: number;
  looks: number;
}

/**
 * Closes the connections of those who ask and do not read: each unread answer is kept in memory, five megabytes of it
 * where it is a range of blocks. An answer that waits to be computed is not looked at, only one that waits to be read.
 */
export class SlowReaders {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #watched = new Map<Socket, Watched>();
  #cancel: Cancel | undefined;

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  /** Looks after a connection until it ends. */
  watch(socket: Socket): void {
    this.#watched.set(socket, { unsent: 0, looks: 0 });
    socket.once('close', () => this.#watched.delete(socket));
    this.#cancel ??= this.#clock.after(LOOK_MS, () => this.#look());
  }

  close(): void {
    this.#cancel?.();
    this.#watched.clear();
  }

  #look(): void {
    for (const [socket, watched] of this.#watched) {
      const unsent = socket.writableLength;
      watched.looks = unsent > 0 && unsent >= watched.unsent ? watched.looks + 1 : 0;
      watched.unsent = unsent;
      if (watched.looks > MOST_LOOKS) socket.destroy();
    }
    this.#cancel = this.#watched.size === 0 ? undefined : this.#clock.after(LOOK_MS, () => this.#look());
  }
}
