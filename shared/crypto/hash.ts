import { sha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';

/** Bytes in every digest here. */
export const HASH_BYTES = 32;

/**
 * A tagged hash, `sha256(sha256(tag) || sha256(tag) || parts)`, the construction of BIP 340. Bytes hashed for one
 * purpose can never pass for another: a leaf of the Merkle tree is no node, a transaction id is no signed digest.
 */
function tagged(tag: string): (...parts: readonly Uint8Array[]) => Uint8Array {
  const digest = sha256(new TextEncoder().encode(tag));
  const prefix = sha256.create().update(digest).update(digest);
  // Put back to where the prefix ends each time: a new one for each hash costs half as much again as the hash.
  const state = prefix.clone();
  return (...parts) => {
    const hash = prefix._cloneInto(state);
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
}

/** Names what a transaction does; input: its body. */
export const hashTxid = tagged('trestle/txid');
/** Names one signed form of a transaction; inputs: txid, signatures. */
export const hashWtxid = tagged('trestle/wtxid');
/** What an owner signs; inputs: genesis hash, txid, then address and value of each spent coin. */
export const hashSighash = tagged('trestle/sighash');
/** An inner node of the Merkle tree; inputs: left, right. */
export const hashNode = tagged('trestle/node');
/** The Merkle root; inputs: count as u32, then the top of the tree. */
export const hashRoot = tagged('trestle/root');
/** Names a set of consensus parameters; input: their canonical encoding. */
export const hashParams = tagged('trestle/params');
/** Names a contract between nodes. */
export const hashContract = tagged('trestle/contract');

/** The block id: sha256 twice over the 92 bytes of a header, the proof-of-work hash of Bitcoin. */
export function hashHeader(header: Uint8Array): Uint8Array {
  return sha256(sha256(header));
}

/** keccak256 as Ethereum uses it (not SHA3-256, whose padding differs). */
export function keccak256(bytes: Uint8Array): Uint8Array {
  return keccak_256(bytes);
}
