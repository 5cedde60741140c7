import { type Cursor, decoded, fromHex, join, little, MAX_VALUE, toHex, varint } from './bytes.js';
import { doubleSha, merkleRoot, tagged } from './hashes.js';

/** Names a coin: the transaction that made it, and which of its outputs. */
export interface OutPoint {
  readonly txid: string;
  readonly index: number;
}

export interface Output {
  readonly address: string;
  readonly value: bigint;
}

/** What a transaction says. A transfer has inputs, a coinbase a height and `extra`. */
export interface TransactionFields {
  readonly version: number;
  readonly kind: 'transfer' | 'coinbase';
  readonly timestamp: bigint;
  readonly inputs: readonly OutPoint[];
  readonly height: number;
  readonly extra: Uint8Array;
  readonly outputs: readonly Output[];
  readonly memo: Uint8Array;
  readonly signatures: readonly Uint8Array[];
}

export interface Transaction extends TransactionFields {
  readonly txid: string;
  readonly wtxid: string;
  readonly size: number;
}

export interface HeaderFields {
  readonly version: number;
  readonly height: number;
  readonly previous: string;
  readonly merkleRoot: string;
  readonly timestamp: number;
  readonly bits: number;
  readonly nonce: bigint;
}

export interface Header extends HeaderFields {
  readonly hash: string;
}

export interface Block {
  readonly header: Header;
  readonly transactions: readonly Transaction[];
  readonly bytes: Uint8Array;
}

export const HEADER_SIZE = 92;

export function encodeBody(fields: Omit<TransactionFields, 'signatures'>): Uint8Array {
  const { inputs, extra, outputs, memo } = fields;
  return join(
    little(fields.version, 1),
    little(fields.kind === 'coinbase' ? 1 : 0, 1),
    little(fields.timestamp, 8),
    ...(fields.kind === 'coinbase'
      ? [little(fields.height, 4), varint(extra.length), extra]
      : [varint(inputs.length), ...inputs.flatMap(({ txid, index }) => [fromHex(txid), varint(index)])]),
    varint(outputs.length),
    ...outputs.flatMap(({ address, value }) => [fromHex(address), varint(value)]),
    varint(memo.length),
    memo,
  );
}

export function encodeTransaction(fields: TransactionFields): Uint8Array {
  return join(encodeBody(fields), varint(fields.signatures.length), ...fields.signatures);
}

export function txidOf(fields: Omit<TransactionFields, 'signatures'>): string {
  return toHex(tagged('trestle/txid', encodeBody(fields)));
}

export function sighashOf(genesis: string, txid: string, spent: readonly Output[]): Uint8Array {
  const coins = spent.flatMap(({ address, value }) => [fromHex(address), little(value, 8)]);
  return tagged('trestle/sighash', join(fromHex(genesis), fromHex(txid), ...coins));
}

export function encodeHeader(fields: HeaderFields): Uint8Array {
  return join(
    little(fields.version, 4),
    little(fields.height, 4),
    fromHex(fields.previous),
    fromHex(fields.merkleRoot),
    little(fields.timestamp, 8),
    little(fields.bits, 4),
    little(fields.nonce, 8),
  );
}

export function rootOf(transactions: readonly Transaction[]): string {
  return merkleRoot(transactions.map(({ wtxid }) => fromHex(wtxid)));
}

export function decodeHeader(bytes: Uint8Array): Header | undefined {
  return decoded(bytes, readHeader);
}

export function decodeTransaction(bytes: Uint8Array): Transaction | undefined {
  return decoded(bytes, readTransaction);
}

export function decodeBlock(bytes: Uint8Array): Block | undefined {
  return decoded(bytes, (cursor) => {
    const header = readHeader(cursor);
    return { header, transactions: cursor.list(() => readTransaction(cursor)), bytes };
  });
}

function readHeader(cursor: Cursor): Header {
  const start = cursor.at;
  const fields = {
    version: cursor.u32(),
    height: cursor.u32(),
    previous: cursor.hex(32),
    merkleRoot: cursor.hex(32),
    timestamp: Number(cursor.time()),
    bits: cursor.u32(),
    nonce: cursor.u64(),
  };
  return { ...fields, hash: toHex(doubleSha(cursor.since(start))) };
}

function readTransaction(cursor: Cursor): Transaction {
  const start = cursor.at;
  const version = cursor.u8();
  const number = cursor.u8();
  if (number > 1) cursor.fail();
  const kind = number === 1 ? 'coinbase' : 'transfer';
  const timestamp = cursor.time();
  let inputs: OutPoint[] = [];
  let height = 0;
  let extra = new Uint8Array(0);
  if (kind === 'coinbase') {
    height = cursor.u32();
    extra = new Uint8Array(cursor.take(Number(cursor.varint(96n))));
    if (!isFieldList(extra)) cursor.fail();
  } else {
    inputs = cursor.list(() => ({ txid: cursor.hex(32), index: Number(cursor.varint(65_535n)) }));
  }
  const outputs = cursor.list(() => ({ address: cursor.hex(20), value: cursor.varint(MAX_VALUE) }));
  const memo = cursor.take(cursor.count());
  const txid = tagged('trestle/txid', cursor.since(start));
  const signatures = cursor.list(() => cursor.take(65));
  const wtxid = toHex(tagged('trestle/wtxid', join(txid, ...signatures)));
  const size = cursor.at - start;
  const ids = { txid: toHex(txid), wtxid, size };
  return { version, kind, timestamp, inputs, height, extra, outputs, memo, signatures, ...ids };
}

/** Whether bytes are fields `tag u8 | length u8 | value` to the last one. */
function isFieldList(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; ) {
    const length = bytes[at + 1];
    if (length === undefined) return false;
    at += 2 + length;
    if (at > bytes.length) return false;
  }
  return true;
}
