import type { Random } from '../../../server/ports.js';
import { hashText } from './hashText.js';

/** Where a sequence of chance stands: four words of 32 bits. */
export type DiceState = readonly [number, number, number, number];

/**
 * Chance that a seed decides: the same seed, the same draws. It is Chris Doty-Humphrey's `sfc32` (PractRand), fit for
 * simulations and for nothing that must be secret.
 */
export class Dice implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  constructor(seed: DiceState) {
    [this.#a, this.#b, this.#c, this.#counter] = seed;
  }

  /** The dice of a seed for one purpose: what one part draws moves no other part's draws. */
  static of(seed: number, purpose: string): Dice {
    const dice = new Dice([hashText(`${seed}/${purpose}`), seed | 0, hashText(purpose), 1]);
    for (let i = 0; i < 12; i++) dice.#next();
    return dice;
  }

  get state(): DiceState {
    return [this.#a, this.#b, this.#c, this.#counter];
  }

  set state([a, b, c, counter]: DiceState) {
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#counter = counter;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#next() & 255);
  }

  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  /** From 0 up to but not with 1. */
  fraction(): number {
    return this.#next() / 2 ** 32;
  }

  /** A whole number from `least` to `most`, both possible. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** A number within a range, not only whole ones. */
  within([least, most]: readonly [number, number]): number {
    return least + this.fraction() * (most - least);
  }

  chance(probability: number): boolean {
    // No draw where nothing can come of it: a network without loss draws the same as one that never heard of loss.
    return probability > 0 && this.fraction() < probability;
  }

  pick<T>(items: readonly [T, ...T[]]): T;
  pick<T>(items: readonly T[]): T | undefined;
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)];
  }

  shuffled<T>(items: readonly T[]): T[] {
    const rest = [...items];
    const shuffled: T[] = [];
    while (rest.length > 0) shuffled.push(...rest.splice(this.below(rest.length), 1));
    return shuffled;
  }

  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + sum) | 0;
    return sum >>> 0;
  }
}
