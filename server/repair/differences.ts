import { toHex } from '../../shared/bytes/hex.js';
import { layout } from '../store/layout.js';

/** Differences that are named one by one; of more, only the number is told. */
const NAMED = 1_000;

/** One row, or one thing about the file, that is not what the blocks make it. */
export interface Difference {
  /** The key space, or `file` for LMDB's own structure. */
  readonly space: string;
  /** The key after its prefix, in hex; empty for what is no row. */
  readonly key: string;
  readonly what: 'missing' | 'unexpected' | 'different' | 'unreadable';
  readonly detail: string;
}

/** What a verification has found so far. */
export class Differences {
  readonly #named: Difference[] = [];
  readonly #bySpace = new Map<string, number>();
  #total = 0;

  /** The first of them. */
  get named(): readonly Difference[] {
    return this.#named;
  }

  get total(): number {
    return this.#total;
  }

  /** How many there are in each space. */
  get bySpace(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#bySpace);
  }

  add(difference: Difference): void {
    this.#total += 1;
    this.#bySpace.set(difference.space, (this.#bySpace.get(difference.space) ?? 0) + 1);
    if (this.#named.length < NAMED) this.#named.push(difference);
  }

  /** Notes a row by its stored key, prefix and all. */
  row(key: Uint8Array, what: Difference['what'], detail = ''): void {
    const prefix = key[0] ?? 0;
    const space = Object.values(layout).find((each) => each.prefix === prefix)?.name ?? 'unknown';
    this.add({ space, key: toHex(key.subarray(space === 'unknown' ? 0 : 1)), what, detail });
  }

  /** Notes damage to the file itself. */
  file(detail: string): void {
    this.add({ space: 'file', key: '', what: 'unreadable', detail });
  }
}
