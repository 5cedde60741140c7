import { bigintFromBytes, bytesFromBigint } from '../../shared/bytes/bigEndian.js';
import { ADDRESS_BYTES, type Address, addressFromBytes, HEX_PREFIX } from '../../shared/model/address.js';
import { type Amount, MAX_AMOUNT, toAmount } from '../../shared/model/amount.js';
import { type Height, toHeight } from '../../shared/model/height.js';
import { type Id, idFromBytes, type TxId } from '../../shared/model/ids.js';
import type { OutPoint } from '../../shared/model/outpoint.js';
import type { Codec } from './space.js';

/** Numbers in keys are big-endian, so that the order of bytes is the order of numbers. */
function bigEndian(length: number): Codec<bigint> {
  return {
    write: (writer, value) => writer.bytes(bytesFromBigint(value, length)),
    read: (reader) => bigintFromBytes(reader.bytes(length)),
  };
}

/** Work of a chain, in keys and values. */
export const workCodec = bigEndian(32);
/** Sums over all time, which may pass 2^53: the same coins count each time they move. */
export const sumCodec = bigEndian(16);
const u64Key = bigEndian(8);

/** A whole number of at most 2^53-1, in the order of numbers. */
export const numberKey: Codec<number> = {
  write: (writer, number) => u64Key.write(writer, BigInt(number)),
  read: (reader) => Number(u64Key.read(reader)),
};

/** A balance turned upside down, so that the richest come first. */
export const invertedAmountKey: Codec<Amount> = {
  write: (writer, amount) => u64Key.write(writer, 2n ** 64n - 1n - amount),
  read: (reader) => toAmount(2n ** 64n - 1n - u64Key.read(reader)),
};

/** Big-endian, so that keys stand in the order of heights. */
export const heightKey: Codec<Height> = {
  write: (writer, height) => writer.bigEndian(height, 4),
  read: (reader) => toHeight(Number(bigintFromBytes(reader.bytes(4)))),
};

/** Big-endian, as heights are. */
export const positionKey: Codec<number> = {
  write: (writer, position) => writer.bigEndian(position, 4),
  read: (reader) => Number(bigintFromBytes(reader.bytes(4))),
};

/** Any 32-byte id. Which kind, the space says. */
export function idCodec<Kind extends Id>(): Codec<Kind> {
  return {
    write: (writer, id) => writer.hex(id),
    read: (reader) => idFromBytes(reader.bytes(32)),
  };
}

/** 20 bytes. */
export const addressCodec: Codec<Address> = {
  write: (writer, address) => writer.hex(address, HEX_PREFIX.length),
  read: (reader) => addressFromBytes(reader.bytes(ADDRESS_BYTES)),
};

const txidCodec = idCodec<TxId>();

/** A txid and a big-endian index: the outputs of one transaction stand together. */
export const outPointKeyCodec: Codec<OutPoint> = {
  write: (writer, { txid, index }) => {
    txidCodec.write(writer, txid);
    writer.bigEndian(index, 2);
  },
  read: (reader) => ({ txid: txidCodec.read(reader), index: Number(bigintFromBytes(reader.bytes(2))) }),
};

/** A varint. */
export const amountCodec: Codec<Amount> = {
  write: (writer, amount) => writer.varint(amount),
  read: (reader) => toAmount(reader.varint(Number(MAX_AMOUNT))),
};

/** A whole number of at most 2^53-1. */
export const countCodec: Codec<number> = {
  write: (writer, count) => writer.varint(count),
  read: (reader) => reader.varint(Number.MAX_SAFE_INTEGER),
};

/** One byte, 0 or 1. */
export const flagCodec: Codec<boolean> = {
  write: (writer, flag) => writer.u8(flag ? 1 : 0),
  read: (reader) => {
    const byte = reader.u8();
    return byte <= 1 ? byte === 1 : reader.fail(`${byte} is no flag`);
  },
};

/** Text, or any bytes, up to the end of the value. */
export const restCodec: Codec<Uint8Array> = {
  write: (writer, bytes) => writer.bytes(bytes),
  read: (reader) => reader.bytes(reader.remaining),
};

/** UTF-8 up to the end: a value of its own, never before another. */
export const textCodec: Codec<string> = {
  write: (writer, text) => writer.bytes(new TextEncoder().encode(text)),
  read: (reader) => new TextDecoder().decode(reader.bytes(reader.remaining)),
};

/** UTF-8 of at most 255 bytes, with its length before it: for values that others follow. */
export const shortTextCodec: Codec<string> = {
  write: (writer, text) => {
    const bytes = new TextEncoder().encode(text);
    writer.varint(bytes.length).bytes(bytes);
  },
  read: (reader) => new TextDecoder().decode(reader.bytes(reader.varint(255))),
};

/** So many bytes. */
export function bytesCodec(length: number): Codec<Uint8Array> {
  return { write: (writer, bytes) => writer.bytes(bytes), read: (reader) => reader.bytes(length) };
}

/** A value at the end that records of an earlier form do not have: `null`, which is no bytes at all. */
export function lastAdded<T>(codec: Codec<T>): Codec<T | null> {
  return {
    write: (writer, value) => {
      if (value !== null) codec.write(writer, value);
    },
    read: (reader) => (reader.remaining === 0 ? null : codec.read(reader)),
  };
}

/** Nothing: the key says it all. */
export const emptyCodec: Codec<null> = { write: () => {}, read: () => null };

/** A record of several fields, in the order they are listed. */
export function record<T extends object>(fields: { readonly [K in keyof T]: Codec<T[K]> }): Codec<T> {
  const names = Object.keys(fields) as (keyof T)[];
  return {
    write: (writer, value) => {
      for (const name of names) fields[name].write(writer, value[name]);
    },
    read: (reader) => {
      const value: Partial<T> = {};
      for (const name of names) value[name] = fields[name].read(reader);
      return value as T;
    },
  };
}

/** A value that may be missing. */
export function optional<T>(codec: Codec<T>): Codec<T | null> {
  return {
    write: (writer, value) => {
      flagCodec.write(writer, value !== null);
      if (value !== null) codec.write(writer, value);
    },
    read: (reader) => (flagCodec.read(reader) ? codec.read(reader) : null),
  };
}

/** Several values of one kind. */
export function list<T>(codec: Codec<T>): Codec<readonly T[]> {
  return {
    write: (writer, values) => {
      writer.varint(values.length);
      for (const value of values) codec.write(writer, value);
    },
    read: (reader) => {
      const values: T[] = [];
      const count = reader.count(0xffff_ffff, 1);
      for (let i = 0; i < count; i++) values.push(codec.read(reader));
      return values;
    },
  };
}
