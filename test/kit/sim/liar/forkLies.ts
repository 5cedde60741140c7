import type { Block } from '../../../../shared/model/block.js';
import type { Transaction } from '../../../../shared/model/transaction.js';
import { announceBlock } from './announce.js';
import { Forge } from './forge.js';
import { underJunk } from './junkSignature.js';
import type { Lie } from './lie.js';

/** How far below the tip such a branch begins at most. */
const DEEPEST = 3;

/**
 * Branches with more work than the victim's chain: a valid block, one that breaks a rule which only shows when it is
 * connected, and more on top that nothing is wrong with. The victim leaves its chain for them, and has to come back.
 */
export const FORK_LIES = {
  'fork-overspend': fork((forge) => {
    const coin = forge.ripeCoin();
    return coin && forge.pay(coin, coin.coin.value + 1n);
  }),
  'fork-junk-signature': fork((forge) => {
    const coin = forge.othersCoin();
    return coin && underJunk(forge.steal(coin), forge.dice);
  }),
} satisfies Record<string, Lie>;

/** The lie that shows such a branch, at a depth that the dice decide, or less deep where the coins are younger. */
function fork(make: (forge: Forge) => Transaction | undefined): Lie {
  return async (liar, telling) => {
    for (let depth = telling.dice.between(1, DEEPEST); depth >= 1; depth--) {
      const forge = Forge.on(liar, telling, depth);
      const bad = forge && make(forge);
      if (forge === undefined || bad === undefined) continue;
      const branch = branchWith(forge, { bad, above: depth });
      liar.story.chain = forge.feign(branch);
      for (const block of branch) liar.story.serve(block);
      const [top] = branch.slice(-1);
      return top !== undefined && announceBlock(liar, telling.victim, top.header);
    }
    return false;
  };
}

function branchWith(forge: Forge, { bad, above }: { bad: Transaction; above: number }): Block[] {
  const good = forge.block([forge.coinbase()]);
  const wrong = forge.block([forge.coinbase({ parent: good }), bad], { parent: good });
  return [good, wrong, ...forge.emptyBlocks(wrong, above)];
}
