/** Whole numbers above this do not decode as a value. */
export const MAX_VALUE = 2n ** 53n - 1n;
/** The latest timestamp there is. */
export const MAX_TIME = 8_640_000_000_000_000n;
const MAX_COUNT = 2n ** 32n - 1n;

/** The bytes are not what they should be. Thrown within the decoder only: `decoded` turns it into `undefined`. */
class Malformed extends Error {}

/** Reads bytes from front to back. */
export class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get at(): number {
    return this.#at;
  }

  take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) return this.fail();
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }

  /** The bytes from an earlier place up to here. */
  since(start: number): Uint8Array {
    return this.#bytes.slice(start, this.#at);
  }

  u8(): number {
    return Number(this.#little(1));
  }

  u32(): number {
    return Number(this.#little(4));
  }

  u64(): bigint {
    return this.#little(8);
  }

  time(): bigint {
    const time = this.u64();
    return time > MAX_TIME ? this.fail() : time;
  }

  /** LEB128 in its shortest form. */
  varint(maximum: bigint): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.u8();
      value += BigInt(byte & 127) << shift;
      if (value > maximum || shift > 63n) return this.fail();
      if (byte >= 128) continue;
      return byte === 0 && shift > 0n ? this.fail() : value;
    }
  }

  count(): number {
    return Number(this.varint(MAX_COUNT));
  }

  hex(length: number): string {
    return toHex(this.take(length));
  }

  list<T>(read: () => T): T[] {
    const items: T[] = [];
    for (let left = this.count(); left > 0; left--) items.push(read());
    return items;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) this.fail();
  }

  fail(): never {
    throw new Malformed();
  }

  #little(length: number): bigint {
    return this.take(length).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
  }
}

/** What `read` makes of all the bytes, or `undefined` where they are not that. */
export function decoded<T>(bytes: Uint8Array, read: (cursor: Cursor) => T): T | undefined {
  const cursor = new Cursor(bytes);
  try {
    const value = read(cursor);
    cursor.end();
    return value;
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function little(value: number | bigint, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 255n));
}

export function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) + 128);
  return Uint8Array.from([...bytes, Number(rest)]);
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

export function text(characters: string): Uint8Array {
  return new TextEncoder().encode(characters);
}
