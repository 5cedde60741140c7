import type { SimNode } from '../simNode.js';
import type { Liar } from './liar.js';
import type { Telling } from './lie.js';

/** Another node than the victim, that the liar has met too; `undefined` where there is none. */
export async function elsewhere(liar: Liar, { net, victim, dice }: Telling): Promise<SimNode | undefined> {
  const other = dice.pick(net.nodes.filter((node) => node !== victim && liar.hears(node)));
  return other !== undefined && (await liar.meet(other)) ? other : undefined;
}
