import type { Socket } from 'node:net';
import { addressKey } from '../net/addressKey.js';
import type { Door } from './admission.js';

/** Counts the connections of each address, and closes those that the door does not let in. */
export class Connections {
  readonly #door: Door;
  readonly #open = new Map<string, number>();

  constructor(door: Door) {
    this.#door = door;
  }

  /** Whether a connection that was opened may stay; one that may not is closed. */
  take(socket: Socket): boolean {
    const { remoteAddress } = socket;
    // It is gone already.
    if (remoteAddress === undefined) return false;
    const key = addressKey(remoteAddress);
    const open = this.#open.get(key) ?? 0;
    if (!this.#door.mayConnect(remoteAddress, open)) {
      socket.destroy();
      return false;
    }
    this.#open.set(key, open + 1);
    socket.once('close', () => {
      const left = (this.#open.get(key) ?? 1) - 1;
      if (left === 0) this.#open.delete(key);
      else this.#open.set(key, left);
    });
    return true;
  }
}
