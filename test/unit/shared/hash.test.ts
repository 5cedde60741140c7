import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromHex, toHex } from '../../../shared/bytes/hex.js';
import * as hash from '../../../shared/crypto/hash.js';

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hasher = createHash('sha256');
  for (const part of parts) hasher.update(part);
  return hasher.digest();
}

test.each([
  ['trestle/txid', hash.hashTxid],
  ['trestle/wtxid', hash.hashWtxid],
  ['trestle/sighash', hash.hashSighash],
  ['trestle/node', hash.hashNode],
  ['trestle/root', hash.hashRoot],
  ['trestle/params', hash.hashParams],
  ['trestle/contract', hash.hashContract],
])('%s is the tagged hash of its parts, one after the other', (tag, tagged) => {
  const digest = sha256(Buffer.from(tag));
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 4 }), (parts) => {
      expect(Buffer.from(tagged(...parts))).toEqual(sha256(digest, digest, ...parts));
    }),
  );
});

test('a header is hashed with sha256 twice', () => {
  const header = new Uint8Array(92).fill(7);
  expect(Buffer.from(hash.hashHeader(header))).toEqual(sha256(sha256(header)));
});

test('keccak256 is Ethereum’s, not SHA3-256', () => {
  // The digest of nothing, as the Ethereum Yellow Paper states it for an empty account's code.
  expect(toHex(hash.keccak256(fromHex('')))).toBe('c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470');
});
