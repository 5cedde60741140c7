import { InvariantBroken } from '../sim/invariants/invariantBroken.js';
import { type MakeWatchdog, watchInvariants } from '../sim/invariants/watchdog.js';
import type { TraceLine } from '../sim/trace.js';
import { Machines } from './machines.js';
import type { Broken, Outcome } from './outcome.js';
import { recover } from './recovery.js';
import type { Scenario } from './scenario.js';
import { Stage } from './stage.js';
import type { Step } from './step.js';
import { takeStep } from './takeStep.js';

/** How a scenario is run. */
export interface RunOptions {
  /** The numbers of the steps that are taken, in the order of the scenario; all of them unless given. */
  readonly steps?: readonly number[] | undefined;
  readonly onLine?: ((line: TraceLine) => void) | undefined;
  /** Who watches; the invariants of every simulation unless given. */
  readonly watchdog?: MakeWatchdog | undefined;
}

/**
 * Runs a scenario to its end or to the first thing that must not happen. Afterwards all faults end, and the network has to
 * come to one mind, with every payment accounted for.
 */
export async function runScenario(scenario: Scenario, options: RunOptions = {}): Promise<Outcome> {
  const { steps, onLine, watchdog = watchInvariants } = options;
  let stage: Stage | undefined;
  const unheard = (reason: unknown): void =>
    stage?.fail(new InvariantBroken('no failure is unheard', `a rejection that nobody handles: ${String(reason)}`));
  process.on('unhandledRejection', unheard);
  try {
    stage = await Stage.open(scenario, { onLine, watchdog });
    return await play(stage, stepsOf(scenario, steps));
  } finally {
    await stage?.[Symbol.asyncDispose]();
    // Whatever waits for a network that has ended fails with it, and nobody is there to hear of it.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', unheard);
  }
}

async function play(stage: Stage, steps: readonly Step[]): Promise<Outcome> {
  const machines = new Machines(stage);
  let failure: Broken | undefined;
  /** The number of the step that is being taken. */
  let at: number | undefined;
  try {
    for (const step of steps) {
      at = step.number;
      await takeStep(stage, machines, step);
      stage.check();
    }
    at = undefined;
    await end(stage, machines);
  } catch (error) {
    // Whatever failed once something was broken failed because of that.
    failure = { ...asBroken(stage.net.broken ?? error), at: stage.net.scheduler.now, step: at };
    // Where in the code it was is no part of what happened.
    stage.net.note(`BROKEN: ${failure.invariant}: ${failure.message.split('\n', 1)[0]}`);
  }
  tally(stage);
  const { trace, scheduler } = stage.net;
  const { events, now: virtualMs } = scheduler;
  return { traceHash: trace.digest(), events, virtualMs, coverage: stage.coverage, failure };
}

function stepsOf({ steps }: Scenario, numbers: readonly number[] | undefined): readonly Step[] {
  return numbers === undefined ? steps : steps.filter(({ number }) => numbers.includes(number));
}

async function end(stage: Stage, machines: Machines): Promise<void> {
  await recover(stage, machines);
  stage.check();
  stage.ledger.check();
  stage.watchdog.atEnd();
}

/** Adds what links and disks have counted themselves. */
function tally(stage: Stage): void {
  const { counts } = stage.net.links;
  stage.count('lostMessages', counts.lost);
  stage.count('brokenConnections', counts.broken);
  stage.count('doubledMessages', counts.doubled);
  for (const { disk } of stage.net.nodes) {
    stage.count('commitsRefused', disk.failures.full);
    stage.count('failedSyncs', disk.failures.sync);
  }
}

function asBroken(error: unknown): Pick<Broken, 'invariant' | 'message'> {
  if (error instanceof InvariantBroken) return { invariant: error.invariant, message: error.detail };
  const message = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  return { invariant: 'nothing unforeseen', message };
}
