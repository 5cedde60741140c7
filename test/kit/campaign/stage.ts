import { reasonOf } from '../../../client/failure.js';
import { Wallet } from '../../../client/wallet/wallet.js';
import type { Cancel } from '../../../server/ports.js';
import { InvariantBroken } from '../sim/invariants/invariantBroken.js';
import type { MakeWatchdog, Watchdog } from '../sim/invariants/watchdog.js';
import { joinLiar } from '../sim/liar/joinLiar.js';
import type { Liar } from '../sim/liar/liar.js';
import type { SimDisk } from '../sim/simDisk.js';
import type { SimNode } from '../sim/simNode.js';
import { simulate } from '../sim/simulate.js';
import type { Simulation } from '../sim/simulation.js';
import type { TraceLine } from '../sim/trace.js';
import { walletKey } from '../wallets.js';
import { type Coverage, emptyCoverage, type Kind } from './coverage.js';
import { Ledger } from './ledger.js';
import type { Scenario } from './scenario.js';

/** What a stage is opened with. */
export interface StageOptions {
  readonly onLine?: ((line: TraceLine) => void) | undefined;
  readonly watchdog: MakeWatchdog;
}

/** What a node logs when a reorganisation brings back more than may wait. */
const FORGOTTEN = 'warning: more transactions were in lost blocks than may wait';

/** The network that a scenario is played on, with all that is counted, watched and undone on it. */
export class Stage implements AsyncDisposable {
  readonly net: Simulation;
  readonly coverage: Coverage;
  readonly ledger: Ledger;
  readonly watchdog: Watchdog;
  readonly #wallets = new Map<string, Wallet>();
  /** Faults that end by themselves after a while, with what ends them. */
  readonly #passing = new Map<Cancel, () => void>();
  #liar: Promise<Liar> | undefined;
  /** Failed syncs of earlier runs. */
  readonly #forgiven = new Map<SimDisk, number>();

  private constructor(net: Simulation, watchdog: MakeWatchdog) {
    this.net = net;
    this.coverage = emptyCoverage();
    this.ledger = new Ledger(net.nodes, (kind) => this.count(kind));
    this.watchdog = watchdog(net);
    net.scheduler.watch = this.watchdog;
  }

  /** Starts the network of a scenario. */
  static async open(scenario: Scenario, { onLine, watchdog }: StageOptions): Promise<Stage> {
    const { seed, nodes, network, links, maxPoolBytes } = scenario;
    let stage: Stage | undefined;
    const hear = (line: TraceLine): void => {
      onLine?.(line);
      stage?.hear(line);
    };
    const net = await simulate({ seed, nodes, network, links, maxPoolBytes, onLine: hear });
    stage = new Stage(net, watchdog);
    return stage;
  }

  /** Takes up what nodes say that nothing else tells. */
  hear({ where, what }: TraceLine): void {
    if (!what.startsWith(FORGOTTEN)) return;
    const node = this.net.nodes.find(({ name }) => name === where);
    if (node !== undefined) this.ledger.forgotten(node);
  }

  count(kind: Kind, by = 1): void {
    this.coverage.counts[kind] += by;
  }

  /** Whether a URL is that of a node, and not of a liar. */
  isHonest(url: string): boolean {
    return this.net.nodes.some((node) => node.url === url);
  }

  /** A node has banned a peer: whatever partitions, restarts, clocks and disks do, it may only be one that lied. */
  banned(node: SimNode, { url, why }: { readonly url: string; readonly why: string }): void {
    if (!this.isHonest(url)) this.count('liarsBanned');
    else this.fail(new InvariantBroken('only liars are banned', `${node.name} has banned ${url}, a node: ${why}`));
  }

  /** The wallet of an index, at whichever node. */
  wallet(index: number, node: SimNode): Wallet {
    const name = `${index} at ${node.name}`;
    const wallet =
      this.#wallets.get(name) ?? new Wallet({ client: node.client, key: walletKey(index), now: () => node.time });
    this.#wallets.set(name, wallet);
    return wallet;
  }

  /** Ends the run with a failure: no step and no event comes after it. */
  fail(error: unknown): void {
    this.net.scheduler.break(error);
  }

  /** Throws what has ended the run, if something has. */
  check(): void {
    const { broken } = this.net;
    if (broken !== undefined) throw broken;
  }

  /**
   * Does something that the steps before may have made impossible: what a node refuses by a reason it may refuse, and says
   * so. Answers `undefined` then. A failure without a reason is a fault, unless a disk is to blame.
   */
  async attempt<T>(node: SimNode, work: Promise<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      this.check();
      const reason = reasonOf(error);
      if (reason === null && !this.isExcused(node)) {
        const message = `${node.name} failed a call and gave no reason: ${String(error)}`;
        throw new InvariantBroken('failures have reasons', message);
      }
      node.note(`refused: ${reason?.code ?? String(error)}`);
      return undefined;
    }
  }

  /** Whether a node's disk has failed, or is about to, in a way after which it may end by itself. */
  isExcused({ disk }: SimNode): boolean {
    return disk.failures.sync > (this.#forgiven.get(disk) ?? 0) || disk.faults.failsToSync || disk.isDamaged;
  }

  /** A node is up again: what its disk did before is no excuse any more. */
  excuseNoMore({ disk }: SimNode): void {
    this.#forgiven.set(disk, disk.failures.sync);
  }

  /** The peer that lies. It joins when it is first needed, and is honest until it is told not to be. */
  liar(): Promise<Liar> {
    this.#liar ??= joinLiar(this.net);
    return this.#liar;
  }

  /** Has the liar, if there is one, take back what it told: from then on it is honest. */
  async endLies(): Promise<void> {
    (await this.#liar)?.story.recant();
  }

  /** Lets a fault pass after a while, or when all faults end. */
  passing(ms: number, end: () => void): void {
    const finish = (): void => {
      this.#passing.delete(cancel);
      end();
    };
    const cancel = this.net.scheduler.after(ms, finish);
    this.#passing.set(cancel, finish);
  }

  /** Ends every fault that would pass by itself. */
  endPassing(): void {
    for (const [cancel, finish] of this.#passing) {
      cancel();
      finish();
    }
  }

  async wait(ms: number): Promise<void> {
    await this.net.advance(ms);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.net[Symbol.asyncDispose]();
  }
}
