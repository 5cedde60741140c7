/** Why bytes are not what they should be. Never leaves `decodeExactly`: to everyone else, bad data is a value. */
class DecodeError extends Error {}

/** The outcome of decoding: the value, or what is wrong and where. */
export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly detail: string };

/**
 * A bounds-checked cursor over bytes that someone else wrote. Integers are little-endian. It reads nothing past the
 * end, allocates nothing by a length it has not checked, and takes each number in its one shortest spelling only.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** How many bytes have been read. */
  get offset(): number {
    return this.#offset;
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true);
  }

  /** A u64 that must be at most `max` (itself at most 2^53-1, so that the number is exact). */
  u64AtMost(max: number): number {
    const value = this.u64();
    if (value > BigInt(max)) this.fail(`${value} is above ${max}`);
    return Number(value);
  }

  /** A minimal LEB128 number of at most `max`, which is at most 2^53-1. */
  varint(max: number): number {
    let value = 0;
    let scale = 1;
    // Eight groups of seven bits already pass 2^53-1, so a ninth byte can only be excess.
    for (let group = 0; group < 8; group++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && group > 0) this.fail('a number is not in its shortest form');
        if (value > max) this.fail(`${value} is above ${max}`);
        return value;
      }
      scale *= 128;
    }
    return this.fail('a number is too long');
  }

  /** How many items follow, refused at once when even the smallest would not fit what is left. */
  count(max: number, smallestItem: number): number {
    const count = this.varint(max);
    if (count * smallestItem > this.remaining) this.fail(`${count} items cannot fit ${this.remaining} bytes`);
    return count;
  }

  /** A view of the next `length` bytes. It shares memory with the input. */
  bytes(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** A view of what was read since `start`, an offset of this reader. */
  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#offset);
  }

  /** Gives up: the bytes are not what they should be. */
  fail(detail: string): never {
    throw new DecodeError(`${detail} (at byte ${this.#offset})`);
  }

  #advance(length: number): number {
    const start = this.#offset;
    if (length > this.remaining) this.fail(`${length} bytes wanted, ${this.remaining} left`);
    this.#offset = start + length;
    return start;
  }
}

/** Runs `read` over all of `bytes`: bytes that are missing or left over refuse the whole. */
export function decodeExactly<T>(bytes: Uint8Array, read: (reader: ByteReader) => T): Decoded<T> {
  const reader = new ByteReader(bytes);
  try {
    const value = read(reader);
    if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes too many`);
    return { ok: true, value };
  } catch (error) {
    if (error instanceof DecodeError) return { ok: false, detail: error.message };
    throw error;
  }
}
