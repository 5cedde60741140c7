import type { CrashKind } from '../network.js';
import type { Dice } from '../sim/dice.js';
import { drawLinks } from './conditions.js';
import type { StepPlan, Work } from './step.js';

/** What episodes are drawn from. */
export interface Draw {
  readonly dice: Dice;
  readonly nodes: number;
  /** The most memory that waiting transactions take, where that is little. */
  readonly maxPoolBytes: number | undefined;
  /**
   * The nodes whose clocks go wrong, fewer than half: where most are ahead, theirs is the chain, and nobody can mine on
   * it before its time has come.
   */
  readonly unpunctual: readonly number[];
  /** Nodes that mine at the beginning, so that their wallets have money. */
  readonly rich: readonly number[];
  /** Base units of a block's first reward. */
  readonly reward: number;
}

/** A few steps that belong together. Each is of use without the others, too. */
export type Episode = (draw: Draw) => readonly StepPlan[];

/** Memory that a small payment takes where it waits, about. */
const FLOOD_BYTES = 3_700;
/** No clock is off by more. */
const MOST_SKEW_MS = 3 * 3_600_000;

/** A node. */
export function someNode({ dice, nodes }: Draw): number {
  return dice.below(nodes);
}

/** Two different nodes. */
export function twoNodes(draw: Draw): readonly [number, number] {
  const one = someNode(draw);
  return [one, (one + 1 + draw.dice.below(draw.nodes - 1)) % draw.nodes];
}

export function mining(draw: Draw): StepPlan {
  const { dice } = draw;
  return { kind: 'mine', node: someNode(draw), count: dice.chance(0.15) ? dice.between(3, 5) : dice.between(1, 2) };
}

/** Mostly a moment, now and then long enough for nodes to look after their peers. */
function waiting({ dice }: Draw): StepPlan {
  return { kind: 'wait', ms: dice.chance(0.7) ? dice.between(50, 4_000) : dice.between(5_000, 70_000) };
}

/** A wallet, mostly one that has money. */
function payer(draw: Draw): number {
  return (draw.dice.chance(0.7) ? draw.dice.pick(draw.rich) : undefined) ?? someNode(draw);
}

function paying(draw: Draw): StepPlan {
  const { dice, reward } = draw;
  return { kind: 'pay', from: payer(draw), to: someNode(draw), amount: Math.floor(reward * dice.within([0.01, 0.7])) };
}

/** Two or three groups, each of at least one node. */
function parting({ dice, nodes }: Draw): StepPlan {
  const order = dice.shuffled(Array.from({ length: nodes }, (_, index) => index));
  const cut = dice.between(1, nodes - 1);
  const [left, right] = [order.slice(0, cut), order.slice(cut)];
  const half = dice.between(1, right.length);
  const groups = dice.chance(0.25) ? [left, right.slice(0, half), right.slice(half)] : [left, right];
  return { kind: 'partition', groups: groups.filter(({ length }) => length > 0) };
}

function howToCrash({ dice }: Draw): CrashKind {
  return dice.pick(['process', 'power']);
}

function workAt(draw: Draw, node: number): Work {
  const { dice, nodes } = draw;
  const other = (node + 1 + dice.below(nodes - 1)) % nodes;
  return dice.pick<Work>([{ at: 'nothing' }, { at: 'mining' }, { at: 'paying' }, { at: 'blocks of', node: other }]);
}

function depthOf({ dice }: Draw): number {
  return dice.chance(0.2) ? dice.between(4, 12) : dice.between(1, 3);
}

const quiet: Episode = (draw) => [mining(draw), waiting(draw)];

const payments: Episode = (draw) => [
  ...Array.from({ length: draw.dice.between(1, 3) }, () => paying(draw)),
  waiting(draw),
  mining(draw),
];

const chains: Episode = (draw) => [
  { kind: 'chain', wallet: payer(draw), length: draw.dice.between(2, 4) },
  ...(draw.dice.chance(0.5) ? [waiting(draw)] : []),
  mining(draw),
];

const conflict: Episode = (draw) => [
  { kind: 'conflict', wallet: payer(draw), nodes: twoNodes(draw) },
  waiting(draw),
  mining(draw),
];

const partedConflict: Episode = (draw) => [
  parting(draw),
  { kind: 'conflict', wallet: payer(draw), nodes: twoNodes(draw) },
  mining(draw),
  mining(draw),
  { kind: 'heal' },
  waiting(draw),
];

const flood: Episode = (draw) =>
  draw.maxPoolBytes === undefined
    ? payments(draw)
    : [{ kind: 'flood', node: someNode(draw), count: Math.ceil(draw.maxPoolBytes / FLOOD_BYTES) + 3 }, mining(draw)];

const partition: Episode = (draw) => [
  parting(draw),
  mining(draw),
  ...(draw.dice.chance(0.5) ? [paying(draw)] : []),
  mining(draw),
  waiting(draw),
  { kind: 'heal' },
  waiting(draw),
];

