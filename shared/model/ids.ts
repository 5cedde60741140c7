import { fromHex, toHex } from '../bytes/hex.js';
import type { Branded } from './brand.js';

/** Names what a transaction does, whoever signed it how: 32 bytes, lower-case hex. */
export type TxId = Branded<string, 'TxId'>;
/** Names one signed form of a transaction: 32 bytes, lower-case hex. Relay, caches and the Merkle tree use it. */
export type Wtxid = Branded<string, 'Wtxid'>;
/** Names a block by the double sha256 of its header: 32 bytes, lower-case hex, shown as is. */
export type BlockHash = Branded<string, 'BlockHash'>;
/** Any of the 32-byte ids. */
export type Id = TxId | Wtxid | BlockHash;

const ID = /^[0-9a-f]{64}$/;

/** Whether text spells a 32-byte id. */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** Reads an id that somebody typed or sent. Which kind it is, is for the caller to know. */
export function parseId<T extends Id>(text: string): T | undefined {
  return isId(text) ? (text as T) : undefined;
}

/** The id that a 32-byte digest spells. */
export function idFromBytes<T extends Id>(bytes: Uint8Array): T {
  if (bytes.length !== 32) throw new RangeError(`an id has 32 bytes, not ${bytes.length}`);
  return toHex(bytes) as T;
}

/** The 32 bytes of an id. */
export function idBytes(id: Id): Uint8Array {
  return fromHex(id);
}
