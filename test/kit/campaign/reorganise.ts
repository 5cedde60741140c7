import type { CrashKind } from '../network.js';
import type { SimNode } from '../sim/simNode.js';
import type { Machines } from './machines.js';
import { mine } from './mine.js';
import type { Stage } from './stage.js';

/** Who mines in private, against whom, and how many blocks are to leave. */
export interface Rivalry {
  readonly node: number;
  readonly rival: number;
  readonly depth: number;
}

/** How long it may take until the longer branch is known. */
const SPREADING_MS = 20_000;

/** How long a node may take to begin with its recovery. */
const RECOVERY_MS = 1_000;

/** A node mines in private, its rival among the others, and both learn of each other: the shorter branch goes. */
export async function reorganise(stage: Stage, rivalry: Rivalry): Promise<void> {
  const rival = await mineApart(stage, rivalry);
  await stage.net.scheduler.advanceUntil(() => rival.running?.chain.isSwitching ?? true, SPREADING_MS);
}

/** The same, and the rival goes down amid the switch, between two blocks or in the middle of one. */
export async function crashInReorg(
  stage: Stage,
  machines: Machines,
  { how, ...rivalry }: Rivalry & { readonly how: CrashKind },
): Promise<void> {
  const rival = await mineApart(stage, rivalry);
  const { scheduler } = stage.net;
  const isAmid = (): boolean => (rival.running?.chain.isSwitching ?? true) && rival.disk.isBusy;
  if (await scheduler.advanceUntil(isAmid, SPREADING_MS)) machines.crashNow(rival, how);
}

/** The same, and it goes down again while it takes up where it was. */
export async function crashInRecovery(
  stage: Stage,
  machines: Machines,
  step: Rivalry & { readonly how: CrashKind },
): Promise<void> {
  await crashInReorg(stage, machines, step);
  const rival = stage.net.node(step.rival);
  machines.crashNow(rival, 'process');
  const up = machines.start(rival);
  await stage.net.scheduler.advanceUntil(() => rival.disk.isBusy || rival.isRunning, RECOVERY_MS);
  if (!rival.isRunning) machines.crashNow(rival, step.how);
  await up;
}

async function mineApart(stage: Stage, { node, rival, depth }: Rivalry): Promise<SimNode> {
  const { net } = stage;
  const others = net.nodes.map(({ index }) => index).filter((index) => index !== node);
  net.partition([node], others);
  stage.count('partitions');
  await mine(stage, net.node(rival), { count: depth });
  await mine(stage, net.node(node), { count: depth });
  net.heal();
  stage.count('heals');
  // The last one is announced to all: the others learn of the branch at once, and not when they next look at their peers.
  await mine(stage, net.node(node), { count: 1 });
  return net.node(rival);
}
