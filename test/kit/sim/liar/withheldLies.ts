import type { Block } from '../../../../shared/model/block.js';
import { announceBlock } from './announce.js';
import { ABSENT, type Answer, SILENCE } from './answer.js';
import { Forge } from './forge.js';
import type { Lie } from './lie.js';

/** Blocks of a withheld branch. */
const BRANCH = 8;

/** Valid blocks that are announced, and never come. Their work counts as soon as the header is there. */
export const WITHHELD_BLOCK_LIES = {
  'withheld-block-silent': withheld(() => SILENCE),
  'withheld-block-absent': withheld(() => ABSENT),
  /** Another block comes instead. */
  'withheld-block-other': withheld((forge) => forge.parent),
  /** A whole branch, far above the victim's tip: as long as it waits for the first body, it takes itself to be behind. */
  'withheld-branch': async (liar, telling) => {
    const forge = Forge.on(liar, telling);
    if (forge === undefined) return false;
    const branch = forge.emptyBlocks(forge.parent, BRANCH);
    const [top] = branch.slice(-1);
    liar.story.chain = forge.feign(branch);
    for (const { header } of branch) liar.story.blocks.set(header.hash, SILENCE);
    return top !== undefined && announceBlock(liar, telling.victim, top.header);
  },
} satisfies Record<string, Lie>;

function withheld(answer: (forge: Forge) => Block | Answer): Lie {
  return async (liar, telling) => {
    const forge = Forge.on(liar, telling);
    if (forge === undefined) return false;
    const { header } = forge.block([forge.coinbase()]);
    liar.story.blocks.set(header.hash, answer(forge));
    return announceBlock(liar, telling.victim, header);
  };
}
