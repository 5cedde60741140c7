import type { Simulation } from '../simulation.js';
import { Liar } from './liar.js';

/** How a liar joins. */
export interface JoinOptions {
  /** Its IPv4 address; a private one unless given. */
  readonly address?: string;
  /** Whether it waits to be found, and greets nobody. */
  readonly isQuiet?: boolean;
  /** What it says it can do; all that a node can unless given. */
  readonly capabilities?: readonly string[];
}

/**
 * Puts a liar on a simulated network. It greets every node that runs, and goes on as honest as they are until it is told
 * to lie. Several on one network need different numbers.
 */
export async function joinLiar(net: Simulation, number = 0, options: JoinOptions = {}): Promise<Liar> {
  const liar = new Liar(number, net, options.address);
  liar.capabilities = options.capabilities ?? liar.capabilities;
  net.wire.join(liar);
  if (!options.isQuiet) await Promise.all(net.nodes.map((node) => liar.meet(node)));
  return liar;
}
