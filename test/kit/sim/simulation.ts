import { Wallet } from '../../../client/wallet/wallet.js';
import { paceOf } from '../../../server/pace.js';
import type { Signatures } from '../../../server/ports.js';
import type { NetworkParams } from '../../../shared/consensus/params.js';
import type { BlockHash } from '../../../shared/model/ids.js';
import type { SubmittedTransaction } from '../../../shared/rpc/transactionSchemas.js';
import { mineBlocks } from '../actions/mineBlocks.js';
import { reorg } from '../actions/reorg.js';
import type { CrashKind, Look, Reorg, TransparentNetwork } from '../network.js';
import { walletKey } from '../wallets.js';
import { Dice } from './dice.js';
import { Invariants } from './invariants/invariants.js';
import { type LinkOptions, Links } from './links.js';
import { lookAt } from './look.js';
import { Scheduler } from './scheduler.js';
import { clockTime } from './simClock.js';
import { SimNode } from './simNode.js';
import { type Snapshot, Snapshots } from './snapshots.js';
import { reachQuiet, Stillness } from './stillness.js';
import { strangersTo } from './strangersTo.js';
import { Trace, type TraceLine } from './trace.js';
import { Wire } from './wire.js';

/** What a simulation is made of. */
export interface SimulationOptions {
  readonly nodes: number;
  readonly seed: number;
  readonly params: NetworkParams;
  readonly links: LinkOptions;
  readonly onLine: ((line: TraceLine) => void) | undefined;
  readonly signatures: Signatures;
  /** Whether the invariants are looked at after every event. */
  readonly isWatched: boolean;
  readonly maxPoolBytes: number | undefined;
  /** Nodes that nobody can call. */
  readonly hidden: readonly number[];
  readonly addresses: readonly string[];
  /** The URLs that a node is told of at each start; those of all others unless given. */
  readonly knows: ((node: number) => readonly string[]) | undefined;
}

/** How long nodes may take to find each other, and to agree: in looks at their peers, so that a slow network gets longer. */
const MEETING_ROUNDS = 20;
const SETTLING_ROUNDS = 300;

/** A whole network in this process: real nodes, on virtual time, over links and disks that fail as they are told to. */
export class Simulation implements TransparentNetwork {
  readonly params: NetworkParams;
  readonly seed: number;
  readonly nodes: readonly SimNode[];
  readonly wallets: readonly Wallet[];
  readonly links: Links;
  readonly trace: Trace;
  readonly scheduler: Scheduler;
  readonly wire: Wire;
  /** What must hold of every node at all times. */
  readonly invariants: Invariants;
  readonly look: Look;
  readonly #linkDice: Dice;
  readonly #tieDice: Dice;
  readonly #snapshots = new Snapshots();
  readonly #actions = new Set<Promise<void>>();
  #upAt = 0;
  /** One for each action that is still to come or under way. */
  readonly #plans = new Set<symbol>();

