export { mineBlocks } from './actions/mineBlocks.js';
export type { CrashKind, Network, NetworkNode, Reorg } from './network.js';
export type { Link, LinkOptions } from './sim/links.js';
export type { SimNode } from './sim/simNode.js';
export { type SimulateOptions, simulate } from './sim/simulate.js';
export type { Simulation } from './sim/simulation.js';
export { formatLine, type TraceLine } from './sim/trace.js';
export { TEST_WORDS, walletKey } from './wallets.js';
