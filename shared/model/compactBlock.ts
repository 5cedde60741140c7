import { type Decoded, decodeExactly } from '../bytes/reader.js';
import { ByteWriter } from '../bytes/writer.js';
import { MAX_BLOCK_BYTES, MAX_TRANSACTION_BYTES } from '../consensus/params.js';
import { SIP_KEY_BYTES, sipHash } from '../crypto/sipHash.js';
import type { Block } from './block.js';
import { decodeHeader, encodeHeader, HEADER_BYTES, type Header } from './header.js';
import { type BlockHash, idBytes, type Wtxid } from './ids.js';
import { decodeTransaction, isCoinbase, type Transaction } from './transaction.js';

/** Bytes in a short id. */
export const SHORT_ID_BYTES = 5;
/** The smallest transfer that the rules allow: one input, one output, one signature. */
const SMALLEST_TRANSFER = 133;
/** Bytes of the longest count or length here. */
const LONGEST_COUNT = 3;
/** The most transfers that fit a block. */
export const MAX_SHORT_IDS = Math.floor(MAX_BLOCK_BYTES / SMALLEST_TRANSFER);
/** The most bytes of a block in this form: with the largest coinbase, and of the smallest transfers as many as fit beside it. */
export const MAX_COMPACT_BYTES =
  HEADER_BYTES +
  MAX_TRANSACTION_BYTES +
  Math.ceil((MAX_BLOCK_BYTES - MAX_TRANSACTION_BYTES) / SMALLEST_TRANSFER) * SHORT_ID_BYTES +
  2 * LONGEST_COUNT;

/** A transaction's name within one block, 40 bits. */
export type ShortId = number;

/**
 * A block without the transactions that its reader very likely has (after BIP 152): the header, the coinbase, which nobody
 * can have, and of each other transaction a short name, in order.
 */
export interface CompactBlock {
  readonly header: Header;
  readonly coinbase: Transaction;
  readonly ids: readonly ShortId[];
}

/**
 * Gives transactions their short names within a block: SipHash-2-4 of the wtxid under the block's own id, of which the
 * last 16 bytes are the key, for the first are zeros by the work. Who makes transactions cannot know the key, so names
 * that collide cannot be made in advance; by chance one of a million waiting transactions has the name of another one
 * once in a million names.
 */
export function shortIdsOf(block: BlockHash): (wtxid: Wtxid) => ShortId {
  const key = idBytes(block).subarray(-SIP_KEY_BYTES);
  return (wtxid) => {
    const { low, high } = sipHash(key, idBytes(wtxid));
    return (high & 0xff) * 2 ** 32 + low;
  };
}

/** The short form of a block. `undefined` where there is none: the first transaction is no coinbase. */
export function compactBlockOf({ header, transactions }: Block): CompactBlock | undefined {
  const [coinbase, ...rest] = transactions;
  if (coinbase === undefined || !isCoinbase(coinbase)) return undefined;
  const shortId = shortIdsOf(header.hash);
  return { header, coinbase, ids: rest.map(({ wtxid }) => shortId(wtxid)) };
}

/** `header | coinbase (varint length) | count varint | ids, 5 bytes each, little-endian`. */
export function encodeCompactBlock({ header, coinbase, ids }: CompactBlock): Uint8Array {
  const writer = new ByteWriter(HEADER_BYTES + coinbase.raw.length + 10 + ids.length * SHORT_ID_BYTES);
  writer.bytes(encodeHeader(header)).sized(coinbase.raw).varint(ids.length);
  for (const id of ids) writer.u32(id % 2 ** 32).u8(Math.floor(id / 2 ** 32));
  return writer.finish();
}

/** Reads the short form of a block. The coinbase shares memory with `bytes`. */
export function decodeCompactBlock(bytes: Uint8Array): Decoded<CompactBlock> {
  return decodeExactly(bytes, (reader) => {
    const header = decodeHeader(reader.bytes(HEADER_BYTES));
    if (!header.ok) return reader.fail(`header: ${header.detail}`);
    const coinbase = decodeTransaction(reader.bytes(reader.count(MAX_TRANSACTION_BYTES, 1)));
    if (!coinbase.ok) return reader.fail(`coinbase: ${coinbase.detail}`);
    if (!isCoinbase(coinbase.value)) return reader.fail('the first transaction is no coinbase');
    const count = reader.count(MAX_SHORT_IDS, SHORT_ID_BYTES);
    const ids = Array.from({ length: count }, () => reader.u32() + reader.u8() * 2 ** 32);
    return { header: header.value, coinbase: coinbase.value, ids };
  });
}
