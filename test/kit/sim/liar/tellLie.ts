import { Dice } from '../dice.js';
import type { Liar } from './liar.js';
import type { Telling } from './lie.js';
import { LIES, type LieName } from './lies.js';

/**
 * Has a liar tell one lie: it takes back whatever it told before, and greets the victim anew where that has dropped it.
 * Answers whether the lie could be told. Without dice its details follow from the network's seed and the moment.
 */
export async function tellLie(
  liar: Liar,
  name: LieName,
  { net, victim, dice }: Omit<Telling, 'dice'> & Partial<Telling>,
): Promise<boolean> {
  liar.story.recant();
  if (!(await liar.meet(victim))) return false;
  liar.note(`lies to ${victim.name}: ${name}`);
  const chance = dice ?? Dice.of(net.seed, `${name} by ${liar.name} at ${net.scheduler.now}`);
  return LIES[name](liar, { net, victim, dice: chance });
}