const oneWay: Episode = (draw) => {
  const cuts = Array.from({ length: draw.dice.between(1, 3) }, (): StepPlan => {
    const [from, to] = twoNodes(draw);
    return { kind: 'cut', from, to };
  });
  return [...cuts, mining(draw), waiting(draw), { kind: 'heal' }];
};

const reorganisation: Episode = (draw) => {
  const [node, rival] = twoNodes(draw);
  return [
    ...(draw.dice.chance(0.5) ? [paying(draw)] : []),
    { kind: 'reorg', node, rival, depth: depthOf(draw) },
    waiting(draw),
  ];
};

const crash: Episode = (draw) => {
  const node = someNode(draw);
  const amid = workAt(draw, node);
  return [
    { kind: 'crash', node, how: howToCrash(draw), amid, afterMs: draw.dice.within([0, 12]) },
    ...(draw.dice.chance(0.6) ? [mining(draw)] : []),
    waiting(draw),
    { kind: 'restart', node },
  ];
};

const crashInRecovery: Episode = (draw) => {
  const [node, rival] = twoNodes(draw);
  return [
    { kind: 'crash in recovery', node, rival, depth: draw.dice.between(2, 4), how: howToCrash(draw) },
    { kind: 'restart', node: rival },
  ];
};

const crashInReorg: Episode = (draw) => {
  const [node, rival] = twoNodes(draw);
  return [
    { kind: 'crash in reorg', node, rival, depth: draw.dice.between(2, 4), how: howToCrash(draw) },
    ...(draw.dice.chance(0.5) ? [mining(draw)] : []),
    { kind: 'restart', node: rival },
  ];
};

const pause: Episode = (draw) => {
  const node = someNode(draw);
  return [{ kind: 'stop', node }, mining(draw), { kind: 'restart', node }];
};

const freeze: Episode = (draw) => [
  { kind: 'freeze', node: someNode(draw), ms: draw.dice.between(500, 90_000) },
  mining(draw),
  waiting(draw),
];

const wrongClock: Episode = (draw) => {
  const { dice, unpunctual } = draw;
  const node = dice.pick(unpunctual) ?? 0;
  const aheadMs = dice.between(-MOST_SKEW_MS, MOST_SKEW_MS);
  const steps: StepPlan[] = [
    { kind: 'clock', node, aheadMs: dice.chance(0.4) ? Math.round(aheadMs / 100) : aheadMs },
    dice.chance(0.6) ? { kind: 'mine', node, count: dice.between(1, 2) } : mining(draw),
    waiting(draw),
  ];
  return dice.chance(0.6) ? [...steps, { kind: 'clock', node, aheadMs: 0 }] : steps;
};

const otherLinks: Episode = (draw) => {
  const { dice } = draw;
  const [from, to] = twoNodes(draw);
  const links = drawLinks(dice);
  return [dice.chance(0.5) ? { kind: 'links', links } : { kind: 'link', from, to, link: links }, mining(draw)];
};

const fullDisk: Episode = (draw) => {
  const node = someNode(draw);
  return [
    { kind: 'full disk', node, ms: draw.dice.between(500, 45_000) },
    draw.dice.chance(0.5) ? { kind: 'mine', node, count: 1 } : mining(draw),
    waiting(draw),
  ];
};

const slowDisk: Episode = (draw) => [
  {
    kind: 'slow disk',
    node: someNode(draw),
    ms: draw.dice.between(5_000, 60_000),
    commitMs: draw.dice.between(20, 800),
  },
  mining(draw),
];

const failingSync: Episode = (draw) => {
  const node = someNode(draw);
  return [{ kind: 'failing sync', node }, mining(draw), waiting(draw), { kind: 'restart', node }];
};

const bitFlip: Episode = (draw) => {
  const node = someNode(draw);
  const store = draw.dice.chance(0.8) ? 'chain' : 'pool';
  const rows = draw.dice.between(1, 40);
  return [{ kind: 'bit flips', node, store, rows }, mining(draw), waiting(draw), { kind: 'restart', node }];
};

const wipe: Episode = (draw) => [{ kind: 'wipe', node: someNode(draw) }, waiting(draw)];

/** Every episode there is, and how often it is drawn beside the others. */
export const EPISODES: readonly (readonly [weight: number, episode: Episode])[] = [
  [4, quiet],
  [6, payments],
  [4, chains],
  [2, conflict],
  [3, partedConflict],
  [4, flood],
  [4, partition],
  [3, oneWay],
  [5, reorganisation],
  [5, crash],
  [3, crashInRecovery],
  [3, crashInReorg],
  [1, pause],
  [2, freeze],
  [4, wrongClock],
  [2, otherLinks],
  [3, fullDisk],
  [2, slowDisk],
  [2, failingSync],
  [3, bitFlip],
  [1, wipe],
];