  private constructor({ nodes, seed, params, links, onLine, isWatched, knows, ...shared }: SimulationOptions) {
    this.params = params;
    this.seed = seed;
    this.#linkDice = Dice.of(seed, 'links');
    this.#tieDice = Dice.of(seed, 'ties');
    this.links = new Links(this.#linkDice, links);
    this.trace = new Trace({ onLine });
    this.scheduler = new Scheduler(this.#tieDice);
    const { scheduler, trace } = this;
    this.wire = new Wire({ scheduler, links: this.links, trace });
    const parts = { ...shared, seed, params, scheduler, wire: this.wire, trace };
    const told = knows ?? ((index: number) => this.#othersThan(index));
    this.nodes = Array.from({ length: nodes }, (_, index) => new SimNode(index, () => told(index), parts));
    for (const node of this.nodes) this.wire.join(node);
    this.invariants = new Invariants(this);
    if (isWatched) scheduler.watch = this.invariants;
    this.look = lookAt(this);
    this.wallets = this.nodes.map(
      (node, index) => new Wallet({ client: node.client, key: walletKey(index), now: () => node.time }),
    );
  }

  /** Starts the network; it is there when its nodes know each other. */
  static async start(options: SimulationOptions): Promise<Simulation> {
    const net = new Simulation(options);
    try {
      await net.#startNodes(net.nodes.map((node) => ({ node, run: 0 })));
      net.#upAt = net.scheduler.now;
      return net;
    } catch (error) {
      await net[Symbol.asyncDispose]();
      throw error;
    }
  }

  get now(): number {
    return this.scheduler.now - this.#upAt;
  }

  /** What a clock shows that is right, in milliseconds since 1970. */
  get time(): number {
    return clockTime(this.scheduler);
  }

  node(index: number): SimNode {
    const node = this.nodes[index];
    if (node === undefined)
      throw new RangeError(`there is no node ${index}: they are numbered 0 to ${this.nodes.length - 1}`);
    return node;
  }

  wallet(index: number): Wallet {
    const wallet = this.wallets[this.node(index).index];
    if (wallet === undefined) throw new RangeError(`there is no wallet ${index}`);
    return wallet;
  }

  async mine(node: number, count = 1): Promise<readonly BlockHash[]> {
    return mineBlocks(this.#up(node).client, this.wallet(node).address, count);
  }

  async send(from: number, to: number | string, amount: bigint): Promise<SubmittedTransaction> {
    this.#up(from);
    const address = typeof to === 'string' ? to : this.wallet(to).address;
    return this.wallet(from).send({ recipients: [{ to: address, amount }] });
  }

  partition(...groups: readonly (readonly number[])[]): void {
    this.links.routes.partition(groups.map((group) => group.map((index) => this.node(index).name)));
    this.note(`partition ${groups.map((group) => group.map((index) => this.node(index).name).join('+')).join(' | ')}`);
  }

  cut(from: number, to: number): void {
    this.links.routes.cut(this.node(from).name, this.node(to).name);
    this.note(`cut ${this.node(from).name} -> ${this.node(to).name}`);
  }

  heal(): void {
    this.links.routes.heal();
    this.note('heal');
  }

  async crash(node: number, kind: CrashKind = 'process'): Promise<void> {
    this.#up(node).crash(kind);
  }

  async stop(node: number): Promise<void> {
    await this.scheduler.during(this.#up(node).stop());
  }

  async restart(node: number): Promise<void> {
    await this.scheduler.during(this.node(node).start());
  }

  /** Takes an empty disk for a node that is down: what it had is gone, and nobody holds that against it. */
  wipe(node: number): void {
    const { disk, isRunning, name } = this.node(node);
    if (isRunning) throw new Error(`${name} runs: its disk cannot be taken away`);
    disk.wipe();
    this.invariants.forget(this.node(node));
    this.node(node).note('gets an empty disk');
  }

  async advance(ms: number): Promise<void> {
    requireTime(ms);
    await this.scheduler.advanceTo(this.scheduler.now + ms);
    await Promise.all(this.#actions);
  }

  at(ms: number, action: () => void | Promise<void>): void {
    requireTime(ms);
    const plan = Symbol('plan');
    this.#plans.add(plan);
    this.scheduler.after(this.#upAt + ms - this.scheduler.now, () => {
      const done = (async () => action())()
        .catch((error: unknown) => this.scheduler.fail(error))
        .finally(() => {
          this.#plans.delete(plan);
          this.#actions.delete(done);
        });
      this.#actions.add(done);
    });
  }

  async settle(): Promise<void> {
    const limitMs = SETTLING_ROUNDS * paceOf(this.params).syncMs;
    // Whatever is planned may still decide between branches of equal work.
    if (await reachQuiet(this, { limitMs, isAll: () => this.#plans.size === 0 })) return;
    throw new Error(`the network does not settle: ${new Stillness(this).why()}`);
  }

  async reorg({ depth, node = 0 }: { readonly depth: number; readonly node?: number | undefined }): Promise<Reorg> {
    return reorg(this.#up(node).client, { depth, address: this.wallet(node).address });
  }

  /**
   * Remembers the whole network as it is, under a name: the disks and their faults, the clocks, who runs, what is parted,
   * how messages travel.
   */
  snapshot(name: string): void {
    const { scheduler, links, nodes } = this;
    this.#snapshots.save(name, {
      now: scheduler.now,
      dice: [this.#linkDice.state, this.#tieDice.state],
      parting: links.routes.parting,
      conditions: links.conditions,
      nodes: nodes.map((node) => ({
        disk: node.disk.image(),
        aheadMs: node.clockError.aheadMs,
        isRunning: node.isRunning,
        runs: node.runs,
      })),
    });
  }

  /**
   * Goes back to a snapshot, as often as wanted: the same chance, the same time, the same disks. The nodes start anew from
   * these, so what was on its way or only in memory at that moment is gone, as after a loss of power that lost nothing
   * written. What is done next goes the same way each time.
   */
  async restore(name: string): Promise<void> {
    const saved: Snapshot = this.#snapshots.get(name);
    for (const node of this.nodes) node.vanish();
    this.scheduler.clear();
    this.#plans.clear();
    this.wire.clear();
    this.scheduler.now = saved.now;
    [this.#linkDice.state, this.#tieDice.state] = saved.dice;
    this.links.routes.parting = saved.parting;
    this.links.conditions = saved.conditions;
    this.links.clear();
    const starts: { node: SimNode; run: number }[] = [];
    for (const [index, { disk, aheadMs, isRunning, runs }] of saved.nodes.entries()) {
      const node = this.node(index);
      node.disk.restore(disk);
      this.invariants.forget(node);
      node.clockError.aheadMs = aheadMs;
      if (isRunning) starts.push({ node, run: runs });
    }
    this.note(`restore ${name}`);
    await this.#startNodes(starts);
  }

  /** The invariant that has been broken, if one has: from then on time does not go by any more. */
  get broken(): unknown {
    return this.scheduler.broken;
  }

  /** Lets a line stand in the trace. */
  note(what: string): void {
    this.trace.add(this.scheduler.now, 'net', what);
  }

  /** Ends the network. Throws the invariant that was broken where nobody has been told: a call that failed may have been expected to. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) node.close();
    this.scheduler.close();
    if (this.scheduler.isSilentlyBroken) throw this.scheduler.broken;
  }

  async #startNodes(starts: readonly { readonly node: SimNode; readonly run: number }[]): Promise<void> {
    await this.scheduler.during(Promise.all(starts.map(({ node, run }) => node.start(run))));
    const started = new Map(starts.map(({ node }) => [node.name, node]));
    const circles = this.links.routes
      .circles([...started.keys()])
      .map((circle) => circle.flatMap((name) => started.get(name) ?? []));
    // Who else is on the network is nobody to wait for.
    const knowEachOther = (): boolean =>
      circles.every((circle) => circle.every((node) => strangersTo(node, circle).length === 0));
    await this.scheduler.advanceUntil(knowEachOther, MEETING_ROUNDS * paceOf(this.params).upkeepMs);
  }

  /** A node that runs, or starts at this moment. */
  #up(index: number): SimNode {
    const node = this.node(index);
    if (node.lifeline === undefined) throw new Error(`${node.name} is down: restart it first`);
    return node;
  }

  #othersThan(index: number): readonly string[] {
    return this.nodes.filter((node) => node.index !== index && !node.isHidden).map(({ url }) => url);
  }
}

function requireTime(ms: number): void {
  if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) throw new RangeError(`${ms} ms: a time is a number from 0`);
}
