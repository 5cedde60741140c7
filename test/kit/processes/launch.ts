import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import type { NetworkParams } from '../../../shared/consensus/params.js';
import { ProcessNetwork } from './processNetwork.js';

/** The most processes at once: each has about 100 MB, and all of them meet each other. */
const MAX_NODES = 16;

/** What to launch. */
export interface LaunchOptions {
  /** How many nodes; 3 unless given. */
  readonly nodes?: number | undefined;
  /** Whose rules; `dev`, where blocks are made at once, unless given. */
  readonly network?: NetworkParams | undefined;
  /** Where data and logs stay, a folder for each node; a temporary place that goes with the network unless given. */
  readonly dataDir?: string | undefined;
}

/**
 * Starts a network of real nodes: each a process of its own with a real store, in real time, calling each other over HTTP
 * on free ports. They end with the network, or when this process does.
 *
 * @example
 * await using net = await launch({ nodes: 3 });
 * await net.mine(0, 3);
 * await net.settle();
 */
export async function launch({
  nodes = 3,
  network: params = NETWORKS.dev,
  dataDir,
}: LaunchOptions = {}): Promise<ProcessNetwork> {
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MAX_NODES)
    throw new RangeError(`${nodes} nodes cannot be launched: 1 to ${MAX_NODES} can`);
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true });
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'trestle-launch-')));
  const cleanUp = async (): Promise<void> => {
    if (dataDir === undefined) await rm(folder, { recursive: true, force: true });
  };
  return ProcessNetwork.start({ params, count: nodes, folder, cleanUp });
}
