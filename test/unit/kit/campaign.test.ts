import { describe, expect, test } from 'vitest';
import { present } from '../../kit/assertOk.js';
import { runCampaign } from '../../kit/campaign/campaign.js';
import { addCoverage, emptyCoverage, KINDS, missingKinds, missingLies } from '../../kit/campaign/coverage.js';
import type { Outcome } from '../../kit/campaign/outcome.js';
import { parseSteps, replayCommand } from '../../kit/campaign/replay.js';
import { Rounds } from '../../kit/campaign/rounds.js';
import { runScenario } from '../../kit/campaign/runScenario.js';
import { type Scenario, scenarioOf } from '../../kit/campaign/scenario.js';
import { shrink } from '../../kit/campaign/shrink.js';
import type { Step, StepKind, StepPlan } from '../../kit/campaign/step.js';
import { tellingLines } from '../../kit/campaign/tellingLines.js';
import { InvariantBroken } from '../../kit/sim/invariants/invariantBroken.js';
import type { MakeWatchdog, Watchdog } from '../../kit/sim/invariants/watchdog.js';
import { LIE_NAMES } from '../../kit/sim/liar/lies.js';
import { formatLine, type TraceLine } from '../../kit/sim/trace.js';
import { runCli } from '../../support/cli.js';

const QUIET: Watchdog = { afterEvent: () => {}, atEnd: () => {} };

/** How long a test may take that starts processes, on a machine that has much else to do. */
const PROCESSES_MS = 60_000;

/** A scenario of a few nodes, of these steps instead of its own. */
function staged(plans: readonly StepPlan[], nodes = 3): Scenario {
  const steps = plans.map((plan, index): Step => ({ ...plan, number: index + 1, seed: index }));
  return { ...scenarioOf(1, nodes), links: {}, maxPoolBytes: undefined, steps };
}

const mine = (node: number, count: number): StepPlan => ({ kind: 'mine', node, count });
const PAYMENT: StepPlan = { kind: 'pay', from: 0, to: 1, amount: 10_000 };

describe('a scenario', () => {
  test('is a function of its seed', () => {
    expect(scenarioOf(7, 5)).toEqual(scenarioOf(7, 5));
    expect(scenarioOf(8, 5)).not.toEqual(scenarioOf(7, 5));
  });

  test('has some thirty steps, numbered from 1 on, that name nodes it has', () => {
    for (const nodes of [2, 3, 5]) {
      const { steps } = scenarioOf(nodes, nodes);
      expect(steps.length).toBeGreaterThanOrEqual(25);
      expect(steps.length).toBeLessThanOrEqual(46);
      expect(steps.map(({ number }) => number)).toEqual(steps.map((_, index) => index + 1));
      for (const step of steps) for (const node of nodesOf(step)) expect(node).toBeLessThan(nodes);
    }
  });

  test('is of every kind of step, over some seeds', () => {
    const kinds = new Set<StepKind>();
    for (let seed = 1; seed <= 100; seed++) for (const { kind } of scenarioOf(seed, 5).steps) kinds.add(kind);
    const some: StepKind[] = [
      'chain',
      'conflict',
      'cut',
      'crash in recovery',
      'freeze',
      'full disk',
      'bit flips',
      'wipe',
      'lie',
    ];
    expect([...kinds]).toEqual(expect.arrayContaining(some));
  });

  test('has lies by turns: a few dozen seeds have all of them', () => {
    const lies = new Set<string>();
    for (let seed = 1; seed <= 40; seed++)
      for (const step of scenarioOf(seed, 5).steps) if (step.kind === 'lie') lies.add(step.name);
    expect([...lies].sort()).toEqual([...LIE_NAMES].sort());
  });
});

