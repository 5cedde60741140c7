import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bigintFromBytes, bytesFromBigint } from '../../../shared/bytes/bigEndian.js';
import { fromHex, toHex } from '../../../shared/bytes/hex.js';
import { checkSignatures } from '../../../shared/consensus/checkInputs.js';
import { publicKeyOf, signDigest } from '../../../shared/crypto/secp.js';
import { type RecoveryEngine, recoverOwner } from '../../../shared/crypto/signature.js';
import { addressOfPublicKey } from '../../../shared/model/address.js';
import { assertRefused, present } from '../../kit/assertOk.js';
import { testKey } from '../../kit/builders.js';
import { allEngines } from '../../support/engines.js';
import { FIELD, mutatedSignatures, ORDER } from '../../support/mutatedSignatures.js';

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
const keyNumber = fc.integer({ min: 1, max: 1_000_000 });
const engines = await allEngines();
const signatureOf = (r: bigint, s: bigint, recovery: number): Uint8Array =>
  Uint8Array.of(...bytesFromBigint(r, 32), ...bytesFromBigint(s, 32), recovery);

/** Takes everything: what it is asked for is what our own checks have let through. */
const lenient: RecoveryEngine = { name: 'lenient', recover: () => publicKeyOf(testKey(1).secretKey) };

test('all engines are there: none is tested less than another', () => {
  // The platforms for which the package of the native engine has a binary.
  const hasBinary = ['linux-x64', 'win32-x64', 'darwin-arm64'].includes(`${process.platform}-${process.arch}`);
  expect(engines.map(({ name }) => name)).toEqual(['noble', 'wasm', ...(hasBinary ? ['native'] : [])]);
});

describe('before any engine is asked', () => {
  const some = new Uint8Array(32).fill(1);
  const half = ORDER / 2n;

  test.each([
    { what: 'r of 0', r: 0n, s: 1n, recovery: 0 },
    { what: 's of 0', r: 1n, s: 0n, recovery: 0 },
    { what: 'r of the order', r: ORDER, s: 1n, recovery: 0 },
    { what: 's of the order', r: 1n, s: ORDER, recovery: 0 },
    { what: 'r past the order', r: ORDER + 1n, s: 1n, recovery: 1 },
    { what: 'r of all ones', r: 2n ** 256n - 1n, s: 1n, recovery: 0 },
    { what: 's of all ones', r: 1n, s: 2n ** 256n - 1n, recovery: 0 },
    { what: 's just in the upper half', r: 1n, s: half + 1n, recovery: 0 },
    { what: 's of the order less one', r: 1n, s: ORDER - 1n, recovery: 0 },
    { what: 'a recovery of 2', r: 1n, s: 1n, recovery: 2 },
    { what: 'a recovery of 3', r: 1n, s: 1n, recovery: 3 },
    { what: 'a recovery of 27, as Ethereum writes it', r: 1n, s: 1n, recovery: 27 },
    { what: 'a recovery of 255', r: 1n, s: 1n, recovery: 255 },
  ])('$what is refused', ({ r, s, recovery }) => {
    expect(recoverOwner(lenient, some, signatureOf(r, s, recovery))).toBeUndefined();
  });

  test.each([0, 1, 64, 66, 130])('a signature of %i bytes is refused', (length) => {
    expect(recoverOwner(lenient, some, new Uint8Array(length).fill(1))).toBeUndefined();
  });

  test.each([
    { what: 'the least r and s', r: 1n, s: 1n, recovery: 0 },
    { what: 'the greatest r and s', r: ORDER - 1n, s: half, recovery: 1 },
  ])('$what are let through: the checks take nothing that is good', ({ r, s, recovery }) => {
    expect(recoverOwner(lenient, some, signatureOf(r, s, recovery))).toBe(testKey(1).address);
  });
});

