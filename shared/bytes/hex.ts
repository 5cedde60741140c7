const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const LOWER_HEX = /^(?:[0-9a-f]{2})*$/;

/** Lower-case hex of any bytes. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += DIGITS[byte];
  return text;
}

/**
 * Reads lower-case hex. Upper case is refused: a byte string has one spelling, so that ids compare as text.
 * `length` is in bytes; `undefined` comes back for anything else.
 */
export function parseHex(text: string, length?: number): Uint8Array | undefined {
  if (length !== undefined && text.length !== length * 2) return undefined;
  if (!LOWER_HEX.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = nibble(text.charCodeAt(i * 2)) * 16 + nibble(text.charCodeAt(i * 2 + 1));
  return bytes;
}

/** What a digit is worth, by its character code: digits stand below letters. */
function nibble(code: number): number {
  return code < 0x40 ? code - 0x30 : code - 0x57;
}

/** Bytes of hex that this program wrote itself. Throws, because bad hex here is our own fault. */
export function fromHex(text: string): Uint8Array {
  const bytes = parseHex(text);
  if (bytes === undefined) throw new RangeError(`not lower-case hex: ${text.slice(0, 80)}`);
  return bytes;
}
