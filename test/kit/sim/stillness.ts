import { paceOf } from '../../../server/pace.js';
import type { SimNode } from './simNode.js';
import type { Simulation } from './simulation.js';

/** Looks at peers without any news after which those that disagree on what waits are left to it. */
const QUIET_ROUNDS = 4;
/** The same, after which branches of equal work are taken to stay. */
const STUCK_ROUNDS = 10;

/** Whether a network has come to rest: nothing on its way, and those who can hear each other of one mind. */
export class Stillness {
  readonly #net: Pick<Simulation, 'nodes' | 'scheduler' | 'wire' | 'params' | 'hear'>;
  #last = '';
  #since: number;

  constructor(net: Pick<Simulation, 'nodes' | 'scheduler' | 'wire' | 'params' | 'hear'>) {
    this.#net = net;
    this.#since = net.scheduler.now;
  }

  isReached(): boolean {
    const { wire, scheduler, params } = this.#net;
    // Whoever was told something and asks on gets the answers first: calls from outside take no time.
    if (wire.inFlight > 0 || scheduler.isBusy) return false;
    const groups = this.#groups();
    const state = groups.flat().map(stateOf).join();
    if (state !== this.#last) {
      this.#last = state;
      this.#since = scheduler.now;
    }
    if (!groups.every((group) => isOne(group, tipOf))) return false;
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
    const tips = split.map((node) => `${node.name} is at ${heightOf(node)} ${tipOf(node).slice(0, 8)}`).join(', ');
    return isOne(split, workOf) ? `${tips}: branches of equal work, so mine a block on one of them` : tips;
  }

  /** Nodes that hear each other and stand on different tips. */
  #split(): SimNode[] | undefined {
    return this.#groups().find((group) => !isOne(group, tipOf));
  }

  /** The running nodes, by who hears whom, over others too. */
  #groups(): SimNode[][] {
    const left = new Set(this.#net.nodes.filter(({ isRunning }) => isRunning));
    const groups: SimNode[][] = [];
    for (const first of left) {
      const group: SimNode[] = [];
      const reached = [first];
      left.delete(first);
      for (let node = reached.pop(); node !== undefined; node = reached.pop()) {
        group.push(node);
        for (const other of left) {
          if (!this.#net.hear(node, other)) continue;
          left.delete(other);
          reached.push(other);
        }
      }
      groups.push(group);
    }
    return groups;
  }
}

function isOne(group: readonly SimNode[], read: (node: SimNode) => string): boolean {
  return new Set(group.map(read)).size <= 1;
}

function tipOf({ running }: SimNode): string {
  return running?.chain.tip.header.hash ?? '';
}

function heightOf({ running }: SimNode): number {
  return running?.chain.tip.header.height ?? 0;
}

function workOf({ running }: SimNode): string {
  return String(running?.chain.tip.work);
}

function stateOf(node: SimNode): string {
  return `${tipOf(node)}/${node.running?.mempool.pool.revision ?? 0}`;
}

function waitingIn({ running }: SimNode): string {
  return running === undefined ? '' : [...running.mempool.pool.wtxids()].sort().join();
}
