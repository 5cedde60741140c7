/** What is to be run again. */
export interface Replay {
  readonly seed: number;
  readonly nodes: number;
  /** The numbers of the steps taken; all of them where `undefined`. */
  readonly steps?: readonly number[] | undefined;
}

/** The command that runs a seed again and prints what happens. */
export function replayCommand({ seed, nodes, steps }: Replay): string {
  const only = steps === undefined ? '' : ` --steps ${steps.length === 0 ? 'none' : steps.join()}`;
  return `trestle sim --seed ${seed} --nodes ${nodes}${only} --trace`;
}

/** Reads what stands after `--steps`; `undefined` where that is no list of steps. */
export function parseSteps(text: string): readonly number[] | undefined {
  if (text === 'none') return [];
  const numbers = text.split(',').map((part) => (/^[1-9]\d{0,5}$/.test(part) ? Number(part) : Number.NaN));
  return numbers.some(Number.isNaN) ? undefined : numbers;
}
