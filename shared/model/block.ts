import { type Decoded, decodeExactly } from '../bytes/reader.js';
import { ByteWriter, U32_MAX } from '../bytes/writer.js';
import { merkleRoot } from '../crypto/merkle.js';
import { decodeHeader, encodeHeader, HEADER_BYTES, type Header } from './header.js';
import { idBytes } from './ids.js';
import { readTransaction, type Transaction } from './transaction.js';

/** version, kind, timestamp, an empty list each of inputs, outputs, memo and signatures. */
const SMALLEST_TRANSACTION = 14;

/** A header and the transactions it commits to, coinbase first. */
export interface Block {
  readonly header: Header;
  readonly transactions: readonly Transaction[];
  /** The canonical bytes. */
  readonly raw: Uint8Array;
}

/** Joins a header and its transactions. */
export function sealBlock(header: Header, transactions: readonly Transaction[]): Block {
  const size = transactions.reduce((sum, { raw }) => sum + raw.length, HEADER_BYTES + 5);
  const writer = new ByteWriter(size).bytes(encodeHeader(header)).varint(transactions.length);
  for (const { raw } of transactions) writer.bytes(raw);
  return { header, transactions, raw: writer.finish() };
}

/** Reads a whole block. What it returns shares memory with `bytes`. */
export function decodeBlock(bytes: Uint8Array): Decoded<Block> {
  return decodeExactly(bytes, (reader) => {
    const header = decodeHeader(reader.bytes(HEADER_BYTES));
    if (!header.ok) return reader.fail(`header: ${header.detail}`);
    const transactions: Transaction[] = [];
    const count = reader.count(U32_MAX, SMALLEST_TRANSACTION);
    for (let i = 0; i < count; i++) transactions.push(readTransaction(reader));
    return { header: header.value, transactions, raw: bytes };
  });
}

/** The Merkle root over the wtxids of a list of transactions. */
export function rootOfTransactions(transactions: readonly Transaction[]): Uint8Array {
  return merkleRoot(transactions.map(({ wtxid }) => idBytes(wtxid)));
}
