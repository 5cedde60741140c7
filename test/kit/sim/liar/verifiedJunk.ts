import { announceBlock, submit } from './announce.js';
import { Forge } from './forge.js';
import { underJunk } from './junkSignature.js';
import type { Lie } from './lie.js';

/**
 * A payment with good signatures, which the victim checks and remembers, and then a block with the same payment under
 * junk ones: it has the same txid, and only its wtxid tells that these signatures were never checked.
 */
export const verifiedJunk: Lie = async (liar, telling) => {
  const { victim, dice } = telling;
  const forge = Forge.on(liar, telling);
  const coin = forge?.freeCoin();
  if (forge === undefined || coin === undefined) return false;
  const payment = forge.pay(coin);
  if (!(await submit(liar, victim, payment))) return false;
  const block = forge.block([forge.coinbase(), underJunk(payment, dice)]);
  liar.story.serve(block);
  return announceBlock(liar, victim, block.header);
};
