/** The unsigned big-endian number that `bytes` spell: how hashes are compared with targets. */
export function bigintFromBytes(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let value = 0n;
  let i = 0;
  for (; i + 8 <= bytes.length; i += 8) value = (value << 64n) | view.getBigUint64(i);
  for (; i < bytes.length; i++) value = (value << 8n) | BigInt(view.getUint8(i));
  return value;
}

/** `value` as `length` big-endian bytes. Throws when it does not fit: that is a fault of the caller's. */
export function bytesFromBigint(value: bigint, length: number): Uint8Array {
  // Of a negative number, a shift to the right leaves -1 and never 0.
  if (value >> BigInt(length * 8) !== 0n) throw new RangeError(`${value} does not fit ${length} bytes`);
  const bytes = new Uint8Array(length);
  let rest = value;
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}
