import { InvariantBroken } from '../sim/invariants/invariantBroken.js';
import { type MakeWatchdog, watchInvariants } from '../sim/invariants/watchdog.js';
import type { TraceLine } from '../sim/trace.js';
import type { Coverage } from './coverage.js';
import { Machines } from './machines.js';
import { recover } from './recovery.js';
import type { Scenario } from './scenario.js';
import { Stage } from './stage.js';
import { takeStep } from './takeStep.js';

/** How a scenario is run. */
export interface RunOptions {
  /** The numbers of the steps that are taken, in the order of the scenario; all of them unless given. */
  readonly steps?: readonly number[] | undefined;
  readonly onLine?: ((line: TraceLine) => void) | undefined;
  /** Who watches; the invariants of every simulation unless given. */
  readonly watchdog?: MakeWatchdog | undefined;
}

/** What was broken. */
export interface Broken {
  readonly invariant: string;
  readonly message: string;
  /** Virtual milliseconds. */
  readonly at: number;
}

/** What a run came to. */
export interface Outcome {
  /** The hash of all that happened: runs with the same hash did the same, message for message. */
  readonly traceHash: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly coverage: Coverage;
  readonly failure: Broken | undefined;
}

/**
 * Runs a scenario to its end or to the first thing that must not happen. Afterwards all faults end, and the network has to
 * come to one mind, with every payment accounted for.
 */
export async function runScenario(scenario: Scenario, options: RunOptions = {}): Promise<Outcome> {
  const { steps, onLine, watchdog = watchInvariants } = options;
  await using stage = await Stage.open(scenario, { onLine, watchdog });
  const unheard = (reason: unknown): void =>
    stage.fail(new InvariantBroken('no failure is unheard', `a rejection that nobody handles: ${String(reason)}`));
  process.on('unhandledRejection', unheard);
  let failure: Broken | undefined;
  try {
    await play(stage, scenario, steps);
  } catch (error) {
    failure = { ...asBroken(error), at: stage.net.scheduler.now };
    stage.net.note(`BROKEN: ${failure.invariant}: ${failure.message}`);
  } finally {
    process.off('unhandledRejection', unheard);
  }
  tally(stage);
  const { trace, scheduler } = stage.net;
  const { events, now: virtualMs } = scheduler;
  return { traceHash: trace.digest(), events, virtualMs, coverage: stage.coverage, failure };
}

async function play(stage: Stage, { steps }: Scenario, numbers: readonly number[] | undefined): Promise<void> {
  const machines = new Machines(stage);
  for (const step of steps) {
    if (numbers !== undefined && !numbers.includes(step.number)) continue;
    await takeStep(stage, machines, step);
    stage.check();
  }
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

function asBroken(error: unknown): Omit<Broken, 'at'> {
  if (error instanceof InvariantBroken) return { invariant: error.invariant, message: error.detail };
  const message = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  return { invariant: 'nothing unforeseen', message };
}
