import { equalBytes } from '../bytes/compare.js';
import { ByteWriter } from '../bytes/writer.js';
import { HASH_BYTES, hashNode, hashRoot } from './hash.js';

/**
 * The Merkle root over the wtxids of a block: `H(root, count || tree)`. A node without a partner moves up as it is
 * and is never doubled, and the count is hashed in, so no other list has the same root (CVE-2012-2459); leaf and node
 * digests have tags of their own, so no transaction can pose as a node (the 64-byte weakness that BIP 54 describes).
 */
export function merkleRoot(wtxids: readonly Uint8Array[]): Uint8Array {
  let level = wtxids;
  while (level.length > 1) level = nextLevel(level);
  return rootOf(wtxids.length, level[0] ?? new Uint8Array(0));
}

/** The partners that lead from leaf `index` up to the top, lowest first. */
export function merklePath(wtxids: readonly Uint8Array[], index: number): Uint8Array[] {
  if (!(index in wtxids)) throw new RangeError(`no leaf ${index} among ${wtxids.length}`);
  const path: Uint8Array[] = [];
  let level = wtxids;
  let position = index;
  while (level.length > 1) {
    const partner = level[position ^ 1];
    if (partner !== undefined) path.push(partner);
    level = nextLevel(level);
    position >>= 1;
  }
  return path;
}

/** Where a transaction stands in its block, and the way up from it. */
export interface MerkleProof {
  /** Position in the block, from 0. */
  readonly index: number;
  /** How many transactions the block holds. */
  readonly count: number;
  /** Partners from the leaf up, 32 bytes each. */
  readonly path: readonly Uint8Array[];
}

/** Whether the proof leads from `wtxid` to `root`. The path must have exactly the length that index and count ask for. */
export function verifyMerkleProof(root: Uint8Array, wtxid: Uint8Array, proof: MerkleProof): boolean {
  const { index, count, path } = proof;
  if (!Number.isInteger(index) || !Number.isInteger(count) || index < 0 || index >= count || count > 0xffff_ffff)
    return false;
  if (path.some((partner) => partner.length !== HASH_BYTES)) return false;
  let digest = wtxid;
  let used = 0;
  let position = index;
  for (let width = count; width > 1; width = Math.ceil(width / 2)) {
    // No bit operators: from position 2^31 on, they would answer with a negative number.
    const isLeft = position % 2 === 0;
    if (!isLeft || position + 1 < width) {
      const partner = path[used++];
      if (partner === undefined) return false;
      digest = isLeft ? hashNode(digest, partner) : hashNode(partner, digest);
    }
    position = Math.floor(position / 2);
  }
  return used === path.length && equalBytes(rootOf(count, digest), root);
}

function nextLevel(level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const left = level[i];
    const right = level[i + 1];
    if (left !== undefined) above.push(joined(left, right));
  }
  return above;
}

/** The node above two neighbours; one without a partner moves up as it is. */
export function joined(left: Uint8Array, right: Uint8Array | undefined): Uint8Array {
  return right === undefined ? left : hashNode(left, right);
}

/** The root over a tree of so many leaves. */
export function rootOf(count: number, top: Uint8Array): Uint8Array {
  return hashRoot(new ByteWriter(4).u32(count).finish(), top);
}
