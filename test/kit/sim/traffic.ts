import type { Cancel } from '../../../server/ports.js';
import { parseBase64 } from '../../../shared/bytes/base64.js';
import { toHex } from '../../../shared/bytes/hex.js';
import type { Message, Wire } from './wire.js';

/** Text that may be bytes in base64: nothing shorter holds a transaction. */
const BASE64 = /[A-Za-z0-9+/]{80,}={0,2}/g;

/** Listens to a wire and counts what is sent, each direction of each link by itself. Ends when it is disposed of. */
export class Traffic implements Disposable {
  readonly #messages: Message[] = [];
  readonly #end: Cancel;

  constructor(wire: Pick<Wire, 'listen'>) {
    this.#end = wire.listen((message) => this.#messages.push(message));
  }

  /** Characters of all questions and answers. */
  get size(): number {
    return this.#messages.reduce((sum, { body }) => sum + body.length, 0);
  }

  /** How many messages went each way, as `n0>n1`, of one procedure or of all. */
  counts(path?: string): ReadonlyMap<string, number> {
    return countWays(this.#messages.filter((message) => path === undefined || message.path === path));
  }

  /**
   * How often some bytes went each way, whatever they were packed into: a procedure of their own, a list, a block. They
   * are looked for in the bytes that messages hold in base64.
   */
  carrying(bytes: Uint8Array): ReadonlyMap<string, number> {
    return countWays(this.#messages.filter(({ body }) => holds(body, bytes)));
  }

  [Symbol.dispose](): void {
    this.#end();
  }
}

function countWays(messages: readonly Message[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { from, to } of messages) {
    const way = `${from}>${to}`;
    counts.set(way, (counts.get(way) ?? 0) + 1);
  }
  return counts;
}

function holds(body: string, bytes: Uint8Array): boolean {
  const wanted = toHex(bytes);
  return Array.from(body.matchAll(BASE64)).some(([text]) => {
    const held = parseBase64(text);
    return held !== undefined && toHex(held).includes(wanted);
  });
}
