/** Chance that can be had again: the same seed throws the same numbers (xorshift32, seeded by FNV-1a over a text). */
export class Dice {
  #state: number;

  constructor(seed: string) {
    let hash = 0x811c9dc5;
    for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193);
    this.#state = hash === 0 ? 1 : hash;
    // Seeds that differ in their last letter begin alike.
    for (let i = 0; i < 8; i++) this.#next();
  }

  /** 0 to `count` - 1. */
  below(count: number): number {
    return this.#next() % count;
  }

  chance(probability: number): boolean {
    return this.#next() < probability * 2 ** 32;
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#next() >>> 13);
  }

  #next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }
}
