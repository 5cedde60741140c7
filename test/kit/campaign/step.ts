import type { CrashKind } from '../network.js';
import type { LieName } from '../sim/liar/lies.js';
import type { LinkOptions } from '../sim/links.js';

/** What a node is busy with when it goes down. */
export type Work =
  | { readonly at: 'nothing' }
  /** It mines. */
  | { readonly at: 'mining' }
  /** It takes a payment. */
  | { readonly at: 'paying' }
  /** It takes in the blocks that another mines. */
  | { readonly at: 'blocks of'; readonly node: number };

/** One thing that is done to a network. Plain data: nodes by index, times in milliseconds, amounts in base units. */
export type StepPlan =
  | { readonly kind: 'mine'; readonly node: number; readonly count: number }
  | { readonly kind: 'mine for the liar'; readonly node: number; readonly count: number }
  | { readonly kind: 'pay'; readonly from: number; readonly to: number; readonly amount: number }
  /** Payments that each spend the one before, while all of them wait. */
  | { readonly kind: 'chain'; readonly wallet: number; readonly length: number }
  /** The same coins are spent at two nodes. */
  | { readonly kind: 'conflict'; readonly wallet: number; readonly nodes: readonly [number, number] }
  /** More payments than fit, of all wallets through one node, each dearer than the one before. */
  | { readonly kind: 'flood'; readonly node: number; readonly count: number }
  | { readonly kind: 'partition'; readonly groups: readonly (readonly number[])[] }
  | { readonly kind: 'cut'; readonly from: number; readonly to: number }
  | { readonly kind: 'heal' }
  /** All links are like this from now on. */
  | { readonly kind: 'links'; readonly links: LinkOptions }
  /** One direction between two nodes is. */
  | { readonly kind: 'link'; readonly from: number; readonly to: number; readonly link: LinkOptions }
  /** A node mines in private, then shows the others what replaces the last `depth` blocks of theirs. */
  | { readonly kind: 'reorg'; readonly node: number; readonly rival: number; readonly depth: number }
  /** The same, and one of those who switch goes down amid it. */
  | {
      readonly kind: 'crash in reorg';
      readonly node: number;
      readonly rival: number;
      readonly depth: number;
      readonly how: CrashKind;
    }
  | {
      readonly kind: 'crash';
      readonly node: number;
      readonly how: CrashKind;
      readonly amid: Work;
      readonly afterMs: number;
    }
  /** It goes down amid a switch of branches, and again while it takes the switch up where it was. */
  | {
      readonly kind: 'crash in recovery';
      readonly node: number;
      readonly rival: number;
      readonly depth: number;
      readonly how: CrashKind;
    }
  | { readonly kind: 'restart'; readonly node: number }
  | { readonly kind: 'stop'; readonly node: number }
  /** A node loses its disk, and starts on an empty one. */
  | { readonly kind: 'wipe'; readonly node: number }
  | { readonly kind: 'freeze'; readonly node: number; readonly ms: number }
  /** A clock jumps: it is ahead by so much from now on, or behind. */
  | { readonly kind: 'clock'; readonly node: number; readonly aheadMs: number }
  | { readonly kind: 'full disk'; readonly node: number; readonly ms: number }
  | { readonly kind: 'slow disk'; readonly node: number; readonly ms: number; readonly commitMs: number }
  | { readonly kind: 'failing sync'; readonly node: number }
  | { readonly kind: 'bit flips'; readonly node: number; readonly store: 'chain' | 'pool'; readonly rows: number }
  | { readonly kind: 'wait'; readonly ms: number }
  /** A lying peer tells a node something. */
  | { readonly kind: 'lie'; readonly victim: number; readonly name: LieName };

export type StepKind = StepPlan['kind'];

/** A step of a scenario. Each has its own number and its own chance, so that others can be left out without changing it. */
export type Step = StepPlan & {
  /** Its place in the scenario, from 1 on. */
  readonly number: number;
  readonly seed: number;
};

/** A step in words, for the log. */
export function describeStep({ number, seed: _, kind, ...rest }: Step): string {
  const words = Object.entries(rest).map(([name, value]) => `${name} ${inWords(name, value)}`);
  return `step ${number}: ${[kind, ...words].join(', ')}`;
}

/** Which of its parameters name nodes. */
const NODES: ReadonlySet<string> = new Set(['node', 'rival', 'victim', 'from', 'to', 'nodes', 'groups', 'wallet']);

function inWords(name: string, value: unknown): string {
  if (Array.isArray(value))
    return name === 'groups'
      ? value.map((group) => inWords('nodes', group)).join(' | ')
      : value.map((item) => inWords(name, item)).join('+');
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([key, each]) => (key === 'at' ? String(each) : `${key} ${inWords(key, each)}`))
      .join(' ');
  return NODES.has(name) ? `n${value}` : String(value);
}
