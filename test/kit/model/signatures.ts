import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import * as secp from '@noble/secp256k1';
import { join, toHex } from './bytes.js';

// The synchronous half of @noble/secp256k1 has no hash of its own.
secp.hashes.sha256 = sha256;
secp.hashes.hmacSha256 = (key, message) => hmac(sha256, key, message);

/** The order of secp256k1. */
export const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** A number as 32 bytes, the highest first. */
export function scalar(value: bigint): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'));
}

export function addressOf(publicKey: Uint8Array): string {
  return toHex(keccak_256(publicKey.slice(1)).slice(-20));
}

/** Whose signature this is; `undefined` where it is malformed or recovers no key. */
export function signerOf(sighash: Uint8Array, signature: Uint8Array): string | undefined {
  const r = BigInt(`0x${toHex(signature.slice(0, 32))}`);
  const s = BigInt(`0x${toHex(signature.slice(32, 64))}`);
  const recovery = signature[64] ?? 255;
  if (r < 1n || r >= ORDER || s < 1n || s > ORDER / 2n || recovery > 1) return undefined;
  const recovered = join(Uint8Array.of(recovery), signature.slice(0, 64));
  try {
    return addressOf(secp.recoverPublicKey(recovered, sighash, { prehash: false, isCompressed: false }));
  } catch {
    return undefined;
  }
}

/** `signerOf` that works out each signature once: the same blocks are replayed over and over. */
export class Signers {
  readonly #known = new Map<string, string | undefined>();

  of(sighash: Uint8Array, signature: Uint8Array): string | undefined {
    const name = toHex(sighash) + toHex(signature);
    if (!this.#known.has(name)) this.#known.set(name, signerOf(sighash, signature));
    return this.#known.get(name);
  }
}

/** A signature in the form of the protocol. */
export function sign(sighash: Uint8Array, secret: Uint8Array): Uint8Array {
  const recovered = secp.sign(sighash, secret, { prehash: false, lowS: true, format: 'recovered' });
  return join(recovered.slice(1), recovered.slice(0, 1));
}

/** A key that everybody knows: its secret is a small number. */
export interface Key {
  readonly secret: Uint8Array;
  readonly address: string;
}

export function keyOf(number: number): Key {
  const secret = scalar(BigInt(number));
  return { secret, address: addressOf(secp.getPublicKey(secret, false)) };
}

/** A well-formed signature that recovers the point at infinity: `s` is chosen so that s·R = z·G. */
export function signatureOfNobody(sighash: Uint8Array): Uint8Array {
  const z = BigInt(`0x${toHex(sighash)}`) % ORDER;
  for (let nonce = 2n; ; nonce++) {
    const s = (z * inverse(nonce)) % ORDER;
    if (s === 0n || s > ORDER / 2n) continue;
    const { x, y } = secp.Point.BASE.multiply(nonce).toAffine();
    return join(scalar(x), scalar(s), Uint8Array.of(Number(y & 1n)));
  }
}

function inverse(value: bigint): bigint {
  let [a, b] = [value, ORDER];
  let [x, y] = [1n, 0n];
  while (b > 0n) {
    const quotient = a / b;
    [a, b] = [b, a - quotient * b];
    [x, y] = [y, x - quotient * y];
  }
  return ((x % ORDER) + ORDER) % ORDER;
}