describe('a run', () => {
  test('is the same twice, and another for another seed', async () => {
    const [one, again, other] = [
      await runScenario(scenarioOf(3, 3)),
      await runScenario(scenarioOf(3, 3)),
      await runScenario(scenarioOf(4, 3)),
    ];
    expect(one.failure).toBeUndefined();
    expect(again).toEqual(one);
    expect(other.traceHash).not.toBe(one.traceHash);
  });

  test('takes only the steps it is told to', async () => {
    const scenario = staged([mine(0, 2), mine(1, 3), mine(2, 4)]);
    const { coverage, failure } = await runScenario(scenario, { steps: [1, 3] });
    expect(failure).toBeUndefined();
    // One more decides between branches in the end.
    expect(coverage.counts.blocksMined).toBe(7);
  });

  test('goes on where a step has become impossible', async () => {
    const scenario = staged([{ kind: 'stop', node: 0 }, PAYMENT, mine(0, 1), { kind: 'stop', node: 0 }, mine(1, 1)]);
    const { coverage, failure } = await runScenario(scenario);
    expect(failure).toBeUndefined();
    expect(coverage.counts).toMatchObject({ stops: 1, paymentsTaken: 0, blocksMined: 2 });
  });

  test('leaves damage for its node to find: no lie is made of what such a node holds', async () => {
    const flips: StepPlan = { kind: 'bit flips', node: 0, store: 'chain', rows: 1_000 };
    const lie: StepPlan = { kind: 'lie', victim: 0, name: 'block-stolen-coin' };
    const paid: StepPlan = { kind: 'mine for the liar', node: 0, count: 6 };
    const { coverage, failure } = await runScenario(staged([paid, { kind: 'wait', ms: 5_000 }, flips, lie]));
    expect(failure).toBeUndefined();
    expect(coverage.counts).toMatchObject({ damageFound: 0, wipes: 1 });
  });

  test('tells who did what, and when, as people read it', async () => {
    const log: TraceLine[] = [];
    await runScenario(staged([mine(0, 1), { kind: 'partition', groups: [[0, 1], [2]] }]), {
      onLine: (line) => log.push(line),
    });
    const text = log.map(formatLine).join('\n');
    expect(text).toMatch(/^ +\d+\.\d{3} {2}net {5}step 1: mine, node n0, count 1$/m);
    expect(text).toMatch(/^ +\d+\.\d{3} {2}net {5}step 2: partition, groups n0\+n1 \| n2$/m);
    expect(text).toMatch(/^ +\d+\.\d{3} {2}n0 {6}tip 1 [0-9a-f]{8}$/m);
  });
});

describe('a run fails', () => {
  const failing = async (steps: readonly StepPlan[], watchdog: MakeWatchdog): Promise<Outcome> =>
    runScenario(staged(steps), { watchdog });

  test('where a watchdog says so, at an event and at the end', async () => {
    const bark = (): never => {
      throw new InvariantBroken('silence', 'it barked');
    };
    for (const [name, step] of [
      ['afterEvent', 1],
      ['atEnd', undefined],
    ] as const) {
      const { failure } = await failing([mine(0, 1)], () => ({ ...QUIET, [name]: bark }));
      expect(failure).toMatchObject({ invariant: 'silence', message: 'it barked', step });
    }
  });

  test('where a payment that a node took is nowhere', async () => {
    const { failure } = await failing([mine(0, 4), PAYMENT], (net) => {
      const { mempool } = present(net.node(0).running);
      mempool.events.on('accepted', ({ entry }) => void mempool.pool.remove([entry.transaction.txid]));
      return QUIET;
    });
    expect(failure).toMatchObject({ invariant: 'payments are kept' });
  });

  test('where a node does not have what it took before it was killed', async () => {
    const crash: StepPlan = { kind: 'crash', node: 0, how: 'process', amid: { at: 'nothing' }, afterMs: 1 };
    const { failure } = await failing(
      // Nobody else is to have it: it would come back from them.
      [mine(0, 4), { kind: 'partition', groups: [[0], [1, 2]] }, PAYMENT, crash, { kind: 'restart', node: 0 }],
      (net) => {
        const { disk } = net.node(0);
        const open = disk.openStore.bind(disk);
        disk.openStore = async (request) => {
          const kv = await open(request);
          return request.name === 'pool' ? { ...kv, range: () => [] } : kv;
        };
        return QUIET;
      },
    );
    expect(failure).toMatchObject({ invariant: 'payments are kept', step: 5 });
  });

  test('where a node ends by itself, and its disk is all right', async () => {
    const { failure } = await failing([mine(0, 1)], (net) => {
      let events = 0;
      return { ...QUIET, afterEvent: () => void (++events === 10 && net.node(1).running?.stop()) };
    });
    expect(failure).toMatchObject({ invariant: 'nodes run on' });
  });

  test('where nodes do not find each other when all faults have ended', async () => {
    const alone: StepPlan = { kind: 'partition', groups: [[0], [1, 2]] };
    const { failure } = await failing([alone, { kind: 'wait', ms: 100_000 }], (net) => {
      net.links.routes.heal = () => {};
      return QUIET;
    });
    expect(failure).toMatchObject({ invariant: 'nodes meet again', step: undefined });
  });

  test('where they never agree', async () => {
    const { failure } = await failing([{ kind: 'wait', ms: 1 }], (net) => {
      // It hears, answers and mines, and takes nobody's block.
      const chain = present(net.node(2).running).chain;
      chain.submitBlock = () => new Promise(() => {});
      return QUIET;
    });
    expect(failure).toMatchObject({ invariant: 'one tip' });
  });

  test('where a rejection goes unheard', async () => {
    const { failure } = await failing([mine(0, 1)], () => {
      let events = 0;
      return { ...QUIET, afterEvent: () => void (++events === 5 && Promise.reject(new Error('nobody listens'))) };
    });
    expect(failure).toMatchObject({ invariant: 'no failure is unheard' });
  });
});

