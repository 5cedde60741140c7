import { type Decoded, decodeExactly } from '../bytes/reader.js';
import { ByteWriter } from '../bytes/writer.js';
import { HASH_BYTES, hashHeader } from '../crypto/hash.js';
import { type Height, toHeight } from './height.js';
import { type BlockHash, idBytes, idFromBytes } from './ids.js';
import { MAX_TIMESTAMP } from './timestamp.js';

/** Bytes in a header. */
export const HEADER_BYTES = 92;
/** Where the timestamp (u64) and the nonce (u64) stand in a header's bytes: a miner writes there. */
export const TIMESTAMP_OFFSET = 72;
/** Where the nonce stands within a header: u64. */
export const NONCE_OFFSET = 84;

/** What a block says of itself before its transactions. */
export interface HeaderFields {
  readonly version: number;
  readonly height: Height;
  readonly previous: BlockHash;
  /** 32 bytes: the Merkle root over the block's wtxids. */
  readonly merkleRoot: Uint8Array;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  /** The target, in compact form. */
  readonly bits: number;
  /** 0 to 2^64-1. */
  readonly nonce: bigint;
}

/** A header with its hash. Made by `decodeHeader` and `sealHeader` only, so that the hash always fits. */
export interface Header extends HeaderFields {
  readonly hash: BlockHash;
}

/** The 92 bytes of a header. */
export function encodeHeader(header: HeaderFields): Uint8Array {
  return new ByteWriter(HEADER_BYTES)
    .u32(header.version)
    .u32(header.height)
    .bytes(idBytes(header.previous))
    .bytes(header.merkleRoot)
    .u64(header.timestamp)
    .u32(header.bits)
    .u64(header.nonce)
    .finish();
}

/** Reads a header of exactly 92 bytes. */
export function decodeHeader(bytes: Uint8Array): Decoded<Header> {
  return decodeExactly(bytes, (reader) => ({
    version: reader.u32(),
    height: toHeight(reader.u32()),
    previous: idFromBytes(reader.bytes(HASH_BYTES)),
    merkleRoot: reader.bytes(HASH_BYTES).slice(),
    timestamp: reader.u64AtMost(MAX_TIMESTAMP),
    bits: reader.u32(),
    nonce: reader.u64(),
    hash: idFromBytes(hashHeader(bytes)),
  }));
}

/** Adds the hash to a header's fields. */
export function sealHeader(fields: HeaderFields): Header {
  return { ...fields, hash: idFromBytes(hashHeader(encodeHeader(fields))) };
}
