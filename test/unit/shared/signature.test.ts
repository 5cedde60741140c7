import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bigintFromBytes, bytesFromBigint } from '../../../shared/bytes/bigEndian.js';
import { toHex } from '../../../shared/bytes/hex.js';
import { nobleEngine, publicKeyOf, signDigest } from '../../../shared/crypto/secp.js';
import { recoverOwner } from '../../../shared/crypto/signature.js';
import { testKey } from '../../kit/builders.js';
import { allEngines } from '../../kit/engines.js';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
const keyNumber = fc.integer({ min: 1, max: 1_000_000 });
const engines = await allEngines();

test('the native engine is there: speed hangs on it', () => {
  expect(engines.map(({ name }) => name)).toContain('secp256k1');
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

  test.each([
    { what: 'r of 0', r: 0n, s: 1n, recovery: 0 },
    { what: 's of 0', r: 1n, s: 0n, recovery: 0 },
    { what: 'r of the order', r: ORDER, s: 1n, recovery: 0 },
    { what: 's of the order', r: 1n, s: ORDER, recovery: 0 },
    { what: 'r past the order', r: ORDER + 1n, s: 1n, recovery: 1 },
    { what: 'r of all ones', r: 2n ** 256n - 1n, s: 1n, recovery: 0 },
    { what: 'a recovery of 2', r: 1n, s: 1n, recovery: 2 },
    { what: 'a recovery of 27, as Ethereum writes it', r: 1n, s: 1n, recovery: 27 },
    { what: 'an r that is on no point of the curve', r: 5n, s: 1n, recovery: 0 },
  ])('$what is refused', ({ r, s, recovery }) => {
    const signature = Uint8Array.of(...bytesFromBigint(r, 32), ...bytesFromBigint(s, 32), recovery);
    expect(recoverOwner(engine, new Uint8Array(32).fill(1), signature)).toBeUndefined();
  });

  test('signatures of 64 and 66 bytes are refused', () => {
    const bytes = new Uint8Array(32).fill(1);
    const signature = signDigest(bytes, testKey(1).secretKey);
    expect(recoverOwner(engine, bytes, signature.subarray(0, 64))).toBeUndefined();
    expect(recoverOwner(engine, bytes, Uint8Array.of(...signature, 0))).toBeUndefined();
  });

  test('a crafted signature that recovers the point at infinity is refused, not a fault', () => {
    // Q = (s*R - z*G)/r is infinity where s*R = z*G. With R = k*G that is s = z/k: anybody can make it for any digest.
    for (const k of [1n, 2n, 3n, 7n, 12_345n]) {
      const point = publicKeyOf(bytesFromBigint(k, 32));
      const r = bigintFromBytes(point.subarray(1, 33)) % ORDER;
      const parity = (point[64] ?? 0) & 1;
      for (const s of [1n, 2n, 99n, ORDER / 2n]) {
        const z = (s * k) % ORDER;
        const signature = Uint8Array.of(...bytesFromBigint(r, 32), ...bytesFromBigint(s, 32), parity);
        expect(recoverOwner(engine, bytesFromBigint(z, 32), signature)).toBeUndefined();
      }
    }
  });

  test('any 65 bytes give what the reference gives', () => {
    const scalar = fc.oneof(
      digest,
      fc.constantFrom(0n, 1n, ORDER / 2n, ORDER - 1n, ORDER).map((n) => bytesFromBigint(n, 32)),
    );
    const signature = fc
      .tuple(scalar, scalar, fc.nat(3))
      .map(([r, s, recovery]) => Uint8Array.of(...r, ...s.with(0, (s[0] ?? 0) & 0x7f), recovery));
    fc.assert(
      fc.property(digest, signature, (bytes, any) => {
        expect(recoverOwner(engine, bytes, any)).toBe(recoverOwner(nobleEngine, bytes, any));
      }),
      { numRuns: 150 },
    );
  });
});

test('signing is deterministic: the nonce of RFC 6979 for key 1 and "Satoshi Nakamoto"', () => {
  // A published vector of the RFC 6979 nonce over secp256k1 with SHA-256 (from the Bitcoin community's test vectors).
  const message = Buffer.from('a0dc65ffca799873cbea0ac274015b9526505daaaed385155425f7337704883e', 'hex');
  const signature = signDigest(new Uint8Array(message), testKey(1).secretKey);
  expect(toHex(signature.subarray(0, 64))).toBe(
    '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8' +
      '2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
  );
});
