import { bigintFromBytes } from '../bytes/bigEndian.js';
import { type BlockHash, idBytes } from '../model/ids.js';

const HASH_SPACE = 2n ** 256n;

/**
 * The target that compact bits spell: one byte of exponent, three of mantissa, as in Bitcoin's nBits. `undefined` where
 * they spell none: a negative, zero or overflowing number, or one that has a shorter spelling.
 */
export function targetFromBits(bits: number): bigint | undefined {
  const exponent = bits >>> 24;
  const mantissa = bits & 0x00ff_ffff;
  // A BigInt shifted left by a negative number is shifted right.
  const target = BigInt(mantissa) << BigInt(8 * (exponent - 3));
  if (target === 0n || target >= HASH_SPACE) return undefined;
  return bitsFromTarget(target) === bits ? target : undefined;
}

/** The compact form of a target, rounded down to its three leading bytes. */
export function bitsFromTarget(target: bigint): number {
  let size = Math.ceil(target.toString(16).length / 2);
  let mantissa = Number(target << BigInt(8 * (3 - size)));
  // The top bit of the mantissa is a sign, as in OpenSSL's format that this comes from: a number is never written with it.
  if (mantissa & 0x0080_0000) {
    mantissa >>= 8;
    size += 1;
  }
  return ((size << 24) | mantissa) >>> 0;
}

/** The hash as the number that must not exceed the target. */
export function hashAsNumber(hash: BlockHash): bigint {
  return bigintFromBytes(idBytes(hash));
}

/** How many hashes a block of this target takes on average: what chains are compared by. */
export function workOfTarget(target: bigint): bigint {
  return HASH_SPACE / (target + 1n);
}

/** How many times harder than the network's easiest target, for people to read. */
export function difficultyOf(target: bigint, limit: bigint): number {
  const PRECISION = 1_000_000n;
  return Number((limit * PRECISION) / target) / Number(PRECISION);
}
