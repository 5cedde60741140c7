import { bigintFromBytes, bytesFromBigint } from '../../shared/bytes/bigEndian.js';
import { signDigest } from '../../shared/crypto/secp.js';
import { present } from '../kit/assertOk.js';
import { testKey } from '../kit/builders.js';

/** The order of the group of secp256k1. */
export const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
/** The prime of its field. */
export const FIELD = 2n ** 256n - 2n ** 32n - 977n;

/** A digest with something that may be a signature of it. */
export interface Candidate {
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
}

/** Numbers that look random and are the same each time (xorshift32; Marsaglia, 2003). */
function numbersFrom(seed: number): Pick {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const EDGES = [
  0n,
  1n,
  2n,
  ORDER / 2n,
  ORDER / 2n + 1n,
  ORDER - 1n,
  ORDER,
  ORDER + 1n,
  FIELD - ORDER,
  FIELD,
  2n ** 256n - 1n,
];

/** A candidate, taken apart. */
interface Parts {
  readonly digest: Uint8Array;
  readonly r: bigint;
  readonly s: bigint;
  readonly recovery: number;
}

type Pick = (below: number) => number;

const wrapped = (value: bigint): bigint => BigInt.asUintN(256, value);
const edge = (pick: Pick): bigint => present(EDGES[pick(EDGES.length)]);
const bit = (pick: Pick): bigint => 1n << BigInt(pick(256));
// Below p - n, where r + n is an x coordinate, too: what recovery values 2 and 3 stand for.
const small = (pick: Pick): bigint => BigInt(pick(1_000_000)) + 1n;

/** What is done to good signatures: slips, and every trick there is with r, s and the recovery value. */
const CHANGES: readonly ((it: Parts, pick: Pick) => Partial<Parts>)[] = [
  () => ({}),
  ({ r }, pick) => ({ r: r ^ bit(pick) }),
  ({ s }, pick) => ({ s: s ^ bit(pick) }),
  ({ digest }, pick) => ({ digest: digest.with(pick(32), pick(256)) }),
  () => ({ digest: new Uint8Array(32) }),
  ({ recovery }) => ({ recovery: 1 - recovery }),
  (_, pick) => ({ recovery: pick(256) }),
  ({ recovery }) => ({ recovery: recovery + 2 }),
  ({ s, recovery }) => ({ s: ORDER - s, recovery: 1 - recovery }),
  ({ r }) => ({ r: wrapped(r + ORDER) }),
  ({ s }) => ({ s: wrapped(s + ORDER) }),
  (_, pick) => ({ r: edge(pick) }),
  (_, pick) => ({ s: edge(pick) }),
  (_, pick) => ({ r: small(pick) }),
  ({ recovery }, pick) => ({ r: small(pick), recovery: recovery + 2 }),
  ({ r, s }) => ({ r: s, s: r }),
];

/** Signatures of a few keys, each changed in one of those ways. The same seed gives the same ones. */
export function mutatedSignatures(count: number, seed: number): Candidate[] {
  const pick = numbersFrom(seed);
  const signed = Array.from({ length: 40 }, (_, i) => {
    const digest = Uint8Array.from({ length: 32 }, () => pick(256));
    return { digest, signature: signDigest(digest, testKey(i + 1).secretKey) };
  });
  return Array.from({ length: count }, (_, i) => {
    const { digest, signature } = present(signed[pick(signed.length)]);
    const good = {
      digest,
      r: bigintFromBytes(signature.subarray(0, 32)),
      s: bigintFromBytes(signature.subarray(32, 64)),
      recovery: present(signature[64]),
    };
    const changed = { ...good, ...present(CHANGES[i % CHANGES.length])(good, pick) };
    const { r, s, recovery } = changed;
    return {
      digest: changed.digest,
      signature: Uint8Array.of(...bytesFromBigint(r, 32), ...bytesFromBigint(s, 32), recovery),
    };
  });
}
