import fc from 'fast-check';
import { expect, test } from 'vitest';
import { merkleRoot } from '../../../shared/crypto/merkle.js';
import { MerkleTree } from '../../../shared/crypto/merkleTree.js';

const leaf = fc.uint8Array({ minLength: 32, maxLength: 32 });
const step = fc.oneof(
  fc.record({ kind: fc.constant('push' as const), leaves: fc.array(leaf, { maxLength: 20 }) }),
  fc.record({ kind: fc.constant('pop' as const), count: fc.nat(20) }),
  fc.record({ kind: fc.constant('set' as const), leaf, index: fc.nat() }),
  fc.record({ kind: fc.constant('root' as const) }),
);

test('after any changes a tree has the root and the leaves of the list it stands for', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const tree = new MerkleTree();
      const list: Uint8Array[] = [];
      for (const each of steps) {
        if (each.kind === 'push')
          for (const added of each.leaves) {
            tree.push(added);
            list.push(added);
          }
        if (each.kind === 'pop')
          for (let i = 0; i < each.count; i++) {
            tree.pop();
            list.pop();
          }
        if (each.kind === 'set' && list.length > 0) {
          tree.set(each.index % list.length, each.leaf);
          list[each.index % list.length] = each.leaf;
        }
        if (each.kind === 'root') expect(tree.root()).toEqual(merkleRoot(list));
      }
      expect(tree.root()).toEqual(merkleRoot(list));
      expect(tree.length).toBe(list.length);
      expect(list.map((_, i) => tree.leaf(i))).toEqual(list);
    }),
  );
});

test('a leaf that is not there cannot be set', () => {
  const tree = new MerkleTree();
  tree.push(new Uint8Array(32));
  for (const index of [-1, 1, 0.5])
    expect(() => tree.set(index, new Uint8Array(32))).toThrow(`no leaf ${index} among 1`);
});