describe('a failure is made small', () => {
  /** Breaks where a node that has come up again has a block of height 3. */
  const watchdog: MakeWatchdog = ({ nodes }) => ({
    ...QUIET,
    afterEvent() {
      for (const { name, runs, tip } of nodes)
        if (runs > 1 && (tip?.header.height ?? 0) >= 3)
          throw new InvariantBroken('low', `${name} is at ${tip?.header.height}`);
    },
  });

  test('to few steps that still break the same, with their log', async () => {
    const scenario = scenarioOf(11, 3);
    const { failure } = await runScenario(scenario, { watchdog });
    expect(failure).toMatchObject({ invariant: 'low' });
    const small = await shrink(scenario, present(failure), { watchdog, limits: { runs: 40, ms: 60_000 } });
    expect(small.steps.length).toBeLessThanOrEqual(4);
    expect(small.failure.invariant).toBe('low');
    expect(small.log.at(-1)?.what).toContain('BROKEN: low');
    const again = await runScenario(scenario, { watchdog, steps: small.steps });
    expect(again.failure).toEqual(small.failure);
    for (const without of small.steps) {
      const steps = small.steps.filter((step) => step !== without);
      expect((await runScenario(scenario, { watchdog, steps })).failure?.invariant).not.toBe('low');
    }
  });

  test('within bounds', async () => {
    const scenario = scenarioOf(11, 3);
    const { failure } = await runScenario(scenario, { watchdog });
    const small = await shrink(scenario, present(failure), { watchdog, limits: { runs: 2, ms: 60_000 } });
    expect(small.runs).toBeLessThanOrEqual(4);
    expect(small.failure.invariant).toBe('low');
  });

  test('its log keeps what was done and said, and of messages only the last', () => {
    const lines = Array.from({ length: 400 }, (_, at): TraceLine => {
      const what = at % 2 === 0 ? 'n0 -> n1  node.ping  1 B 0' : `step ${at}`;
      return { at, where: 'n1', what };
    });
    const telling = tellingLines(lines);
    expect(telling.length).toBeLessThanOrEqual(121);
    expect(telling[0]).toMatch(/lines before these are left out/);
    expect(telling.filter((line) => line.includes('node.ping'))).toHaveLength(15);
  });

  test('the command that replays it names its steps', () => {
    const command = replayCommand({ seed: 7, nodes: 5, steps: [3, 7, 12] });
    expect(command).toBe('trestle sim --seed 7 --nodes 5 --steps 3,7,12 --trace');
    expect(replayCommand({ seed: 7, nodes: 5, steps: [] })).toContain('--steps none');
    expect(parseSteps('3,7,12')).toEqual([3, 7, 12]);
    expect(parseSteps('none')).toEqual([]);
    for (const wrong of ['', '0', '1,,2', '1.5', '-1', '1 2']) expect(parseSteps(wrong)).toBeUndefined();
  });
});

describe('coverage', () => {
  test('is incomplete as long as one kind of thing never happened', () => {
    const coverage = emptyCoverage();
    expect(missingKinds(coverage)).toEqual(expect.arrayContaining([...KINDS, 'reorganisations']));
    for (const kind of KINDS) coverage.counts[kind] = 1;
    coverage.reorganisations.set(1, 9);
    expect(missingKinds(coverage)).toEqual(['reorganisations of depth 4 and more']);
    coverage.reorganisations.set(5, 1);
    expect(missingKinds(coverage)).toEqual([]);
    coverage.counts.crashesInRecovery = 0;
    expect(missingKinds(coverage)).toEqual(['crashesInRecovery']);
    const [first, ...others] = LIE_NAMES;
    for (const name of others) coverage.lies.set(name, 1);
    expect(missingLies(coverage)).toEqual([`lie: ${first}`]);
  });

  test('adds up', () => {
    const sum = emptyCoverage();
    const part = emptyCoverage();
    part.counts.cuts = 2;
    part.reorganisations.set(3, 4);
    addCoverage(sum, part);
    addCoverage(sum, part);
    expect(sum.counts.cuts).toBe(4);
    expect(sum.reorganisations).toEqual(new Map([[3, 8]]));
  });
});

