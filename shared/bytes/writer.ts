import { writeHex } from './hex.js';

const U8_MAX = 0xff;
/** The largest count or length that any format holds. */
export const U32_MAX = 0xffff_ffff;

/**
 * Builds canonical bytes: the mirror of `ByteReader`. A value out of range is a fault of ours and throws; anything else
 * would write bytes that no decoder, ours included, would take back.
 */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  /** Most of what is written is a key or a row of a few dozen bytes: such arrays, and no view on them, are cheap to make. */
  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    assertInteger(value, U8_MAX);
    const at = this.#grow(1);
    this.#bytes[at] = value;
    return this;
  }

  u32(value: number): this {
    assertInteger(value, U32_MAX);
    const at = this.#grow(4);
    const bytes = this.#bytes;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
    return this;
  }

  u64(value: bigint | number): this {
    const wide = BigInt(value);
    // Of a negative number, a shift to the right leaves -1 and never 0.
    if (wide >> 64n !== 0n) throw new RangeError(`${value} is not a u64`);
    return this.u32(Number(wide & 0xffff_ffffn)).u32(Number(wide >> 32n));
  }

  /** Minimal LEB128 of an integer of 0 to 2^53-1. */
  varint(value: number | bigint): this {
    let rest = Number(value);
    assertInteger(rest, Number.MAX_SAFE_INTEGER);
    while (rest >= 0x80) {
      this.u8((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    return this.u8(rest);
  }

  bytes(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** Bytes that this program spelled in lower-case hex itself, from one of its characters on. */
  hex(text: string, from = 0): this {
    const at = this.#grow((text.length - from) >> 1);
    if ((text.length - from) % 2 !== 0 || !writeHex(text, this.#bytes, { from, at }))
      throw new RangeError(`not lower-case hex: ${text.slice(0, 80)}`);
    return this;
  }

  /** A big-endian number of so many bytes, up to 4: in keys, where the order of bytes is the order of numbers. */
  bigEndian(value: number, length: number): this {
    assertInteger(value, 256 ** length - 1);
    const at = this.#grow(length);
    for (let i = 0; i < length; i++) this.#bytes[at + i] = value >>> (8 * (length - 1 - i));
    return this;
  }

  /** A length, then that many bytes. */
  sized(bytes: Uint8Array): this {
    return this.varint(bytes.length).bytes(bytes);
  }

  /** What was written, in memory of its own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** The same, and begins anew: a writer that is kept saves the memory of one for each of thousands of small rows. */
  take(): Uint8Array {
    const taken = this.finish();
    this.#length = 0;
    return taken;
  }

  /** Makes room and answers where it begins. Growing replaces the memory: ask for room before touching it. */
  #grow(length: number): number {
    const start = this.#length;
    this.#length = start + length;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return start;
  }
}

function assertInteger(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) throw new RangeError(`${value} is not in 0..${max}`);
}
