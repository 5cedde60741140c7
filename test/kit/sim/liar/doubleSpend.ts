import { submit } from './announce.js';
import { elsewhere } from './elsewhere.js';
import { FORGED_FEE, Forge } from './forge.js';
import type { Lie } from './lie.js';

/**
 * Two payments of one coin, nothing wrong with either, each to another node. Neither pays enough to take the other's place:
 * only a block decides between them.
 */
export const doubleSpend: Lie = async (liar, telling) => {
  const forge = Forge.on(liar, telling);
  const coin = forge?.freeCoin();
  const other = await elsewhere(liar, telling);
  if (forge === undefined || coin === undefined || other === undefined) return false;
  const [one, two] = [forge.pay(coin), forge.pay(coin, coin.coin.value - FORGED_FEE - 1n)];
  const taken = await Promise.all([submit(liar, telling.victim, one), submit(liar, other, two)]);
  return taken.every((isTaken) => isTaken);
};
