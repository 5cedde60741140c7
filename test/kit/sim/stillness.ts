import { paceOf } from '../../../server/pace.js';
import type { SimNode } from './simNode.js';
import type { Simulation } from './simulation.js';

/** Looks at peers without any news after which those that disagree on what waits are left to it. */
const QUIET_ROUNDS = 4;
/** The same, after which branches of equal work are taken to stay. */
const STUCK_ROUNDS = 10;

/** What has to come to rest. */
type Restless = Pick<Simulation, 'nodes' | 'scheduler' | 'wire' | 'params' | 'links'>;

/** How long to wait for it. */
export interface Patience {
  readonly limitMs: number;
  /** Whether nobody is to bring about anything more: then branches of equal work are not waited for. */
  readonly isAll?: (() => boolean) | undefined;
}

/** Lets time go by until a network has come to rest; answers whether it did before that was over. */
export async function reachStillness(net: Restless, { limitMs, isAll = () => false }: Patience): Promise<boolean> {
  const { scheduler, nodes } = net;
  const until = scheduler.now + limitMs;
  const stillness = new Stillness(net);
  const isOver = (): boolean => stillness.isReached() || (stillness.isOutOfReach && isAll());
  while (await scheduler.advanceUntil(isOver, Math.max(0, until - scheduler.now))) {
    // Nothing is on its way, but a node may still be judging what waits after a switch of branches.
    await scheduler.during(Promise.all(nodes.map(({ running }) => running?.mempool.atRest())));
    if (stillness.isReached()) return true;
    if (stillness.isOutOfReach && isAll()) return false;
  }
  return false;
}

/** The same, and whoever outside was told of something has the answers to all that it asked because of it. */
export async function reachQuiet(net: Restless, patience: Patience): Promise<boolean> {
  const { scheduler } = net;
  while (await reachStillness(net, patience)) {
    if (!(await scheduler.leavesMoreToDo())) return true;
    await scheduler.advanceTo(scheduler.now);
  }
  return false;
}

/** Whether a network has come to rest: nothing on its way, and those who can hear each other of one mind. */
export class Stillness {
  readonly #net: Restless;
  #last = '';
  #since: number;

  constructor(net: Restless) {
    this.#net = net;
    this.#since = net.scheduler.now;
  }

  isReached(): boolean {
    const { wire, scheduler, params } = this.#net;
    if (wire.inFlight > 0) return false;
    const groups = this.#groups();
    const state = groups.flat().map(stateOf).join();
    if (state !== this.#last) {
      this.#last = state;
      this.#since = scheduler.now;
    }
    if (!groups.every((group) => isOne(group, hashOf))) return false;
    if (groups.every((group) => isOne(group, waitingIn))) return true;
    // Two payments of one coin may wait on two sides for good: nobody is to take over what conflicts.
    return scheduler.now - this.#since >= QUIET_ROUNDS * paceOf(params).syncMs;
  }

  /** Whether it will not be reached, however long one waits: an equal rival never replaces a branch. As of the last look. */
  get isOutOfReach(): boolean {
    const { scheduler, params } = this.#net;
    if (scheduler.now - this.#since < STUCK_ROUNDS * paceOf(params).syncMs) return false;
    const split = this.#split();
    return split !== undefined && isOne(split, workOf);
  }

  /** What keeps it from being reached. */
  why(): string {
    const split = this.#split();
    if (split === undefined) return 'the waiting transactions go on changing';
    const tips = split
      .map((node) => `${node.name} is at ${node.tip?.header.height ?? 0} ${hashOf(node).slice(0, 8)}`)
      .join(', ');
    return isOne(split, workOf) ? `${tips}: branches of equal work, so mine a block on one of them` : tips;
  }

  /** Nodes that hear each other and stand on different tips. */
  #split(): SimNode[] | undefined {
    return this.#groups().find((group) => !isOne(group, hashOf));
  }

  /** The running nodes, by who hears whom, over others too. */
  #groups(): SimNode[][] {
    const { nodes, links } = this.#net;
    const running = new Map(nodes.filter(({ isRunning }) => isRunning).map((node) => [node.name, node]));
    return links.routes.circles([...running.keys()]).map((circle) => circle.flatMap((name) => running.get(name) ?? []));
  }
}

function isOne(group: readonly SimNode[], read: (node: SimNode) => string): boolean {
  return new Set(group.map(read)).size <= 1;
}

function hashOf({ tip }: SimNode): string {
  return tip?.header.hash ?? '';
}

function workOf({ tip }: SimNode): string {
  return String(tip?.work);
}

function stateOf(node: SimNode): string {
  return `${hashOf(node)}/${node.running?.mempool.pool.revision ?? 0}`;
}

function waitingIn({ running }: SimNode): string {
  return running === undefined ? '' : [...running.mempool.pool.wtxids()].sort().join();
}
