import { type Decoded, decodeExactly } from '../bytes/reader.js';
import { ByteWriter } from '../bytes/writer.js';

/** The most bytes a coinbase's `extra` may hold. */
export const MAX_EXTRA_BYTES = 96;

/** What the fields of `extra` mean. Unknown tags are carried along and mean nothing. */
export const EXTRA_TAGS = {
  /** 32 bytes: the digest of the consensus parameters; in genesis only. */
  params: 0,
  /** Any bytes that make a miner's work its own. */
  nonce: 1,
  /** UTF-8: who mined, as the miner likes to be called. */
  miner: 2,
} as const;

/** One field of a coinbase's `extra`: `tag u8 | length u8 | value`. */
export interface ExtraField {
  readonly tag: number;
  readonly value: Uint8Array;
}

/** The bytes of a list of fields. */
export function encodeExtra(fields: readonly ExtraField[]): Uint8Array {
  const writer = new ByteWriter(MAX_EXTRA_BYTES);
  for (const { tag, value } of fields) writer.u8(tag).u8(value.length).bytes(value);
  if (writer.length > MAX_EXTRA_BYTES)
    throw new RangeError(`extra of ${writer.length} bytes, above ${MAX_EXTRA_BYTES}`);
  return writer.finish();
}

/** The fields that bytes spell. */
export function decodeExtra(bytes: Uint8Array): Decoded<readonly ExtraField[]> {
  return decodeExactly(bytes, (reader) => {
    if (bytes.length > MAX_EXTRA_BYTES) reader.fail(`extra of ${bytes.length} bytes, above ${MAX_EXTRA_BYTES}`);
    const fields: ExtraField[] = [];
    while (reader.remaining > 0) {
      const tag = reader.u8();
      fields.push({ tag, value: reader.bytes(reader.u8()) });
    }
    return fields;
  });
}
