import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** One line of what happened. */
export interface TraceLine {
  /** Virtual milliseconds. */
  readonly at: number;
  /** The node it happened at; `net` for what concerns all. */
  readonly where: string;
  readonly what: string;
}

/** What a trace is made with. */
export interface TraceOptions {
  /** Told of every line; without, lines only go into the hash. */
  readonly onLine?: ((line: TraceLine) => void) | undefined;
}

/**
 * What happened, in order, as a chain of hashes: two runs with the same hash did the same, message for message.
 */
export class Trace {
  readonly #hash = createHash('sha256');
  readonly #onLine: ((line: TraceLine) => void) | undefined;
  #lines = 0;

  constructor({ onLine }: TraceOptions) {
    this.#onLine = onLine;
  }

  get lines(): number {
    return this.#lines;
  }

  add(at: number, where: string, what: string): void {
    this.#lines += 1;
    this.#hash.update(`${at} ${where} ${what}\n`);
    this.#onLine?.({ at, where, what });
  }

  /** The hash of everything up to now. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }
}

/** A line as people read it: the time in seconds, the node, what happened. */
export function formatLine({ at, where, what }: TraceLine): string {
  return `${(at / 1000).toFixed(3).padStart(10)}  ${where.padEnd(6)}  ${what}`;
}

/** The sum of a message's text, for the trace: it tells whether two runs sent the same. */
export function sumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
