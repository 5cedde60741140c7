import { type Amount, toAmount, ZERO_AMOUNT } from '../model/amount.js';
import type { NetworkParams } from './params.js';

/**
 * The new coins a block of this height may make: what the schedule says, cut to what `maxSupply` leaves. It is a function
 * of the height alone: coins that a miner did not claim are burnt, and no later block makes them again.
 */
export function subsidyAt(params: NetworkParams, height: number): Amount {
  if (height === 0) return ZERO_AMOUNT;
  const left = params.maxSupply - scheduledBelow(params, height);
  const scheduled = rewardOfPeriod(params, periodOf(params, height));
  return toAmount(left > 0n ? min(scheduled, left) : 0n);
}

/** What the schedule alone gives all blocks from 1 to `height - 1`. */
function scheduledBelow(params: NetworkParams, height: number): bigint {
  if (params.halvingInterval === 0) return params.reward * BigInt(height - 1);
  let sum = 0n;
  let period = 0;
  let blocks = BigInt(height - 1);
  while (rewardOfPeriod(params, period) > 0n) {
    const inPeriod = min(blocks, BigInt(params.halvingInterval));
    sum += inPeriod * rewardOfPeriod(params, period);
    blocks -= inPeriod;
    period += 1;
  }
  return sum;
}

/** Period 0 holds heights 1 to `halvingInterval`. */
function periodOf(params: NetworkParams, height: number): number {
  return params.halvingInterval === 0 ? 0 : Math.floor((height - 1) / params.halvingInterval);
}

function rewardOfPeriod(params: NetworkParams, period: number): bigint {
  return params.reward >> BigInt(period);
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
