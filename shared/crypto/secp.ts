import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import * as secp from '@noble/secp256k1';
import type { RecoveryEngine } from './signature.js';
import { SIGNATURE_BYTES } from './signature.js';

// The synchronous half of @noble/secp256k1 has no hash of its own: without these two lines, signing throws.
secp.hashes.sha256 = sha256;
secp.hashes.hmacSha256 = (key, message) => hmac(sha256, key, message);

/** Bytes in a secret key. */
export const SECRET_KEY_BYTES = 32;

/** The reference engine: pure JavaScript, runs everywhere, and is what every faster engine is held against. */
export const nobleEngine: RecoveryEngine = {
  name: 'noble',
  recover(compact, recovery, digest) {
    const recovered = new Uint8Array(SIGNATURE_BYTES);
    recovered[0] = recovery;
    recovered.set(compact, 1);
    return secp.recoverPublicKey(recovered, digest, { prehash: false, isCompressed: false });
  },
};

/** The uncompressed public key, 65 bytes, of a secret key. */
export function publicKeyOf(secretKey: Uint8Array): Uint8Array {
  return secp.getPublicKey(secretKey, false);
}

/**
 * Signs a 32-byte digest: `r[32] | s[32] | recovery u8`, low S, with the deterministic nonce of RFC 6979 (a random
 * nonce of poor quality would give the key away).
 */
export function signDigest(digest: Uint8Array, secretKey: Uint8Array): Uint8Array {
  const recovered = secp.sign(digest, secretKey, { prehash: false, lowS: true, format: 'recovered' });
  const recovery = recovered[0] ?? 0;
  // The nonce point's x would have to exceed the group order: one signature in 2^127. Ours have no room for it.
  if (recovery > 1) throw new Error('signature with a recovery value above 1');
  const signature = new Uint8Array(SIGNATURE_BYTES);
  signature.set(recovered.subarray(1));
  signature[SIGNATURE_BYTES - 1] = recovery;
  return signature;
}
