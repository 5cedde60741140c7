import type { SimNode } from '../simNode.js';
import type { Simulation } from '../simulation.js';

/** Something happened that must never happen. */
export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken';
  /** What was broken, in one word: the same fault has the same name in every run. */
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(message);
    this.invariant = invariant;
  }
}

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