describe('a campaign', () => {
  test('runs each seed twice, the second time in another process', () => {
    const rounds = new Rounds([1, 2, 3]);
    const turns = [0, 1, 0, 1, 0, 1].map((worker) => ({ worker, ...present(rounds.next(worker)) }));
    expect(rounds.next(0)).toBeUndefined();
    for (const seed of [1, 2, 3]) {
      const [first, second] = turns.filter((turn) => turn.seed === seed);
      expect([first?.again, second?.again]).toEqual([false, true]);
      expect(first?.worker).not.toBe(second?.worker);
    }
  });

  test('that repeats the first seeds alone runs the others once', () => {
    const rounds = new Rounds([1, 2, 3, 4], 1);
    const seeds = Array.from({ length: 5 }, () => present(rounds.next(0)).seed);
    expect(seeds.sort()).toEqual([1, 1, 2, 3, 4]);
    expect(rounds.next(1)).toBeUndefined();
  });

  test('with one process runs each twice there', () => {
    const rounds = new Rounds([1, 2]);
    expect([0, 0, 0, 0].map((worker) => present(rounds.next(worker)).seed).sort()).toEqual([1, 1, 2, 2]);
    expect(rounds.next(0)).toBeUndefined();
  });

  test('tells how far it is and what it came to', { timeout: PROCESSES_MS }, async () => {
    const told: number[] = [];
    const onProgress = ({ runs }: { readonly runs: number }): void => void told.push(runs);
    const result = await runCampaign({ seeds: [1, 2], nodes: 2, processes: 2, onProgress });
    expect(told).toEqual([1, 2, 3, 4]);
    expect(result).toMatchObject({ seeds: 2, deterministic: true, failures: [], missing: [] });
    const alone = [await runScenario(scenarioOf(1, 2)), await runScenario(scenarioOf(2, 2))];
    expect(result.events).toBe(alone.reduce((sum, { events }) => sum + events, 0));
  });
});

describe('trestle sim', { timeout: PROCESSES_MS }, () => {
  test('closes with one line of JSON, and says all else on standard error', async () => {
    const { code, stdout, json } = await runCli(['sim', '--seeds', '1', '--nodes', '2', '--json']);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(json).toMatchObject({ seeds: 1, deterministic: true, failures: [], neverHappened: [] });
    const { virtualHours, events, coverage } = json as Record<string, unknown>;
    expect([virtualHours, events]).toEqual([expect.any(Number), expect.any(Number)]);
    expect(coverage).toMatchObject({ reorganisations: expect.any(Object), partitions: expect.any(Number) });
  });

  test('prints the log of one seed, with the steps that were asked for', async () => {
    const { code, stdout } = await runCli(['sim', '--seed', '5', '--nodes', '3', '--steps', '1,3', '--trace']);
    expect(code).toBe(0);
    const steps = Array.from(stdout.matchAll(/^ +\d+\.\d{3} {2}net {5}step (\d+): /gm), ([, number]) => number);
    expect(steps).toEqual(['1', '3']);
    expect(stdout).toMatch(/nothing broke/);
  });

  test.each([
    [['--trace']],
    [['--steps', '1']],
    [['--seed', '1', '--seeds', '3']],
    [['--seed', '1', '--steps', '999']],
    [['--seed', '1', '--steps', 'x']],
    [['--nodes', '1']],
    [['--seeds', '0']],
  ])('refuses %j as typed wrongly', async (args) => {
    expect((await runCli(['sim', ...args])).code).toBe(2);
  });
});

/** Every node that a step names. */
function nodesOf(step: Step): number[] {
  const named: unknown[] = [];
  for (const [name, value] of Object.entries(step))
    if (['node', 'rival', 'victim', 'from', 'to', 'wallet', 'nodes', 'groups'].includes(name)) named.push(value);
  return named.flat(2).filter((value) => typeof value === 'number');
}
