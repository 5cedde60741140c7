import { join } from 'node:path';
import { type Client, createClient } from '../../createClient.js';
import { type Launched, launch } from './launch.js';

/** A node of the network. It keeps its name, its data and its address over restarts. */
export interface NetworkNode {
  readonly name: string;
  readonly url: string;
  readonly client: Client;
  /** The most memory any of its processes had, in bytes. */
  peakRss: number;
  process: Launched | undefined;
}

/** Time between the blocks of one miner. */
const BLOCK_INTERVAL_MS = 1_000;

/** The processes of a network on this machine: a directory, full nodes that know only it, and miners. */
export class Network {
  readonly #script: string;
  /** Where all of them keep their data and their logs. */
  readonly #folder: string;
  readonly #nodes = new Map<string, NetworkNode>();
  readonly #miners = new Map<string, Launched>();
  readonly #lost = new AbortController();
  #directory: Launched | undefined;

  constructor(script: string, folder: string) {
    this.#script = script;
    this.#folder = folder;
  }

  /** Aborts, with what happened, when a process ends without having been told to. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** All nodes, by name. */
  nodes(): NetworkNode[] {
    return [...this.#nodes.values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  /** Nodes that run now. */
  running(): NetworkNode[] {
    return this.nodes().filter((node) => node.process !== undefined);
  }

  /** Names of the nodes that are mined at now. */
  minedAt(): string[] {
    return [...this.#miners.keys()];
  }

  get directoryUrl(): string {
    return this.#directory?.url ?? '';
  }

  node(name: string): NetworkNode {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new RangeError(`no node ${name}`);
    return node;
  }

  async startDirectory(): Promise<void> {
    this.#directory = await this.#launchServer('directory', ['directory', '--port', '0']);
  }

  /** Starts a node, or the same again where it was. */
  async startNode(name: string): Promise<NetworkNode> {
    const before = this.#nodes.get(name);
    const port = before === undefined ? '0' : new URL(before.url).port;
    const process = await this.#launchServer(name, ['node', '--port', port, '--directory', this.directoryUrl]);
    const { url } = process;
    const node = before ?? { name, url, client: createClient({ url }), peakRss: 0, process };
    node.process = process;
    this.#nodes.set(name, node);
    return node;
  }

  async stopNode(name: string): Promise<void> {
    const node = this.node(name);
    await this.noteMemory(node);
    await node.process?.stop();
    node.process = undefined;
  }

  /** Starts a miner at a node, for an address. */
  async startMiner(at: string, address: string): Promise<void> {
    const { url } = this.node(at);
    const args = ['miner', '--url', url, '--address', address, '--interval', String(BLOCK_INTERVAL_MS)];
    this.#miners.set(at, await this.#launch(`miner at ${at}`, args));
  }

  async stopMiner(at: string): Promise<void> {
    await this.#miners.get(at)?.stop();
    this.#miners.delete(at);
  }

  /** Remembers how much memory a node has had so far. */
  async noteMemory(node: NetworkNode): Promise<void> {
    const { peakRssBytes } = await node.client.info.health.query();
    node.peakRss = Math.max(node.peakRss, peakRssBytes);
  }

  /** Ends all processes: miners, then nodes, then the directory. */
  async stop(): Promise<void> {
    await Promise.all([...this.#miners.values()].map((miner) => miner.stop()));
    await Promise.all(this.nodes().map((node) => node.process?.stop()));
    await this.#directory?.stop();
  }

  #launchServer(name: string, args: readonly string[]): Promise<Launched> {
    const dataDir = join(this.#folder, name);
    return this.#launch(name, [...args, '--network', 'dev', '--name', name, '--data-dir', dataDir]);
  }

  async #launch(name: string, args: readonly string[]): Promise<Launched> {
    const logFile = join(this.#folder, `${name.replaceAll(' ', '-')}.log`);
    const launched = await launch(this.#script, { name, args, logFile });
    void launched.died.then((what) => this.#lost.abort(new Error(what)));
    return launched;
  }
}
