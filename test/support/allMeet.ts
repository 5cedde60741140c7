import type { Simulation } from '../kit/sim/simulation.js';
import { strangersTo } from '../kit/sim/strangersTo.js';

/** Lets time go by until nobody lacks anybody: no peer has been given up for good. Fails where that takes longer. */
export async function allMeet({ nodes, scheduler }: Simulation, withinMs: number): Promise<void> {
  const apart = (): string[] =>
    nodes.flatMap((node) => strangersTo(node, nodes).map((other) => `${node.name} lacks ${other.name}`));
  if (await scheduler.advanceUntil(() => apart().length === 0, withinMs)) return;
  throw new Error(`after ${withinMs / 1_000} s ${apart().join(', ')}`);
}
