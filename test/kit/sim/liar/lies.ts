import { BLOCK_LIES } from './blockLies.js';
import { claimedWork } from './claimedWork.js';
import { coinTwice } from './coinTwice.js';
import { COMPACT_LIES } from './compactLies.js';
import { doubleSpend } from './doubleSpend.js';
import { FLOOD_LIES } from './floodLies.js';
import { FORESTALLED_BLOCK_LIES } from './forestallBlock.js';
import { FORESTALLED_TRANSACTION_LIES } from './forestallTransaction.js';
import { FORK_LIES } from './forkLies.js';
import { GARBAGE_LIES } from './garbageLies.js';
import { HEADER_FLOOD_LIES } from './headerFloods.js';
import { HEADER_LIES } from './headerLies.js';
import type { Lie } from './lie.js';
import { verifiedJunk } from './verifiedJunk.js';
import { WITHHELD_BLOCK_LIES } from './withheldLies.js';

/** Every lie there is, by name; `tellLie` tells one. */
export const LIES = {
  ...BLOCK_LIES,
  ...HEADER_LIES,
  ...COMPACT_LIES,
  ...FORK_LIES,
  ...FORESTALLED_BLOCK_LIES,
  ...WITHHELD_BLOCK_LIES,
  ...FORESTALLED_TRANSACTION_LIES,
  ...GARBAGE_LIES,
  ...FLOOD_LIES,
  ...HEADER_FLOOD_LIES,
  'block-verified-junk': verifiedJunk,
  'claimed-work': claimedWork,
  'coin-twice': coinTwice,
  'double-spend': doubleSpend,
} satisfies Record<string, Lie>;

/** The name of a lie. */
export type LieName = keyof typeof LIES;

/** All of them, for whoever draws one. */
export const LIE_NAMES: readonly LieName[] = Object.keys(LIES).filter(isLieName);

/** Whether there is a lie of this name. */
export function isLieName(name: string): name is LieName {
  return Object.hasOwn(LIES, name);
}
