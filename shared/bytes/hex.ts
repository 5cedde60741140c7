/** The character codes of the sixteen digits. */
const DIGITS = new TextEncoder().encode('0123456789abcdef');
/** Room for the digits of an id; longer bytes take their own. */
const digitsOfId = new Uint8Array(64);
const ascii = new TextDecoder('latin1');
/** What stands for a character that is no digit: a bit that no digit has. */
const NO_DIGIT = 0x80;
/** What each digit is worth, by its character code. */
const VALUES = Uint8Array.from({ length: 128 }, (_, code) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(code));
  return value < 0 ? NO_DIGIT : value;
});

/**
 * Lower-case hex of any bytes. Decoded as text in one piece: a string put together from pairs of digits stays a chain of
 * pieces until it is first compared, and costs four times as much to make and to look up.
 */
export function toHex(bytes: Uint8Array): string {
  const length = 2 * bytes.length;
  const digits = length <= digitsOfId.length ? digitsOfId : new Uint8Array(length);
  for (let i = 0, to = 0; to < length; i++, to += 2) {
    const byte = bytes[i] ?? 0;
    digits[to] = DIGITS[byte >> 4] ?? 0;
    digits[to + 1] = DIGITS[byte & 15] ?? 0;
  }
  return ascii.decode(length === digits.length ? digits : digits.subarray(0, length));
}

/**
 * Reads lower-case hex. Upper case is refused: a byte string has one spelling, so that ids compare as text.
 * `length` is in bytes; `undefined` comes back for anything else.
 */
export function parseHex(text: string, length?: number): Uint8Array | undefined {
  if (length !== undefined && text.length !== length * 2) return undefined;
  if (text.length % 2 !== 0) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  return writeHex(text, bytes) ? bytes : undefined;
}

/** Puts the bytes that hex spells, from one of its characters on, into memory; answers whether it is lower-case hex. */
export function writeHex(text: string, into: Uint8Array, { from = 0, at = 0 } = {}): boolean {
  let wrong = 0;
  for (let i = from, to = at; i < text.length; i += 2, to++) {
    const [high, low] = [VALUES[text.charCodeAt(i)] ?? NO_DIGIT, VALUES[text.charCodeAt(i + 1)] ?? NO_DIGIT];
    // One digit that is none leaves its mark, and no branch has to be taken for each of those that are.
    wrong |= high | low;
    into[to] = (high << 4) | low;
  }
  return (wrong & NO_DIGIT) === 0;
}

/** Bytes of hex that this program wrote itself. Throws, because bad hex here is our own fault. */
export function fromHex(text: string): Uint8Array {
  const bytes = parseHex(text);
  if (bytes === undefined) throw new RangeError(`not lower-case hex: ${text.slice(0, 80)}`);
  return bytes;
}
