import { type ByteReader, type Decoded, decodeExactly } from '../bytes/reader.js';
import { ByteWriter, U32_MAX } from '../bytes/writer.js';
import { HASH_BYTES, hashTxid, hashWtxid } from '../crypto/hash.js';
import { SIGNATURE_BYTES } from '../crypto/signature.js';
import { ADDRESS_BYTES, type Address, addressBytes, addressFromBytes } from './address.js';
import { type Amount, MAX_AMOUNT, toAmount } from './amount.js';
import { decodeExtra, MAX_EXTRA_BYTES } from './extra.js';
import { type Height, toHeight } from './height.js';
import { idBytes, idFromBytes, type TxId, type Wtxid } from './ids.js';
import { MAX_OUTPUT_INDEX, type OutPoint } from './outpoint.js';
import { MAX_TIMESTAMP } from './timestamp.js';

/** The transaction version every network starts with. */
export const TRANSACTION_VERSION = 1;
const KINDS = { transfer: 0, coinbase: 1 } as const;
const SMALLEST_INPUT = HASH_BYTES + 1;
const SMALLEST_OUTPUT = ADDRESS_BYTES + 1;

/** Money given to an address. */
export interface Output {
  readonly address: Address;
  readonly value: Amount;
}

interface BodyFields {
  readonly version: number;
  /** Milliseconds since 1970, for information only: no rule looks at it. */
  readonly timestamp: number;
  readonly outputs: readonly Output[];
  /** Free bytes, at most 80. */
  readonly memo: Uint8Array;
}

/** Spends coins. */
export interface TransferBody extends BodyFields {
  readonly kind: 'transfer';
  readonly inputs: readonly OutPoint[];
}

/** Makes the coins of a block: its reward and its fees. */
export interface CoinbaseBody extends BodyFields {
  readonly kind: 'coinbase';
  /** The height of its block, which makes each coinbase's id unique (BIP 34). */
  readonly height: Height;
  /** Tag-length-value fields, at most 96 bytes. */
  readonly extra: Uint8Array;
}

/** What a transaction does, without the signatures that allow it. */
export type TransactionBody = TransferBody | CoinbaseBody;

/** A whole transaction with its ids. Made by `decodeTransaction` and `sealTransaction` only, so that ids always fit. */
export interface Transaction<Body extends TransactionBody = TransactionBody> {
  readonly body: Body;
  /** 65 bytes each: one for each distinct owner, in the order in which owners first appear among the inputs. */
  readonly signatures: readonly Uint8Array[];
  readonly txid: TxId;
  readonly wtxid: Wtxid;
  /** The canonical bytes. */
  readonly raw: Uint8Array;
}

/** The bytes a txid is the hash of. */
export function encodeBody(body: TransactionBody): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(body.version).u8(KINDS[body.kind]).u64(body.timestamp);
  if (body.kind === 'transfer') {
    writer.varint(body.inputs.length);
    for (const input of body.inputs) writer.bytes(idBytes(input.txid)).varint(input.index);
  } else {
    writer.u32(body.height).sized(body.extra);
  }
  writer.varint(body.outputs.length);
  for (const output of body.outputs) writer.bytes(addressBytes(output.address)).varint(output.value);
  return writer.sized(body.memo).finish();
}

/** Joins a body and its signatures to a transaction. */
export function sealTransaction<Body extends TransactionBody>(
  body: Body,
  signatures: readonly Uint8Array[],
): Transaction<Body> {
  const encoded = encodeBody(body);
  const writer = new ByteWriter(encoded.length + 2 + signatures.length * SIGNATURE_BYTES);
  writer.bytes(encoded).varint(signatures.length);
  for (const signature of signatures) writer.bytes(signature);
  return { body, signatures, raw: writer.finish(), ...identify(encoded, signatures) };
}

/** The id of a body, for signing it. */
export function txidOf(body: TransactionBody): TxId {
  return idFromBytes(hashTxid(encodeBody(body)));
}

