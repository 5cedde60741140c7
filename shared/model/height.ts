import type { Branded } from './brand.js';

/** How many blocks lie below a block: 0 for genesis, a u32. */
export type Height = Branded<number, 'Height'>;

/** The largest height the header has room for. */
export const MAX_HEIGHT = 0xffff_ffff;

/** A height this program computed. Throws when it is none: that is a fault of ours. */
export function toHeight(value: number): Height {
  if (!Number.isInteger(value) || value < 0 || value > MAX_HEIGHT) throw new RangeError(`${value} is not a height`);
  return value as Height;
}

/** The genesis block's height. */
export const GENESIS_HEIGHT = toHeight(0);
