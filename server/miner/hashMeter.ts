/** How far back the rate of the moment looks, in milliseconds, and how fine. */
const SPAN_MS = 10_000;
const STEP_MS = 250;

interface Sample {
  readonly at: number;
  readonly hashes: bigint;
}

/** Hashes a second: lately, and since the start. */
export interface HashRates {
  readonly now: number;
  readonly overall: number;
}

/** Works out hash rates from sums seen now and then. Pure: the time is an argument. Bound: a sample for each quarter of ten seconds. */
export class HashMeter {
  readonly #first: Sample;
  /** Oldest first; the first is as old as the span, or older. */
  #samples: Sample[];

  constructor(now: number) {
    this.#first = { at: now, hashes: 0n };
    this.#samples = [this.#first];
  }

  /** Takes the sum of all hashes so far; answers the rates. */
  look(hashes: bigint, now: number): HashRates {
    const sample = { at: now, hashes };
    if (now - (this.#samples.at(-1)?.at ?? 0) >= STEP_MS) this.#samples.push(sample);
    while ((this.#samples[1]?.at ?? now) <= now - SPAN_MS) this.#samples.shift();
    return { now: rate(this.#samples[0] ?? this.#first, sample), overall: rate(this.#first, sample) };
  }
}

function rate(from: Sample, to: Sample): number {
  const ms = to.at - from.at;
  return ms <= 0 ? 0 : (Number(to.hashes - from.hashes) * 1_000) / ms;
}