/** Reads one whole transaction. */
export function decodeTransaction(bytes: Uint8Array): Decoded<Transaction> {
  return decodeExactly(bytes, readTransaction);
}

/** Reads a transaction that others follow. What it returns shares memory with the reader's bytes. */
export function readTransaction(reader: ByteReader): Transaction {
  const start = reader.offset;
  const body = readBody(reader);
  const encoded = reader.since(start);
  const signatures: Uint8Array[] = [];
  const count = reader.count(U32_MAX, SIGNATURE_BYTES);
  for (let i = 0; i < count; i++) signatures.push(reader.bytes(SIGNATURE_BYTES));
  return { body, signatures, raw: reader.since(start), ...identify(encoded, signatures) };
}

/** Whether a transaction spends coins, not makes them. */
export function isTransfer(transaction: Transaction): transaction is Transaction<TransferBody> {
  return transaction.body.kind === 'transfer';
}

/** Whether a transaction makes the coins of a block. */
export function isCoinbase(transaction: Transaction): transaction is Transaction<CoinbaseBody> {
  return transaction.body.kind === 'coinbase';
}

/** The outpoints a transaction spends: none for a coinbase. */
export function inputsOf(transaction: Transaction): readonly OutPoint[] {
  return transaction.body.kind === 'transfer' ? transaction.body.inputs : [];
}

function identify(encodedBody: Uint8Array, signatures: readonly Uint8Array[]): { txid: TxId; wtxid: Wtxid } {
  const txid = hashTxid(encodedBody);
  return { txid: idFromBytes(txid), wtxid: idFromBytes(hashWtxid(txid, ...signatures)) };
}

function readBody(reader: ByteReader): TransactionBody {
  const version = reader.u8();
  const kind = reader.u8();
  const timestamp = reader.u64AtMost(MAX_TIMESTAMP);
  switch (kind) {
    case KINDS.transfer: {
      const inputs = readInputs(reader);
      return { kind: 'transfer', version, timestamp, inputs, ...readOutputsAndMemo(reader) };
    }
    case KINDS.coinbase: {
      const height = toHeight(reader.u32());
      const extra = readExtra(reader);
      return { kind: 'coinbase', version, timestamp, height, extra, ...readOutputsAndMemo(reader) };
    }
    default:
      return reader.fail(`kind ${kind} is neither transfer nor coinbase`);
  }
}

function readInputs(reader: ByteReader): OutPoint[] {
  const inputs: OutPoint[] = [];
  const count = reader.count(U32_MAX, SMALLEST_INPUT);
  for (let i = 0; i < count; i++) {
    const txid: TxId = idFromBytes(reader.bytes(HASH_BYTES));
    inputs.push({ txid, index: reader.varint(MAX_OUTPUT_INDEX) });
  }
  return inputs;
}

function readExtra(reader: ByteReader): Uint8Array {
  const extra = reader.bytes(reader.varint(MAX_EXTRA_BYTES));
  const fields = decodeExtra(extra);
  return fields.ok ? extra : reader.fail(`extra: ${fields.detail}`);
}

function readOutputsAndMemo(reader: ByteReader): Pick<BodyFields, 'outputs' | 'memo'> {
  const outputs: Output[] = [];
  const count = reader.count(U32_MAX, SMALLEST_OUTPUT);
  for (let i = 0; i < count; i++) {
    const address = addressFromBytes(reader.bytes(ADDRESS_BYTES));
    outputs.push({ address, value: toAmount(reader.varint(Number(MAX_AMOUNT))) });
  }
  return { outputs, memo: reader.bytes(reader.varint(U32_MAX)) };
}

/** The sum of a transaction's outputs, in base units: what it pays, change and all. */
export function outputValue({ body }: Transaction): bigint {
  return body.outputs.reduce((sum, { value }) => sum + value, 0n);
}
