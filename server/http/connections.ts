import type { Socket } from 'node:net';
import { addressKey } from '../net/addressKey.js';
import type { Door } from './admission.js';

/** Connections of all addresses together. */
export const MAX_CONNECTIONS = 512;

/**
 * Counts the connections of each address, and closes those that the door does not let in. Where all places are taken, the
 * address that holds most of them gives one up, its oldest, to any that would hold fewer.
 */
export class Connections {
  readonly #door: Door;
  readonly #most: number;
  readonly #open = new Map<string, Set<Socket>>();
  #count = 0;

  constructor(door: Door, most = MAX_CONNECTIONS) {
    this.#door = door;
    this.#most = most;
  }

  /** Whether a connection that was opened may stay; one that may not is closed. */
  take(socket: Socket): boolean {
    const { remoteAddress } = socket;
    // It is gone already.
    if (remoteAddress === undefined) return false;
    const key = addressKey(remoteAddress);
    const own = this.#open.get(key) ?? new Set();
    if (!this.#door.mayConnect(remoteAddress, own.size) || !this.#hasPlaceFor(own)) {
      socket.destroy();
      return false;
    }
    this.#open.set(key, own.add(socket));
    this.#count += 1;
    socket.once('close', () => this.#forget(key, socket));
    return true;
  }

  #hasPlaceFor(own: ReadonlySet<Socket>): boolean {
    if (this.#count < this.#most) return true;
    let [key, largest] = ['', own];
    for (const [each, sockets] of this.#open) if (sockets.size > largest.size) [key, largest] = [each, sockets];
    const [oldest] = largest;
    if (oldest === undefined || largest.size <= own.size + 1) return false;
    oldest.destroy();
    this.#forget(key, oldest);
    return true;
  }

  #forget(key: string, socket: Socket): void {
    const sockets = this.#open.get(key);
    // Once when it was made to leave, and once more when it is closed.
    if (sockets?.delete(socket) !== true) return;
    this.#count -= 1;
    if (sockets.size === 0) this.#open.delete(key);
  }
}
