import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../../shared/bytes/hex.js';
import { hashNode, hashRoot } from '../../../shared/crypto/hash.js';
import { merklePath, merkleRoot, verifyMerkleProof } from '../../../shared/crypto/merkle.js';
import { present } from '../../kit/assertOk.js';

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

  test('a proof of figures that are none, or of partners that are no digests, leads nowhere', () => {
    const list = [1, 2, 3, 4, 5].map((n) => new Uint8Array(32).fill(n));
    const root = merkleRoot(list);
    const own = present(list[4]);
    const proof = { index: 4, count: 5, path: merklePath(list, 4) };
    expect(verifyMerkleProof(root, own, proof)).toBe(true);
    const changes: Partial<typeof proof>[] = [
      { index: -1 },
      { index: 5 },
      { index: 4.5 },
      { index: Number.NaN },
      { count: 0 },
      { count: 5.5 },
      { count: Number.POSITIVE_INFINITY },
      { count: 2 ** 32 },
      { path: [] },
      { path: [new Uint8Array(31)] },
      { path: [...proof.path, new Uint8Array(0)] },
    ];
    for (const change of changes) expect(verifyMerkleProof(root, own, { ...proof, ...change })).toBe(false);
  });

  test('an index or a count that is none is refused even where the digests would fit', () => {
    const own = new Uint8Array(32).fill(9);
    const path = [1, 2, 3].map((n) => new Uint8Array(32).fill(n));
    const fold = (partners: readonly Uint8Array[]) =>
      partners.reduce<Uint8Array>((digest, partner) => hashNode(partner, digest), own);
    const rootOver = (top: Uint8Array) => hashRoot(Uint8Array.of(5, 0, 0, 0), top);
    // What follows would be taken for right-hand places at each level.
    for (const index of [-1, Number.NaN])
      expect(verifyMerkleProof(rootOver(fold(path)), own, { index, count: 5, path })).toBe(false);
    const two = path.slice(1);
    expect(verifyMerkleProof(rootOver(fold(two)), own, { index: 4.5, count: 5, path: two })).toBe(false);
    // And these would ask for the root of a tree that no block can have.
    expect(verifyMerkleProof(rootOver(own), own, { index: 4, count: 5.5, path: two })).toBe(false);
    const steps = Array.from({ length: 32 }, () => own);
    expect(verifyMerkleProof(rootOver(own), own, { index: 4, count: 2 ** 32, path: steps })).toBe(false);
  });

  test('a tree of 2^32-1 leaves is the largest: its proofs are followed in 32 steps', () => {
    const own = new Uint8Array(32).fill(1);
    const partners = Array.from({ length: 32 }, (_, i) => new Uint8Array(32).fill(i + 2));
    const rootOver = (top: Uint8Array) => hashRoot(Uint8Array.of(255, 255, 255, 255), top);
    const left = partners.reduce<Uint8Array>((digest, partner) => hashNode(digest, partner), own);
    expect(verifyMerkleProof(rootOver(left), own, { index: 0, count: 0xffff_ffff, path: partners })).toBe(true);
    // The last leaf has no partner of its own, and one at each level above.
    const path = partners.slice(1);
    const right = path.reduce<Uint8Array>((digest, partner) => hashNode(partner, digest), own);
    const last = { index: 0xffff_fffe, count: 0xffff_ffff, path };
    expect(verifyMerkleProof(rootOver(right), own, last)).toBe(true);
    expect(verifyMerkleProof(rootOver(left), own, { ...last, path: partners })).toBe(false);
  });

  test('a partner is 32 bytes: a longer one would let other bytes pose as a digest', () => {
    const [own, partner] = [new Uint8Array(32).fill(1), new Uint8Array(33).fill(2)];
    const root = hashRoot(Uint8Array.of(2, 0, 0, 0), hashNode(own, partner));
    expect(verifyMerkleProof(root, own, { index: 0, count: 2, path: [partner] })).toBe(false);
  });

  test('the root of no leaves is that of an empty tree, and there is no path to a leaf that is not there', () => {
    expect(merkleRoot([])).toEqual(hashRoot(new Uint8Array(4), new Uint8Array(0)));
    const one = [new Uint8Array(32)];
    expect(merkleRoot(one)).toEqual(hashRoot(Uint8Array.of(1, 0, 0, 0), new Uint8Array(32)));
    expect(merklePath(one, 0)).toEqual([]);
    for (const index of [-1, 1, 0.5]) expect(() => merklePath(one, index)).toThrow(`no leaf ${index} among 1`);
  });

  test('three leaves: the odd one moves up as it is', () => {
    const [a, b, c] = [1, 2, 3].map((n) => new Uint8Array(32).fill(n)) as [Uint8Array, Uint8Array, Uint8Array];
    expect(merklePath([a, b, c], 2)).toEqual([hashNode(a, b)]);
  });
});
