import { compareBytes, equalBytes } from '../../shared/bytes/compare.js';
import { type ByteReader, type Decoded, decodeExactly } from '../../shared/bytes/reader.js';
import { ByteWriter } from '../../shared/bytes/writer.js';
import { TrestleError } from '../../shared/errors.js';
import type { Entry, Kv, Write } from './kv.js';

/** How one kind of key or value is written and read. */
export interface Codec<T> {
  readonly write: (writer: ByteWriter, value: T) => void;
  readonly read: (reader: ByteReader) => T;
}

/** One kind of record: the first byte of its keys, and the codecs. `layout` lists them all. */
export interface Space<Key, Value> {
  readonly name: string;
  readonly prefix: number;
  readonly key: Codec<Key>;
  readonly value: Codec<Value>;
}

/** A kind of record under a first byte of its own. */
export function space<Key, Value>(
  name: string,
  prefix: number,
  codecs: Pick<Space<Key, Value>, 'key' | 'value'>,
): Space<Key, Value> {
  return { name, prefix, ...codecs };
}

/** The record of a key, or `undefined`. Throws `store-corrupt` where what is stored cannot be read. */
export function read<Key, Value>(kv: Kv, space: Space<Key, Value>, key: Key): Value | undefined {
  const bytes = kv.get(keyBytes(space, key));
  return bytes === undefined ? undefined : decode(space, space.value, bytes);
}

/** Rows are written one after the other, and none within another. */
const rows = new ByteWriter(1_024);

/** The write that stores a record. */
export function put<Key, Value>(space: Space<Key, Value>, key: Key, value: Value): Write {
  return { kind: 'put', key: keyBytes(space, key), value: written(() => space.value.write(rows, value)) };
}

/** The write that takes a record away. */
export function remove<Key, Value>(space: Space<Key, Value>, key: Key): Write {
  return { kind: 'remove', key: keyBytes(space, key) };
}

/** Which records of a space to read, in the order of their keys. */
export interface Scan {
  /** Only keys that begin with these bytes. */
  readonly within?: Uint8Array | undefined;
  /** Only keys past this one, which a page before ended with. */
  readonly after?: Uint8Array | undefined;
  readonly reverse?: boolean | undefined;
  /** Every scan is bounded. */
  readonly limit: number;
}

/** A record, and the bytes of its key after the prefix, for asking for what follows it. */
export interface Row<Key, Value> {
  readonly key: Key;
  readonly value: Value;
  readonly at: Uint8Array;
}

/** Records in the order of their keys, or backwards. */
export function scan<Key, Value>(kv: Kv, space: Space<Key, Value>, scan: Scan): Row<Key, Value>[] {
  const { within = new Uint8Array(0), after, reverse = false, limit } = scan;
  const first = prefixed(space, within);
  const last = successor(first);
  const past = after === undefined ? undefined : prefixed(space, after);
  // `after` may come from outside: it moves a bound inwards and never lets the scan leave its part of the space.
  const bounds = reverse
    ? { gte: first, lt: past === undefined ? last : least(past, last) }
    : { gte: past === undefined ? first : greatest(next(past), first), lt: last };
  return Array.from(kv.range({ ...bounds, reverse, limit }), ([key, value]) => {
    const at = key.subarray(1);
    return { key: decode(space, space.key, at), value: decode(space, space.value, value), at };
  });
}

/** Every row of a space as it is stored, in the order of keys, with at most `page` of them in memory. */
export function* rawRows(kv: Kv, space: { readonly prefix: number }, page = 1_000): Generator<Entry> {
  const first = prefixed(space, new Uint8Array(0));
  const last = successor(first);
  for (let gte = first; ; ) {
    const rows = Array.from(kv.range({ gte, lt: last, limit: page }));
    yield* rows;
    const [lastKey] = rows.at(-1) ?? [];
    if (lastKey === undefined || rows.length < page) return;
    gte = next(lastKey);
  }
}

/** Reads a row as it is stored. One that is not written as this program would write it is not read. */
export function decodeRow<Key, Value>(
  space: Space<Key, Value>,
  [key, value]: Entry,
): Decoded<{ readonly key: Key; readonly value: Value }> {
  const [readKey, readValue] = [decodeExactly(key.subarray(1), space.key.read), decodeExactly(value, space.value.read)];
  if (!readKey.ok) return readKey;
  if (!readValue.ok) return readValue;
  const again = put(space, readKey.value, readValue.value);
  const isSame = again.kind === 'put' && equalBytes(again.key, key) && equalBytes(again.value, value);
  return isSame
    ? { ok: true, value: { key: readKey.value, value: readValue.value } }
    : { ok: false, detail: 'not in its canonical form' };
}

/** The stored key of a record. */
export function keyBytes<Key, Value>(space: Space<Key, Value>, key: Key): Uint8Array {
  return written(() => space.key.write(rows.u8(space.prefix), key));
}

/** The bytes that are written meanwhile. A value that cannot be written leaves nothing behind for the next one. */
function written(write: () => void): Uint8Array {
  let bytes: Uint8Array;
  try {
    write();
  } finally {
    bytes = rows.take();
  }
  return bytes;
}

function prefixed(space: { readonly prefix: number }, bytes: Uint8Array): Uint8Array {
  return new ByteWriter(1 + bytes.length).u8(space.prefix).bytes(bytes).finish();
}

function least(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareBytes(a, b) < 0 ? a : b;
}

function greatest(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareBytes(a, b) > 0 ? a : b;
}

/** The first key after `key`. */
function next(key: Uint8Array): Uint8Array {
  return new ByteWriter(key.length + 1).bytes(key).u8(0).finish();
}

/** The first key that no longer begins with `key`. The prefix byte is never 255, so there is always one. */
function successor(key: Uint8Array): Uint8Array {
  let end = key.length;
  while (key[end - 1] === 0xff) end -= 1;
  const result = key.slice(0, end);
  result[end - 1] = (result[end - 1] ?? 0) + 1;
  return result;
}

function decode<T>(space: { readonly name: string }, codec: Codec<T>, bytes: Uint8Array): T {
  const decoded = decodeExactly(bytes, codec.read);
  if (decoded.ok) return decoded.value;
  throw new TrestleError({ code: 'store-corrupt', detail: `${space.name}: ${decoded.detail}` });
}
