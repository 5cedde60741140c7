import type { Simulation } from '../simulation.js';
import { Liar } from './liar.js';

/**
 * Puts a liar on a simulated network. It greets every node that runs, and goes on as honest as they are until it is told
 * to lie. Several on one network need different numbers.
 */
export async function joinLiar(net: Simulation, number = 0): Promise<Liar> {
  const liar = new Liar(number, net);
  net.wire.join(liar);
  await Promise.all(net.nodes.map((node) => liar.meet(node)));
  return liar;
}