describe.each(engines)('engine $name', (engine) => {
  test('what a key signs is recovered to its address', () => {
    fc.assert(
      fc.property(keyNumber, digest, (number, bytes) => {
        const { secretKey, address } = testKey(number);
        expect(recoverOwner(engine, bytes, signDigest(bytes, secretKey))).toBe(address);
      }),
      { numRuns: 40 },
    );
  });

  test('the other spelling of a signature, with s in the upper half, is refused', () => {
    fc.assert(
      fc.property(keyNumber, digest, (number, bytes) => {
        const signature = signDigest(bytes, testKey(number).secretKey);
        const s = bigintFromBytes(signature.subarray(32, 64));
        const twin = Uint8Array.from(signature);
        twin.set(bytesFromBigint(ORDER - s, 32), 32);
        twin[64] = 1 - (signature[64] ?? 0);
        expect(recoverOwner(engine, bytes, twin)).toBeUndefined();
      }),
      { numRuns: 20 },
    );
  });

  test('an r that is on no point of the curve is refused', () => {
    // 5^3 + 7 is no square in the field.
    expect(recoverOwner(engine, new Uint8Array(32).fill(1), signatureOf(5n, 1n, 0))).toBeUndefined();
  });

  test('the x coordinates past the order, which recovery values 2 and 3 stand for, have no spelling', () => {
    const bytes = new Uint8Array(32).fill(1);
    // Small r whose r + n is on the curve: the engines would recover a key from it, were they asked with 2 or 3.
    const found = [1n, 2n, 3n, 4n, 6n, 8n, 9n, 10n, 11n, 12n].filter((r) => isOnCurve(r + ORDER));
    expect(found.length).toBeGreaterThan(2);
    for (const r of found)
      for (const signature of [signatureOf(r, 1n, 2), signatureOf(r, 1n, 3), signatureOf(r + ORDER, 1n, 0)])
        expect(recoverOwner(engine, bytes, signature)).toBeUndefined();
  });

  test('signatures of 64 and 66 bytes are refused', () => {
    const bytes = new Uint8Array(32).fill(1);
    const signature = signDigest(bytes, testKey(1).secretKey);
    expect(recoverOwner(engine, bytes, signature.subarray(0, 64))).toBeUndefined();
    expect(recoverOwner(engine, bytes, Uint8Array.of(...signature, 0))).toBeUndefined();
  });

  test('a digest of nothing but zeros is signed and checked like any other', () => {
    const zero = new Uint8Array(32);
    const { secretKey, address } = testKey(1);
    expect(recoverOwner(engine, zero, signDigest(zero, secretKey))).toBe(address);
    // Q = (s/r)*R then: with R = G and s = r anybody gets the key 1, and nobody gets a key of somebody else.
    const { r, parity } = nonceOf(1n);
    const low = r <= ORDER / 2n ? signatureOf(r, r, parity) : signatureOf(r, ORDER - r, 1 - parity);
    expect(recoverOwner(engine, zero, low)).toBe(addressOfPublicKey(publicKeyOf(bytesFromBigint(1n, 32))));
  });

  test('a crafted signature that recovers the point at infinity is refused as invalid, not a fault', () => {
    // Q = (s*R - z*G)/r is infinity where s*R = z*G. With R = k*G that is s = z/k: anybody can make it for any digest.
    for (const k of [1n, 2n, 3n, 7n, 12_345n]) {
      const { r, parity } = nonceOf(k);
      for (const s of [1n, 2n, 99n, ORDER / 2n]) {
        const check = {
          digest: bytesFromBigint((s * k) % ORDER, 32),
          signatures: [signatureOf(r, s, parity)],
          owners: [testKey(1).address],
        };
        expect(assertRefused(checkSignatures(engine, check))).toEqual({ code: 'tx-signature-invalid', signature: 0 });
      }
    }
  });
});

describe('the engines against each other', () => {
  const seed = Number(process.env['TRESTLE_SEED'] ?? 20_261_123);
  // The reference checks some 560 a second: all of it only on demand.
  const sampled = process.env['TRESTLE_ALL_SIGNATURES'] === undefined ? 21 : 1;

  test(`give the same owner, or the same refusal, for 10,000 changed signatures (seed ${seed})`, {
    timeout: 120_000,
  }, () => {
    const [reference, ...fast] = engines;
    const [owners, refused, disputed] = [new Set<string>(), new Set<number>(), [] as string[]];
    for (const [i, { digest: bytes, signature }] of mutatedSignatures(10_000, seed).entries()) {
      const verdicts = fast.map((engine) => recoverOwner(engine, bytes, signature));
      // A stride that shares no factor with the number of ways to change one, so that the sample has all of them.
      if (i % sampled === 0) verdicts.push(recoverOwner(present(reference), bytes, signature));
      if (new Set(verdicts).size !== 1) disputed.push(`number ${i}: ${toHex(signature)} over ${toHex(bytes)}`);
      const owner = verdicts[0];
      if (owner === undefined) refused.add(i);
      else owners.add(owner);
    }
    expect(disputed, `seed ${seed}`).toEqual([]);
    // Neither all refused nor all taken: both would prove little.
    expect(owners.size).toBeGreaterThan(1_000);
    expect(refused.size).toBeGreaterThan(3_000);
  });
});

/** Published vectors of RFC 6979 over secp256k1 with SHA-256, from the Bitcoin community (bitcoin-core and trezor-crypto have them). */
test.each([
  [
    'Satoshi Nakamoto',
    '1',
    '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d82442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
  ],
  [
    'All those moments will be lost in time, like tears in rain. Time to die...',
    '1',
    '8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21',
  ],
  [
    'Satoshi Nakamoto',
    'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140',
    'fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d06b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5',
  ],
  [
    'Alan Turing',
    'f8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181',
    '7063ae83e7f62bbb171798131b4a0564b956930092b33b07b395615d9ec7e15c58dfcc1e00a35e1572f366ffe34ba0fc47db1e7189759b9fb233c5b05ab388ea',
  ],
  [
    "There is a computer disease that anybody who works with computers knows about. It's a very serious disease and it interferes completely with the work. The trouble with computers is that you 'play' with them!",
    'e91671c46231f833a6406ccbea0e3e392c76c167bac1cb013f6f1013980455c2',
    'b552edd27580141f3b2a5463048cb7cd3e047b97c9f98076c32dbdf85a68718b279fa72dd19bfae05577e06c7c0c1900c371fcd5893f7e1d56a37d30174671f6',
  ],
])('signing is deterministic, with the nonce of RFC 6979: %s, key %s', (message, key, signature) => {
  const bytes = sha256(new TextEncoder().encode(message));
  const signed = signDigest(bytes, fromHex(key.padStart(64, '0')));
  expect(toHex(signed.subarray(0, 64))).toBe(signature);
});

/** The nonce point k*G as a signature names it. */
function nonceOf(k: bigint): { r: bigint; parity: number } {
  const point = publicKeyOf(bytesFromBigint(k, 32));
  return { r: bigintFromBytes(point.subarray(1, 33)) % ORDER, parity: (point[64] ?? 0) & 1 };
}

/** Euler's criterion on x^3 + 7. */
function isOnCurve(x: bigint): boolean {
  if (x >= FIELD) return false;
  let [base, exponent, power] = [(x ** 3n + 7n) % FIELD, (FIELD - 1n) / 2n, 1n];
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) power = (power * base) % FIELD;
    base = (base * base) % FIELD;
  }
  return power === 1n;
}
