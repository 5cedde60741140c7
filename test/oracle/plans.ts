import type { NetworkFile } from '../../shared/consensus/params.js';
import { networkOf } from '../kit/model/network.js';
import { branchOf, type Sapling } from './draft.js';
import { Dice } from './random.js';
import { Forest, rushOf, type Step, someNetwork, type Temper } from './scenario.js';

/** A network, and all that is handed to a node of it. */
export interface Scenario {
  readonly file: NetworkFile;
  readonly steps: Iterable<Step>;
}

/** Every so many chains has a reorganisation of a depth that is asked for. */
const DEEP_EVERY = 6;
/** Depths follow one another by this step, so that few chains already have shallow and deep ones. */
const DEPTH_STEP = 37;
const DEPTHS = 100;
/** Every so many chains is longer than the 144 blocks behind which a branch has to have work. */
const LONG_EVERY = 200;

/** Chain number `chain` of a seed: always the same. */
export function scenarioOf(seed: number, chain: number): Scenario {
  const dice = new Dice(seed, chain);
  const isLong = chain % LONG_EVERY === LONG_EVERY - 1;
  const isDeep = !isLong && chain % DEEP_EVERY === 0;
  const isPlain = isLong || (isDeep && dice.chance(0.7));
  const file = someNetwork(dice, isPlain);
  const forest = new Forest(dice, networkOf(file), someTemper(dice, isDeep || isLong));
  const depth = ((Math.floor(chain / DEEP_EVERY) * DEPTH_STEP) % DEPTHS) + 1;
  return { file, steps: isLong ? long(forest) : isDeep ? deep(forest, depth) : wander(forest) };
}

function someTemper(dice: Dice, isCalm: boolean): Temper {
  return {
    transfers: isCalm ? dice.pick([0.1, 0.3]) : dice.pick([0.2, 0.5, 0.7]),
    faults: isCalm ? 0 : dice.pick([0, 0.1, 0.3, 0.6]),
    headersFirst: isCalm ? 0 : dice.pick([0, 0.2, 0.7]),
    late: isCalm ? 0 : dice.pick([0, 0.1, 0.5]),
    repeats: dice.pick([0, 0.05, 0.2]),
    mutations: isCalm ? 0.01 : dice.pick([0, 0.05, 0.3]),
  };
}

/** A tree that grows here and there: forks of a few blocks, and faults anywhere. */
function* wander(forest: Forest): Generator<Step> {
  const { dice, root, temper } = forest;
  let current = root;
  for (let left = dice.between(5, 60); left > 0; left--) {
    const best = bestOf(forest);
    const turn = dice.below(100);
    if (turn < 12) current = ancestor(best, dice.between(1, 6));
    else if (turn < 24) current = best;
    else if (turn < 28) current = dice.pick(forest.saplings);
    const faults = dice.chance(temper.faults) ? dice.pick([1, 1, 1, 2, 3]) : 0;
    const grown = forest.grow(current, faults);
    if (grown === undefined) continue;
    yield* forest.deliver(grown);
    // What stands on a bad block is bad, and has to be found out as such.
    if (faults === 0 || dice.chance(0.4)) current = grown;
  }
  yield* forest.again();
}

/** One branch of `depth` blocks, and another that takes its place: whole, or only at the second try. */
function* deep(forest: Forest, depth: number): Generator<Step> {
  const { dice } = forest;
  const fork = last(yield* line(forest, forest.root, dice.between(1, 4)), forest.root);
  const lost = last(yield* line(forest, fork, depth), fork);
  let from = fork;
  if (dice.chance(0.25)) {
    // The rival fails on the way, with descendants that have more work than what it wants to replace.
    const good = rival(forest, fork, { longer: dice.below(depth) });
    const bad = forest.grow(last(good, fork), 1) ?? last(good, fork);
    yield* handOut(forest, [...good, bad, ...rival(forest, bad, { beyond: lost })]);
    from = last(good, fork);
  }
  yield* handOut(forest, rival(forest, from, { beyond: lost }));
  if (dice.chance(0.3)) yield* handOut(forest, rival(forest, lost, { beyond: bestOf(forest) }));
  yield* forest.again();
}

/** More than 144 blocks, under which branches that are too light want to be stored. */
function* long(forest: Forest): Generator<Step> {
  const { dice, root } = forest;
  const trunk = yield* line(forest, root, dice.between(146, 165));
  for (let tries = 0; tries < 12; tries++) {
    const from = dice.pick([root, ...trunk.slice(0, 25)]);
    const branch = rival(forest, from, { longer: dice.between(1, 25) });
    if (dice.chance(0.5)) yield forest.headersTo(last(branch, from));
    for (const { bytes } of branch) yield { kind: 'block', bytes };
  }
}

/** Blocks one on the other, each handed out when it is made. */
function* line(forest: Forest, from: Sapling, count: number): Generator<Step, Sapling[]> {
  const made: Sapling[] = [];
  for (let tip = from; made.length < count; ) {
    const grown = forest.grow(tip, 0);
    if (grown === undefined) break;
    yield* forest.deliver(grown);
    made.push(grown);
    tip = grown;
  }
  return made;
}

/** Blocks on `from` that nobody has seen yet: so many, or until they have more work than another branch. */
function rival(
  forest: Forest,
  from: Sapling,
  { longer, beyond }: { readonly longer?: number; readonly beyond?: Sapling },
): Sapling[] {
  const made: Sapling[] = [];
  for (let tip = from; made.length < 140; ) {
    if (longer !== undefined ? made.length >= longer : tip.work > (beyond?.work ?? 0n)) break;
    const grown = forest.grow(tip, 0);
    if (grown === undefined) break;
    made.push(grown);
    tip = grown;
  }
  return made;
}

/** Blocks that are made already: headers first or not, in order or nearly so. */
function* handOut(forest: Forest, blocks: readonly Sapling[]): Generator<Step> {
  const { dice } = forest;
  const tip = blocks.at(-1);
  if (tip === undefined) return;
  if (dice.chance(0.5)) yield forest.headersTo(tip);
  if (dice.chance(0.1)) yield rushOf(blocks);
  else for (const { bytes } of blocks) yield { kind: 'block', bytes };
}

function bestOf({ saplings, root }: Forest): Sapling {
  return saplings.filter(({ faulty }) => !faulty).reduce((best, each) => (each.work > best.work ? each : best), root);
}

function ancestor(sapling: Sapling, steps: number): Sapling {
  const branch = branchOf(sapling);
  return branch[Math.max(0, branch.length - 1 - steps)] ?? sapling;
}

function last(list: readonly Sapling[], otherwise: Sapling): Sapling {
  return list.at(-1) ?? otherwise;
}
