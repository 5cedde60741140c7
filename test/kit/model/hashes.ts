import { sha256 } from '@noble/hashes/sha2.js';
import { join, little, text, toHex } from './bytes.js';

/** The tagged hash of BIP 340. */
export function tagged(tag: string, message: Uint8Array): Uint8Array {
  const prefix = sha256(text(tag));
  return sha256(join(prefix, prefix, message));
}

export function doubleSha(bytes: Uint8Array): Uint8Array {
  return sha256(sha256(bytes));
}

/** The root over wtxids, level by level: a node without a partner moves up as it is. */
export function merkleRoot(wtxids: readonly Uint8Array[]): string {
  let level = wtxids;
  while (level.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const pair = level.slice(i, i + 2);
      const [only] = pair;
      above.push(pair.length === 1 && only !== undefined ? only : tagged('trestle/node', join(...pair)));
    }
    level = above;
  }
  return toHex(tagged('trestle/root', join(little(wtxids.length, 4), ...level)));
}
