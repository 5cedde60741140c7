import { medianTime } from '../../../../shared/consensus/checkHeader.js';
import { bitsFromTarget, hashAsNumber } from '../../../../shared/consensus/target.js';
import { sealBlock } from '../../../../shared/model/block.js';
import { type HeaderFields, sealHeader } from '../../../../shared/model/header.js';
import { toHeight } from '../../../../shared/model/height.js';
import { idFromBytes } from '../../../../shared/model/ids.js';
import { announceBlock } from './announce.js';
import { Forge } from './forge.js';
import type { Lie, Telling } from './lie.js';

/** Two hours: past what a node's clock may be off, and past what it waits for. */
const FAR_AHEAD_MS = 7_200_000;

/** Headers that break one rule each, announced as an honest miner would, with all the work that they say. */
export const HEADER_LIES = {
  /** A target of its own, and a harder one: it would count for twice the work. */
  'header-wrong-bits': header(({ target }) => ({ bits: bitsFromTarget(target / 2n) })),
  'header-old': header((forge) => ({ timestamp: medianTime(forge.contextOf(forge.parent).recentTimes) })),
  'header-future': header((_, { net }) => ({ timestamp: net.time + FAR_AHEAD_MS })),
  'header-wrong-height': header((forge) => ({ height: toHeight(forge.parent.header.height + 2) })),
  'header-wrong-version': header(({ dice }) => ({ version: 7 + dice.below(100) })),
  'header-unknown-parent': header(({ dice }) => ({ previous: idFromBytes(dice.bytes(32)) })),
  /** The right target, and a hash above it. */
  'header-false-work': async (liar, telling) => {
    const forge = Forge.on(liar, telling);
    if (forge === undefined) return false;
    const { header, transactions } = forge.block([forge.coinbase()]);
    let idle = header;
    while (hashAsNumber(idle.hash) <= forge.target) idle = sealHeader({ ...idle, nonce: idle.nonce + 1n });
    liar.story.serve(sealBlock(idle, transactions));
    return announceBlock(liar, telling.victim, idle);
  },
} satisfies Record<string, Lie>;

/** The lie that announces a header with one change, made before it is mined. */
function header(change: (forge: Forge, telling: Telling) => Partial<HeaderFields>): Lie {
  return async (liar, telling) => {
    const forge = Forge.on(liar, telling);
    if (forge === undefined) return false;
    const block = forge.block([forge.coinbase()], { change: change(forge, telling) });
    // Whoever falls for the header shall get what belongs to it.
    liar.story.serve(block);
    return announceBlock(liar, telling.victim, block.header);
  };
}
