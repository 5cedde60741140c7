import { type NetworkParams, parseNetwork } from '../../../shared/consensus/params.js';
import type { Dice } from '../sim/dice.js';
import type { LinkOptions } from '../sim/links.js';

/** Bits that every second hash meets: nodes are tried here, not processors. */
const EASY_BITS = 0x207fffff;
/** Few enough that ten payments do not fit. */
const SMALL_POOL_BYTES = [18_000, 27_000, 45_000] as const;

/** The rules of one network, drawn. */
export function drawNetwork(dice: Dice): NetworkParams {
  return parseNetwork({
    name: 'sim',
    // Nodes look at each other five times a block, but every 30 s at the slowest: quiet time is dear on quicker networks.
    blockIntervalSeconds: dice.pick([150, 200, 300]),
    retarget: dice.chance(0.4) ? 'none' : 'asert',
    // Blocks come in bursts here. With less, a few of them would make mining too hard for a test.
    halfLifeIntervals: dice.between(6, 24),
    genesisBits: EASY_BITS,
    reward: dice.pick(['1.5', '50', '0.00105']),
    halvingInterval: dice.chance(0.3) ? dice.between(4, 20) : 0,
    coinbaseMaturity: dice.between(1, 4),
    // Now and then there is nothing left to mine but fees.
    maxSupply: dice.chance(0.1) ? '60' : '90000000',
    minimumWork: '0',
    upgrades: dice.chance(0.25) ? [{ height: dice.between(2, 20), version: 2 }] : [],
    nodePort: 42221,
  });
}

/** The most memory that waiting transactions take; a node's own choice where `undefined`. */
export function drawPoolBytes(dice: Dice): number | undefined {
  return dice.chance(0.25) ? dice.pick(SMALL_POOL_BYTES) : undefined;
}

/** How messages travel, drawn: often well, seldom badly. */
export function drawLinks(dice: Dice): LinkOptions {
  const isBad = dice.chance(0.3);
  return {
    latencyMs: dice.pick([1, 5, 20, 80]),
    jitterMs: dice.pick([0, 5, 50, 200]),
    loss: isBad ? dice.within([0.01, 0.15]) : 0,
    duplication: dice.chance(0.3) ? dice.within([0.01, 0.1]) : 0,
    reordering: dice.chance(0.3) ? dice.within([0.01, 0.2]) : 0,
    bandwidth: dice.chance(0.2) ? dice.within([2, 50]) : undefined,
  };
}
