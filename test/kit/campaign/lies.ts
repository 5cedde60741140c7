import type { Dice } from '../sim/dice.js';
import type { SimNode } from '../sim/simNode.js';
import type { Simulation } from '../sim/simulation.js';

/** To whom a lie is told, and by which chance. */
export interface LieContext {
  readonly net: Simulation;
  readonly victim: SimNode;
  readonly dice: Dice;
}

/** What a scenario knows of lying peers: which lies there are, and how one is told. */
export interface Lies {
  readonly names: readonly string[];
  /** Has a peer tell a lie; answers whether it came to that. */
  tell(name: string, context: LieContext): Promise<boolean>;
  /** Ends all lying on a network: whoever lied is gone, or speaks the truth. */
  silence(net: Simulation): void;
}

/** The lies of every scenario: none yet. */
export const LIES: Lies = { names: [], tell: async () => false, silence: () => {} };
