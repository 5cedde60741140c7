import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Requests of one connection that may be under way. Clients send the next one when the last is answered; whoever sends
 * a thousand at once has them all begun in one turn of the event loop, and everybody else waits for seconds.
 */
const MAX_PIPELINED = 8;
/** A body in so many pieces that hold so little each is sent to keep the loop busy: each piece costs the same work. */
const MAX_CRUMBS = 2_000;
const CRUMB_BYTES = 32;

/** Watches what connections ask of the event loop, and closes those that ask for more than any client would. */
export class FloodGate {
  readonly #underWay = new WeakMap<Socket, number>();

  /** Whether a request is to be answered. The connection of one that is not is closed. */
  admits({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const count = (this.#underWay.get(socket) ?? 0) + 1;
    // What was read together with the last request is still handed over after the connection is closed.
    if (socket.destroyed || count > MAX_PIPELINED) {
      socket.destroy();
      return false;
    }
    this.#underWay.set(socket, count);
    response.once('close', () => this.#underWay.set(socket, (this.#underWay.get(socket) ?? 1) - 1));
    return true;
  }
}

/** Closes the connection of a body in crumbs. Counting sets the body flowing: whoever reads it must be listening already. */
export function refuseCrumbs(request: IncomingMessage): void {
  let [pieces, bytes] = [0, 0];
  request.on('data', (piece: Buffer) => {
    pieces += 1;
    bytes += piece.length;
    if (pieces > MAX_CRUMBS && bytes < pieces * CRUMB_BYTES) request.destroy();
  });
}
