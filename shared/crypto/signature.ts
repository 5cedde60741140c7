import { compareBytes } from '../bytes/compare.js';
import { fromHex } from '../bytes/hex.js';
import { type Address, addressOfPublicKey } from '../model/address.js';

/** Bytes in a signature: `r[32] | s[32] | recovery u8`. */
export const SIGNATURE_BYTES = 65;

const ORDER = fromHex('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141');
const HALF_ORDER = fromHex('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0');
const ZERO = new Uint8Array(32);

/** One implementation of public key recovery (SEC 1, 4.1.6) over secp256k1. */
export interface RecoveryEngine {
  /** What the log and `node.self` call it. */
  readonly name: string;
  /**
   * The uncompressed public key, 65 bytes, or `undefined` where there is none. May also throw on any signature it does
   * not like: each engine does so for reasons and with errors of its own, and `recoverOwner` takes them all for the
   * same refusal.
   */
  recover(compact: Uint8Array, recovery: 0 | 1, digest: Uint8Array): Uint8Array | undefined;
}

/**
 * The address whose key signed `digest`, or `undefined` where the signature is no good. The checks before recovery are
 * ours and the same for every engine: r and s in 1..n-1, s in the lower half (BIP 62: the upper half is a second
 * spelling of the same signature), recovery 0 or 1.
 */
export function recoverOwner(engine: RecoveryEngine, digest: Uint8Array, signature: Uint8Array): Address | undefined {
  if (signature.length !== SIGNATURE_BYTES) return undefined;
  const r = signature.subarray(0, 32);
  const s = signature.subarray(32, 64);
  const recovery = signature[64];
  if (recovery !== 0 && recovery !== 1) return undefined;
  if (!isBetween(r, ORDER) || !isBetween(s, ORDER) || compareBytes(s, HALF_ORDER) > 0) return undefined;
  try {
    const publicKey = engine.recover(signature.subarray(0, 64), recovery, digest);
    return publicKey === undefined ? undefined : addressOfPublicKey(publicKey);
  } catch {
    // Crafted signatures recover the point at infinity, or an r that is on no point of the curve. To throw here would
    // let one transaction pass for a broken machine; `requireWorking` finds out about machines that are.
    return undefined;
  }
}

function isBetween(scalar: Uint8Array, limit: Uint8Array): boolean {
  return compareBytes(scalar, ZERO) > 0 && compareBytes(scalar, limit) < 0;
}
