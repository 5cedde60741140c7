import { join } from 'node:path';
import { waitFor } from '../../../client/cli/devnet/wait.js';
import { sleep } from '../../../client/time.js';
import { Wallet } from '../../../client/wallet/wallet.js';
import { paceOf } from '../../../server/pace.js';
import { genesisBlock } from '../../../shared/consensus/genesis.js';
import type { NetworkParams } from '../../../shared/consensus/params.js';
import type { BlockHash } from '../../../shared/model/ids.js';
import type { SubmittedTransaction } from '../../../shared/rpc/transactionSchemas.js';
import { mineBlocks } from '../actions/mineBlocks.js';
import { reorg } from '../actions/reorg.js';
import type { CrashKind, Network, Reorg } from '../network.js';
import { Routes } from '../routes.js';
import { walletKey } from '../wallets.js';
import type { Cut } from './gate.js';
import { ProcessNode, type Seat } from './processNode.js';
import { Schedule } from './schedule.js';
import { settle } from './settle.js';

/** How long the nodes may take to agree. */
const SETTLE_LIMIT_MS = 60_000;
/** How long they may take until each has met all others. */
const MEET_LIMIT_MS = 20_000;

/** What a network of processes is made of. */
export interface ProcessNetworkParts {
  readonly params: NetworkParams;
  readonly count: number;
  /** Where the nodes have their folders. */
  readonly folder: string;
  /** Removes what the network leaves behind. */
  readonly cleanUp: () => Promise<void>;
}

/**
 * A network of real processes over real HTTP, with real stores, in real time. Every call first waits until what was cut
 * or joined before it is so, and then fails with what went wrong in the meantime, if anything did: a node that ended by
 * itself, an action of `at`.
 */
export class ProcessNetwork implements Network {
  readonly params: NetworkParams;
  readonly #parts: ProcessNetworkParts;
  readonly #nodes: ProcessNode[] = [];
  readonly #wallets: Wallet[] = [];
  readonly #routes = new Routes<number>();
  readonly #schedule = new Schedule((error) => this.#failures.push(error));
  readonly #failures: unknown[] = [];
  readonly #closing = new AbortController();
  /** Settles once all that was cut or joined so far is so. */
  #wired: Promise<void> = Promise.resolve();
  #start = performance.now();

  private constructor(parts: ProcessNetworkParts) {
    this.params = parts.params;
    this.#parts = parts;
  }

  /** Starts the nodes and has them meet each other. */
  static async start(parts: ProcessNetworkParts): Promise<ProcessNetwork> {
    const net = new ProcessNetwork(parts);
    try {
      await net.#open();
      return net;
    } catch (error) {
      await net.#close();
      throw error;
    }
  }

  get nodes(): readonly ProcessNode[] {
    return this.#nodes;
  }

  get wallets(): readonly Wallet[] {
    return this.#wallets;
  }

  get now(): number {
    return performance.now() - this.#start;
  }

  node(place: number): ProcessNode {
    const node = this.#nodes[place];
    if (node === undefined)
      throw new RangeError(`there is no node ${place}: this network has ${this.#nodes.length}, counted from 0`);
    return node;
  }

  wallet(place: number): Wallet {
    const wallet = this.#wallets[this.node(place).index];
    if (wallet === undefined) throw new Error(`node ${place} has no wallet`);
    return wallet;
  }

