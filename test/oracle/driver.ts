import { difference, quickDifference } from '../kit/model/compare.js';
import { networkOf } from '../kit/model/network.js';
import { Validator } from '../kit/model/validator.js';
import { scenarioOf } from './plans.js';
import { type Machine, Real } from './real.js';
import { START, type Step } from './scenario.js';

/** Where the two validators parted. */
export interface Disagreement {
  readonly seed: number;
  readonly chain: number;
  readonly step: number;
  readonly detail: string;
}

/** What one chain, or many, came to. */
export interface Tally {
  chains: number;
  /** Blocks handed in, bad ones and repeated ones too. */
  blocks: number;
  readonly reorgsByDepth: Map<number, number>;
  /** How often each answer was given. */
  readonly answers: Map<string, number>;
  readonly disagreements: Disagreement[];
}

export function emptyTally(): Tally {
  return { chains: 0, blocks: 0, reorgsByDepth: new Map(), answers: new Map(), disagreements: [] };
}

/** Adds what another thread has counted. */
export function addTally(sum: Tally, part: Tally): void {
  sum.chains += part.chains;
  sum.blocks += part.blocks;
  for (const [depth, times] of part.reorgsByDepth) count(sum.reorgsByDepth, depth, times);
  for (const [answer, times] of part.answers) count(sum.answers, answer, times);
  sum.disagreements.push(...part.disagreements);
}

/** Runs one chain on both validators up to the first disagreement, and counts into `tally`. */
export async function runChain(
  { seed, chain }: { readonly seed: number; readonly chain: number },
  { tally, ...machine }: Machine & { readonly tally: Tally },
): Promise<void> {
  const { file, steps } = scenarioOf(seed, chain);
  const naive = new Validator(networkOf(file), START);
  const real = await Real.open(file, { now: START, ...machine });
  tally.chains += 1;
  let step = 0;
  const disagree = (detail: string): void => {
    tally.disagreements.push({ seed, chain, step, detail });
  };
  if (real.chain.genesis.header.hash !== naive.genesis.header.hash) return disagree('genesis');
  for (const each of steps) {
    step += 1;
    const { answers, left } = takeNaively(naive, each);
    if (each.kind === 'block' || each.kind === 'rush') tally.blocks += answers.length;
    for (const answer of answers) count(tally.answers, answer.replace(/ \d+ /, ' '));
    for (const depth of left) count(tally.reorgsByDepth, depth);
    const theirs = await real.take(each).catch((error: unknown) => [`threw ${String(error)}`]);
    if (theirs.join() !== answers.join())
      return disagree(`${each.kind}: real ${theirs.join()}, naive ${answers.join()}`);
    const found = quickDifference(real.chain, naive) ?? real.contradiction;
    if (found !== undefined) return disagree(`${each.kind} ${answers.join()}: ${found}`);
    // A whole comparison costs as much as many steps: where undo was at work, and at the end.
    const deep = left.length > 0 ? difference(real.chain, naive) : undefined;
    if (deep !== undefined) return disagree(`${each.kind} ${answers.join()}: ${deep}`);
  }
  const found = difference(real.chain, naive);
  if (found !== undefined) disagree(found);
}

/** The naive answers to a step, and how deep each reorganisation on the way was. */
function takeNaively(naive: Validator, step: Step): { answers: string[]; left: number[] } {
  const left: number[] = [];
  const answers: string[] = [];
  const take = (answer: string): void => {
    answers.push(answer);
    if (naive.left > 0) left.push(naive.left);
  };
  switch (step.kind) {
    case 'clock':
      naive.now = step.now;
      break;
    case 'block':
      take(naive.submitBlock(step.bytes));
      break;
    case 'rush':
      for (const bytes of step.blocks) take(naive.submitBlock(bytes));
      break;
    case 'headers':
      take(naive.submitHeaders(step.headers));
      break;
  }
  return { answers, left };
}

function count<Key>(counts: Map<Key, number>, key: Key, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
