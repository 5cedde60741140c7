import { parseNetwork } from '../../shared/consensus/params.js';

/**
 * Rules by which a block takes ten minutes, but no work: nodes look at their peers every thirty seconds, the least often
 * that there is. A simulated hour of it costs a fifteenth of one of `dev`.
 */
export const SLOW_NETWORK = parseNetwork({
  name: 'slow-blocks',
  blockIntervalSeconds: 600,
  retarget: 'none',
  halfLifeIntervals: 2,
  genesisBits: 0x207fffff,
  reward: '50',
  halvingInterval: 1_000,
  coinbaseMaturity: 1,
  maxSupply: '100000',
  minimumWork: '0',
  upgrades: [],
  nodePort: 45_001,
});
