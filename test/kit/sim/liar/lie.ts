import type { Dice } from '../dice.js';
import type { SimNode } from '../simNode.js';
import type { Simulation } from '../simulation.js';
import type { Liar } from './liar.js';

/** To whom a lie is told. */
export interface Telling {
  readonly net: Simulation;
  readonly victim: SimNode;
  /** What decides the lie's details. */
  readonly dice: Dice;
}

/**
 * Tells a lie, and lets time go by until the victim has heard it. Answers `false` where it cannot be told now, because a
 * coin, a node or a moment is missing. What follows from it comes later, by the victim's own calls.
 */
export type Lie = (liar: Liar, telling: Telling) => Promise<boolean>;
