import { UsageError } from '../../../client/cli/output.js';
import { formatLine } from '../sim/trace.js';
import type { CampaignResult } from './campaign.js';
import { replayCommand } from './replay.js';
import { runScenario } from './runScenario.js';
import { scenarioOf } from './scenario.js';

/** One scenario alone. */
export interface AloneOptions {
  readonly seed: number;
  readonly nodes: number;
  /** The numbers of the steps to take; all of them where `undefined`. */
  readonly steps: readonly number[] | undefined;
  /** Told of everything that happens in the first of the two runs, in the form that people read. */
  readonly onLine: ((line: string) => void) | undefined;
}

/** Runs one scenario twice, in this process. Throws where it has no such step. */
export async function runAlone(options: AloneOptions): Promise<CampaignResult & { readonly traceHash: string }> {
  const { seed, nodes, steps, onLine } = options;
  const scenario = scenarioOf(seed, nodes);
  const unknown = steps?.find((number) => number > scenario.steps.length);
  if (unknown !== undefined)
    throw new UsageError(`seed ${seed} has steps 1 to ${scenario.steps.length}, and no step ${unknown}`);
  const first = await runScenario(scenario, { steps, onLine: onLine && ((line) => onLine(formatLine(line))) });
  const second = await runScenario(scenario, { steps });
  const { traceHash, virtualMs, events, coverage, failure } = first;
  const deterministic = traceHash === second.traceHash;
  const unequal = { invariant: 'runs repeat', message: `two runs, two traces: ${traceHash} and ${second.traceHash}` };
  const broken = failure ?? (deterministic ? undefined : unequal);
  const replay = replayCommand({ seed, nodes, steps });
  const failures = broken === undefined ? [] : [{ ...pick(broken), seed, replay, log: [] }];
  return { seeds: 1, deterministic, failures, virtualMs, events, coverage, missing: [], traceHash };
}

function pick({ invariant, message }: { readonly invariant: string; readonly message: string }) {
  return { invariant, message };
}