  async mine(node: number, count = 1): Promise<readonly BlockHash[]> {
    await this.#begin();
    return mineBlocks(this.#running(node).client, this.wallet(node).address, count);
  }

  async send(from: number, to: number | string, amount: bigint): Promise<SubmittedTransaction> {
    await this.#begin();
    this.#running(from);
    const address = typeof to === 'number' ? this.wallet(to).address : to;
    return this.wallet(from).send({ recipients: [{ to: address, amount }] });
  }

  partition(...groups: readonly (readonly number[])[]): void {
    for (const place of groups.flat()) this.node(place);
    this.#routes.partition(groups);
    this.#wire();
  }

  cut(from: number, to: number): void {
    for (const place of [from, to]) this.node(place);
    this.#routes.cut(from, to);
    this.#wire();
  }

  /** Joins all, and has them get in touch at once: by itself a node tries again up to half a minute later. */
  heal(): void {
    this.#routes.heal();
    this.#wire();
  }

  /**
   * Kills the node's process. What it wrote stays with the system, synced or not: on real processes a loss of power cannot
   * be had, and `power` is the same as `process`.
   */
  async crash(node: number, _kind?: CrashKind): Promise<void> {
    await this.#begin();
    await this.#running(node).end('SIGKILL');
  }

  async stop(node: number): Promise<void> {
    await this.#begin();
    await this.#running(node).end('SIGTERM');
  }

  async restart(node: number): Promise<void> {
    await this.#begin();
    const peers = this.#nodes.filter(({ index }) => index !== node).map(({ url }) => url);
    await this.node(node).restart({ peers, cuts: this.#cutsOf(node) });
    this.#wire();
    await this.#begin();
  }

  async advance(ms: number): Promise<void> {
    await this.#begin();
    await sleep(ms, this.#closing.signal);
    await this.#begin();
  }

  at(ms: number, action: () => void | Promise<void>): void {
    this.#schedule.after(ms - this.now, action);
  }

  async settle(): Promise<void> {
    await this.#begin();
    await settle({
      nodes: this.#nodes,
      circles: () => this.#routes.circles(this.#up().map(({ index }) => index)),
      // Twice the time in which a node looks whether it has missed something.
      quietMs: 2 * paceOf(this.params).syncMs,
      limitMs: SETTLE_LIMIT_MS,
      check: () => this.#check(),
      signal: this.#closing.signal,
    });
  }

  async reorg({ depth, node = 0 }: { readonly depth: number; readonly node?: number | undefined }): Promise<Reorg> {
    await this.#begin();
    return reorg(this.#running(node).client, { depth, address: this.wallet(node).address });
  }

  /** Ends all processes and removes their folders. Throws what went wrong where no call has said so yet. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    this.#check();
  }

  async #open(): Promise<void> {
    const { count, folder, params } = this.#parts;
    const seats = Array.from({ length: count }, (_, index): Seat => {
      const name = `n${index}`;
      const onDeath = (message: string): void => void this.#failures.push(new Error(message));
      return { index, name, params, folder: join(folder, name), wired: () => this.#wired, onDeath };
    });
    const starts = await Promise.allSettled(seats.map((seat) => ProcessNode.start(seat)));
    for (const start of starts) if (start.status === 'fulfilled') this.#nodes.push(start.value);
    for (const start of starts) if (start.status === 'rejected') throw start.reason;
    const genesis = genesisBlock(params).header.hash;
    for (const { client, index } of this.#nodes)
      this.#wallets.push(new Wallet({ client, key: walletKey(index), genesis }));
    this.#wire();
    const options = { what: 'all nodes meet each other', timeoutMs: MEET_LIMIT_MS, signal: this.#closing.signal };
    await waitFor(() => this.#haveMet(), options).catch((error: unknown) => {
      // Where a node has ended meanwhile, that is why.
      this.#check();
      throw error;
    });
    await this.#begin();
    this.#start = performance.now();
  }

  async #haveMet(): Promise<boolean> {
    const healths = await Promise.all(this.#nodes.map(({ client }) => client.info.health.query()));
    return healths.every(({ peers }) => peers >= this.#nodes.length - 1);
  }

  async #close(): Promise<void> {
    this.#schedule.close();
    this.#closing.abort(new Error('this network is gone: it was disposed of'));
    await Promise.all(this.#nodes.map((node) => node.close()));
    await this.#parts.cleanUp();
  }

  async #begin(): Promise<void> {
    this.#closing.signal.throwIfAborted();
    await this.#wired;
    this.#check();
  }

  #check(): void {
    if (this.#failures.length > 0) throw this.#failures.shift();
  }

  /** Has every node cut off what is cut now, and then get in touch with whom it can reach. */
  #wire(): void {
    this.#wired = this.#wired
      .then(async () => {
        const up = this.#up();
        await Promise.all(up.map((node) => node.tell({ kind: 'cut', cuts: this.#cutsOf(node.index) })));
        // Only then: a node answers a hello once it has called back, and must not be held back by a cut that is to go.
        await Promise.all(up.map((node) => node.tell({ kind: 'meet', urls: this.#reachedFrom(node.index) })));
      })
      .catch((error: unknown) => void this.#failures.push(error));
  }

  #cutsOf(node: number): Cut[] {
    return this.#nodes
      .filter(({ index }) => index !== node)
      .map(({ index, url }) => ({ url, out: this.#routes.isCut(node, index), in: this.#routes.isCut(index, node) }));
  }

  #reachedFrom(node: number): string[] {
    return this.#up()
      .filter(({ index }) => index !== node && !this.#routes.isCut(node, index) && !this.#routes.isCut(index, node))
      .map(({ url }) => url);
  }

  #up(): ProcessNode[] {
    return this.#nodes.filter(({ isRunning }) => isRunning);
  }

  #running(place: number): ProcessNode {
    const node = this.node(place);
    if (!node.isRunning) throw new Error(`${node.name} is down: restart it first`);
    return node;
  }
}
