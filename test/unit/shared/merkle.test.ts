import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../../shared/bytes/hex.js';
import { hashNode } from '../../../shared/crypto/hash.js';
import { merklePath, merkleRoot, verifyMerkleProof } from '../../../shared/crypto/merkle.js';

const leaf = fc.uint8Array({ minLength: 32, maxLength: 32 });
const leaves = fc.uniqueArray(leaf, { minLength: 1, maxLength: 40, selector: (bytes) => toHex(bytes) });
const place = leaves.chain((list) => fc.record({ list: fc.constant(list), index: fc.nat(list.length - 1) }));

describe('Merkle tree', () => {
  test('the path of every leaf leads to the root', () => {
    fc.assert(
      fc.property(place, ({ list, index }) => {
        const proof = { index, count: list.length, path: merklePath(list, index) };
        expect(verifyMerkleProof(merkleRoot(list), list[index] ?? new Uint8Array(0), proof)).toBe(true);
      }),
    );
  });

  test('a proof with another index, count, leaf, or a path longer or shorter leads nowhere', () => {
    fc.assert(
      fc.property(place, leaf, ({ list, index }, other) => {
        const root = merkleRoot(list);
        const own = list[index] ?? new Uint8Array(0);
        const path = merklePath(list, index);
        const count = list.length;
        fc.pre(toHex(other) !== toHex(own));
        expect(verifyMerkleProof(root, other, { index, count, path })).toBe(false);
        expect(verifyMerkleProof(root, own, { index: count, count, path })).toBe(false);
        expect(verifyMerkleProof(root, own, { index, count: count + 1, path })).toBe(false);
        expect(verifyMerkleProof(root, own, { index, count, path: [...path, other] })).toBe(false);
        if (path.length > 0) expect(verifyMerkleProof(root, own, { index, count, path: path.slice(1) })).toBe(false);
        for (let moved = 0; moved < count; moved++)
          if (moved !== index) expect(verifyMerkleProof(root, own, { index: moved, count, path })).toBe(false);
      }),
    );
  });

  test('a list with its last entry twice has another root (CVE-2012-2459)', () => {
    fc.assert(
      fc.property(leaves, (list) => {
        expect(toHex(merkleRoot([...list, ...list.slice(-1)]))).not.toBe(toHex(merkleRoot(list)));
      }),
    );
  });

  test('an inner node never passes for a leaf', () => {
    fc.assert(
      fc.property(fc.tuple(leaf, leaf, leaf, leaf), ([a, b, c, d]) => {
        expect(toHex(merkleRoot([hashNode(a, b), hashNode(c, d)]))).not.toBe(toHex(merkleRoot([a, b, c, d])));
      }),
    );
  });

  test('three leaves: the odd one moves up as it is', () => {
    const [a, b, c] = [1, 2, 3].map((n) => new Uint8Array(32).fill(n)) as [Uint8Array, Uint8Array, Uint8Array];
    expect(merklePath([a, b, c], 2)).toEqual([hashNode(a, b)]);
  });
});
