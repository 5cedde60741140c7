/** A run of a seed that is still to come. */
export interface Turn {
  readonly seed: number;
  /** Whether the seed is run for the first time, or again, to see whether it goes the same way. */
  readonly again: boolean;
}

/**
 * Which seed a process runs next. Those run twice come to another process the second time, where there is one: what a process
 * remembers from earlier runs must not change how a run goes. Pure bookkeeping.
 */
export class Rounds {
  readonly #fresh: number[];
  #waiting: { readonly seed: number; readonly by: number }[] = [];

  readonly #repeated: ReadonlySet<number>;

  /** `repeated` of the seeds, the first ones, are run twice. */
  constructor(seeds: readonly number[], repeated: number = seeds.length) {
    this.#fresh = [...seeds];
    this.#repeated = new Set(seeds.slice(0, repeated));
  }

  /** Takes the next turn for a process; `undefined` where none is left. */
  next(worker: number): Turn | undefined {
    const foreign = this.#waiting.find(({ by }) => by !== worker);
    if (foreign !== undefined) return this.#again(foreign);
    const seed = this.#fresh.shift();
    if (seed !== undefined) {
      if (this.#repeated.has(seed)) this.#waiting.push({ seed, by: worker });
      return { seed, again: false };
    }
    const [own] = this.#waiting;
    return own === undefined ? undefined : this.#again(own);
  }

  #again(turn: { readonly seed: number; readonly by: number }): Turn {
    this.#waiting = this.#waiting.filter((each) => each !== turn);
    return { seed: turn.seed, again: true };
  }
}
