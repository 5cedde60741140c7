import type { SimNode } from '../simNode.js';
import type { Simulation } from '../simulation.js';

/** Watches a network for what must never happen. Each throws `InvariantBroken` where it has. */
export interface Watchdog {
  /** After an event, and all that followed from it at once. */
  afterEvent(): void;
  /** A node has gone over to another branch, and rests on it. */
  atReorganisation(node: SimNode): void;
  /** A node is up again on what its disk held. */
  atRestart(node: SimNode): void;
  /** Everything is healed, and the network has come to rest. */
  atEnd(): void;
}

/** Sets a watch on a network. */
export type MakeWatchdog = (net: Simulation) => Watchdog;

/** The watch that every simulation has: it sees by itself where a node has switched branches or come back. */
export const watchInvariants: MakeWatchdog = ({ invariants }) => ({
  afterEvent: () => invariants.afterEvent(),
  atReorganisation: () => {},
  atRestart: () => {},
  atEnd: () => invariants.lookClosely(),
});
