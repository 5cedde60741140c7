import type { NetworkParams } from '../../../shared/consensus/params.js';
import type { Network } from './network.js';

/** The figures of a network for the second validator, which has no parameters but its own. */
export function networkOfParams(params: NetworkParams): Network {
  return {
    name: params.name,
    interval: BigInt(params.blockInterval),
    retarget: params.retarget,
    halfLife: BigInt(params.halfLife),
    genesisBits: params.genesisBits,
    reward: params.reward,
    halving: params.halvingInterval,
    maturity: params.coinbaseMaturity,
    maxSupply: params.maxSupply,
    minimumWork: params.minimumWork,
    upgrades: params.upgrades,
  };
}
