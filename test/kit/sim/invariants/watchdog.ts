import type { Simulation } from '../simulation.js';

/** Watches a network for what must never happen. Each throws `InvariantBroken` where it has. */
export interface Watchdog {
  /** After an event, and all that followed from it at once. */
  afterEvent(): void;
  /** Everything is healed, and the network has come to rest. */
  atEnd(): void;
}

/** Sets a watch on a network. */
export type MakeWatchdog = (net: Simulation) => Watchdog;

/** The watch that every simulation has: it sees by itself where a node has switched branches or come back. */
export const watchInvariants: MakeWatchdog = ({ invariants }) => ({
  afterEvent: () => invariants.afterEvent(),
  atEnd: () => invariants.lookClosely(),
});
