import { type NetworkFile, type NetworkParams, parseNetwork } from './params.js';

/** What the built-in networks have in common. */
const COMMON = {
  reward: '1.5',
  halvingInterval: 0,
  maxSupply: '90000000',
  minimumWork: '0',
  halfLifeIntervals: 288,
  upgrades: [],
} satisfies Partial<NetworkFile>;

/** The networks everybody knows by name. */
export const NETWORKS = {
  /** Blocks every five minutes: the one whose coins are meant to last. */
  main: parseNetwork({
    ...COMMON,
    name: 'main',
    blockIntervalSeconds: 300,
    retarget: 'asert',
    genesisBits: 0x1e0fffff,
    coinbaseMaturity: 20,
    nodePort: 42021,
  }),
  /** The same rules at ten times the pace, with coins worth nothing. */
  test: parseNetwork({
    ...COMMON,
    name: 'test',
    blockIntervalSeconds: 30,
    retarget: 'asert',
    genesisBits: 0x1f0fffff,
    coinbaseMaturity: 10,
    nodePort: 42121,
  }),
  /** For one machine: no difficulty to speak of, blocks at once or as the miner paces them. */
  dev: parseNetwork({
    ...COMMON,
    name: 'dev',
    blockIntervalSeconds: 1,
    retarget: 'none',
    genesisBits: 0x207fffff,
    coinbaseMaturity: 2,
    nodePort: 42221,
  }),
} as const satisfies Record<string, NetworkParams>;

/** The name of a built-in network. */
export type NetworkName = keyof typeof NETWORKS;

/** The port a directory server listens on unless told otherwise. */
export const DIRECTORY_PORT = 42020;

/** Whether a name is that of a built-in network. */
export function isNetworkName(name: string): name is NetworkName {
  return Object.hasOwn(NETWORKS, name);
}
