import type { TraceLine } from '../sim/trace.js';
import type { Broken, Outcome } from './outcome.js';
import { type RunOptions, runScenario } from './runScenario.js';
import type { Scenario } from './scenario.js';

/** How much may be spent on making a failure small. */
export interface ShrinkLimits {
  readonly runs: number;
  readonly ms: number;
}

/** A failure with little around it. */
export interface Shrunk {
  /** The numbers of the steps that still break the same invariant. */
  readonly steps: readonly number[];
  readonly failure: Broken;
  /** All that happened in that run. */
  readonly log: readonly TraceLine[];
  /** Runs that it took. */
  readonly runs: number;
}

const USUAL_LIMITS: ShrinkLimits = { runs: 80, ms: 45_000 };

/**
 * Leaves out steps of a scenario that has failed for as long as the same invariant breaks: first all after the one that
 * was being taken, then halves, quarters and so on, down to single ones (Zeller's ddmin), within bounds.
 */
export async function shrink(
  scenario: Scenario,
  failure: Broken,
  { limits = USUAL_LIMITS, ...options }: Pick<RunOptions, 'watchdog'> & { readonly limits?: ShrinkLimits } = {},
): Promise<Shrunk> {
  const startedAt = performance.now();
  let runs = 0;
  const isSpent = (): boolean => runs >= limits.runs || performance.now() - startedAt >= limits.ms;
  const breaks = async (steps: readonly number[]): Promise<boolean> => {
    runs += 1;
    const outcome: Outcome = await runScenario(scenario, { ...options, steps });
    return outcome.failure?.invariant === failure.invariant;
  };
  let steps = scenario.steps.map(({ number }) => number);
  if (failure.step !== undefined) steps = steps.slice(0, steps.indexOf(failure.step) + 1);
  if (await breaks([])) steps = [];
  for (let parts = 2; steps.length > 0 && !isSpent(); ) {
    const size = Math.ceil(steps.length / parts);
    const less = await withoutOnePart(steps, { size, breaks, isSpent });
    if (less !== undefined) {
      steps = less;
      parts = Math.max(parts - 1, 2);
    } else if (size === 1) break;
    else parts = Math.min(parts * 2, steps.length);
  }
  const log: TraceLine[] = [];
  const last = await runScenario(scenario, { ...options, steps, onLine: (line) => log.push(line) });
  return { steps, failure: last.failure ?? failure, log, runs: runs + 1 };
}

/** The steps without one part of them, the first that is not needed; `undefined` where each is. */
async function withoutOnePart(
  steps: readonly number[],
  {
    size,
    breaks,
    isSpent,
  }: { size: number; breaks: (steps: readonly number[]) => Promise<boolean>; isSpent: () => boolean },
): Promise<number[] | undefined> {
  // The latest first: what came long before a failure is more often its cause than what came right before it.
  for (let end = steps.length; end > 0 && !isSpent(); end -= size) {
    const start = Math.max(0, end - size);
    const rest = [...steps.slice(0, start), ...steps.slice(end)];
    if (rest.length < steps.length && (await breaks(rest))) return rest;
  }
  return undefined;
}
