import type { Signatures } from '../../server/ports.js';
import { difference, summaries } from './compare.js';
import { networkOf } from './network.js';
import { scenarioOf } from './plans.js';
import { Real } from './real.js';
import { START, type Step } from './scenario.js';
import { Validator } from './validator.js';

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

/** Runs one chain on both validators up to the first disagreement, and counts into `tally`. */
export async function runChain(
  { seed, chain }: { readonly seed: number; readonly chain: number },
  { tally, signatures }: { readonly tally: Tally; readonly signatures: Signatures },
): Promise<void> {
  const { file, steps } = scenarioOf(seed, chain);
  const naive = new Validator(networkOf(file), START);
  const real = await Real.open(file, { now: START, signatures });
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
    const real_ = await real.take(each);
    if (real_.join() !== answers.join()) return disagree(`${each.kind}: real ${real_.join()}, naive ${answers.join()}`);
    const [ours, theirs] = summaries(real.chain, naive);
    if (ours !== theirs) return disagree(`${each.kind} ${answers.join()}: real ${ours}, naive ${theirs}`);
    if (real.contradiction !== undefined) return disagree(`events: ${real.contradiction}`);
    // A whole comparison costs as much as many steps: where undo was at work, and at the end.
    if (left.length === 0) continue;
    const found = difference(real.chain, naive);
    if (found !== undefined) return disagree(found);
  }
  const found = difference(real.chain, naive);
  if (found !== undefined) disagree(found);
  await real.chain.close();
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

export function count<Key>(counts: Map<Key, number>, key: Key, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
