import { joined, rootOf } from './merkle.js';

/**
 * A Merkle tree whose leaves can be changed: the same root as `merkleRoot`, and only what lies above changed leaves is
 * hashed again, when the root is next asked for. Holds twice as many digests as it has leaves.
 */
export class MerkleTree {
  /** The leaves, then level by level up to the one digest at the top, as of the last root. */
  readonly #levels: Uint8Array[][] = [[]];
  /** Leaves whose nodes above are out of date. */
  readonly #changed = new Set<number>();

  get length(): number {
    return this.#leaves.length;
  }

  leaf(index: number): Uint8Array | undefined {
    return this.#leaves[index];
  }

  /** Puts another digest in the place of a leaf. */
  set(index: number, leaf: Uint8Array): void {
    if (!(index in this.#leaves)) throw new RangeError(`no leaf ${index} among ${this.length}`);
    if (this.#leaves[index] === leaf) return;
    this.#leaves[index] = leaf;
    this.#changed.add(index);
  }

  push(leaf: Uint8Array): void {
    this.#changed.add(this.#leaves.push(leaf) - 1);
  }

  /** Takes the last leaf off. */
  pop(): void {
    this.#leaves.pop();
    // Of what is left, only nodes above the new last leaf had it below them.
    if (this.length > 0) this.#changed.add(this.length - 1);
  }

  root(): Uint8Array {
    let level = this.#leaves;
    let changed: Iterable<number> = [...this.#changed].filter((index) => index < this.length);
    this.#changed.clear();
    for (let depth = 1; level.length > 1; depth++) {
      const above = this.#levelAt(depth);
      above.length = Math.ceil(level.length / 2);
      const parents = new Set<number>();
      for (const index of changed) parents.add(index >> 1);
      for (const parent of parents) {
        const left = level[2 * parent];
        if (left !== undefined) above[parent] = joined(left, level[2 * parent + 1]);
      }
      [level, changed] = [above, parents];
    }
    return rootOf(this.length, level[0] ?? new Uint8Array(0));
  }

  get #leaves(): Uint8Array[] {
    return this.#levelAt(0);
  }

  #levelAt(depth: number): Uint8Array[] {
    const level = this.#levels[depth] ?? [];
    this.#levels[depth] = level;
    return level;
  }
}
