import { submit } from './announce.js';
import { FORGED_FEE, Forge } from './forge.js';
import type { Lie } from './lie.js';

/** A payment that lists one coin twice and pays out twice its worth, handed in as if it could wait (CVE-2018-17144). */
export const coinTwice: Lie = async (liar, telling) => {
  const forge = Forge.on(liar, telling);
  const coin = forge?.freeCoin();
  if (forge === undefined || coin === undefined) return false;
  await submit(liar, telling.victim, forge.payAll([coin, coin], 2n * coin.coin.value - FORGED_FEE));
  return true;
};
