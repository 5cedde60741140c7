import type { NetworkParams } from '../../../shared/consensus/params.js';
import type { Network } from './network.js';

/** A network's figures as the plain model has them. */
export function networkOfParams(params: NetworkParams): Network {
  const { name, retarget, genesisBits, minimumWork, upgrades } = params;
  return {
    ...{ name, retarget, genesisBits, minimumWork, upgrades },
    interval: BigInt(params.blockInterval),
    halfLife: BigInt(params.halfLife),
    reward: params.reward,
    halving: params.halvingInterval,
    maturity: params.coinbaseMaturity,
    maxSupply: params.maxSupply,
  };
}
