import { paceOf } from '../../../../server/pace.js';
import { toHeight } from '../../../../shared/model/height.js';
import { idFromBytes } from '../../../../shared/model/ids.js';
import type { Lie } from './lie.js';

/** More work than there will ever be. */
const CLAIMED = 2n ** 200n;

/** Claims a tip with more work than anybody's in every hello and ping, and has nothing to show for it. */
export const claimedWork: Lie = async (liar, { net, victim, dice }) => {
  const hash = idFromBytes<typeof liar.tip.hash>(dice.bytes(32));
  liar.story.tip = { height: toHeight(1_000_000 + dice.below(1_000_000)), hash, work: CLAIMED };
  const believes = (): boolean => victim.running?.peers.get(liar.url)?.tip.work === CLAIMED;
  return net.scheduler.advanceUntil(believes, 2 * paceOf(net.params).upkeepMs);
};
