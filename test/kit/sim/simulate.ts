import { NETWORKS } from '../../../shared/consensus/networks.js';
import type { NetworkParams } from '../../../shared/consensus/params.js';
import type { LinkOptions } from './links.js';
import { sharedSignatures } from './sharedSignatures.js';
import { Simulation } from './simulation.js';
import type { TraceLine } from './trace.js';

/** The most nodes at once: a node is told of no more others. */
const MAX_NODES = 100;

/** What to simulate; what is left out is plain. */
export interface SimulateOptions {
  /** How many nodes; 3 unless given. */
  readonly nodes?: number | undefined;
  /** What decides all chance; 1 unless given. A run with the same seed and the same calls is the same run. */
  readonly seed?: number | undefined;
  /** The network's rules; those of `dev` unless given. */
  readonly network?: NetworkParams | undefined;
  /** How messages travel. */
  readonly links?: LinkOptions | undefined;
  /** Whether the invariants are looked at after every event; so unless it is `false`. */
  readonly invariants?: boolean | undefined;
  /** The most bytes of transactions that wait at a node; a node's own choice unless given. */
  readonly maxPoolBytes?: number | undefined;
  /** Nodes that nobody can call; none unless given. */
  readonly hidden?: readonly number[] | undefined;
  /** IPv4 addresses by node, for networks whose nodes are spread over groups of addresses; private ones unless given. */
  readonly addresses?: readonly string[] | undefined;
  /** The URLs that a node is told of at each start, by its number; those of all other nodes unless given. */
  readonly knows?: ((node: number) => readonly string[]) | undefined;
  /** Told of everything that happens, line by line. */
  readonly onLine?: ((line: TraceLine) => void) | undefined;
}

/**
 * A whole network of real nodes in this process, on virtual time. It is up, and the nodes know each other, when the
 * promise settles.
 *
 * @example
 * await using net = await simulate({ nodes: 5, seed: 7 })
 * await net.mine(0, 3)
 * net.partition([0, 1], [2, 3, 4])
 * await net.mine(0, 2)
 * await net.mine(2, 3)
 * net.heal()
 * await net.settle()
 * assertConverged(net)
 */
export async function simulate(options: SimulateOptions = {}): Promise<Simulation> {
  const { nodes = 3, seed = 1, network = NETWORKS.dev, links = {}, invariants = true } = options;
  const { maxPoolBytes, hidden = [], addresses = [], onLine, knows } = options;
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MAX_NODES)
    throw new RangeError(`${nodes} nodes cannot be simulated: 1 to ${MAX_NODES} can`);
  if (!Number.isSafeInteger(seed)) throw new RangeError(`${seed} is no seed: a whole number is`);
  const signatures = await sharedSignatures();
  const own = { maxPoolBytes, hidden, addresses, knows };
  const given = { ...own, nodes, seed, params: network, links, onLine, signatures };
  return Simulation.start({ ...given, isWatched: invariants });
}
