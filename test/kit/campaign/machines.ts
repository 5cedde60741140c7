import { reasonOf } from '../../../client/failure.js';
import type { RunningNode } from '../../../server/node.js';
import type { Transaction } from '../../../shared/model/transaction.js';
import type { CrashKind } from '../network.js';
import { InvariantBroken } from '../sim/invariants/invariantBroken.js';
import type { SimNode } from '../sim/simNode.js';
import { count } from './coverage.js';
import type { Stage } from './stage.js';

/** One run of a node. */
interface Run {
  end: 'stopped' | 'crashed' | 'ended by itself' | undefined;
}

/** Digits of a hash in a log. */
const SHORT = 8;
/** How long a crash waits for a commit to strike. */
const NEXT_COMMIT_MS = 500;

/** Whoever has the machines in hand: starts, stops and crashes nodes, and follows what they do while they run. */
export class Machines {
  readonly #stage: Stage;
  /** The last run of each that came up. */
  readonly #runs = new Map<SimNode, Run>();

  constructor(stage: Stage) {
    this.#stage = stage;
    for (const node of stage.net.nodes) this.#follow(node);
  }

  /** Starts a node that is down, where its disk lets it. One whose store is past reading starts on an empty disk. */
  async start(node: SimNode): Promise<void> {
    if (node.lifeline !== undefined) return;
    try {
      await this.#stage.net.restart(node.index);
    } catch (error) {
      this.#stage.check();
      const code = reasonOf(error)?.code;
      if (code === 'store-corrupt' && node.disk.isDamaged) return this.#replaceDisk(node);
      if (code !== 'store-full' && !this.#stage.isExcused(node))
        throw new InvariantBroken('nodes start', `${node.name} does not start: ${String(error)}`);
      node.note(`does not start: ${String(error)}`);
      return;
    }
    this.#started(node);
  }

  async stop(node: SimNode): Promise<void> {
    if (!node.isRunning) return;
    node.lifeline?.thaw();
    this.#ending(node, 'stopped');
    await this.#stage.net.stop(node.index);
    this.#stage.count('stops');
  }

  /** Ends a node where it is, in the middle of a commit where there is one soon. */
  async crash(node: SimNode, how: CrashKind, afterMs: number): Promise<void> {
    const { lifeline } = node;
    if (lifeline === undefined) return;
    const { scheduler } = this.#stage.net;
    await scheduler.advanceTo(scheduler.now + afterMs);
    await scheduler.advanceUntil(() => node.disk.isBusy || !lifeline.isAlive, NEXT_COMMIT_MS);
    if (lifeline.isAlive) this.crashNow(node, how);
  }

  crashNow(node: SimNode, how: CrashKind): void {
    const { lifeline } = node;
    if (lifeline === undefined) return;
    if (!node.isRunning) this.#stage.count('crashesInRecovery');
    this.#stage.count(how === 'power' ? 'powerCrashes' : 'processCrashes');
    this.#ending(node, 'crashed');
    node.crash(how);
    if (how === 'power') this.#stage.ledger.powerLost(node);
  }

  /** Takes a node down and gives it an empty disk. */
  wipe(node: SimNode): void {
    if (node.lifeline !== undefined) this.crashNow(node, 'power');
    this.#stage.net.wipe(node.index);
    this.#stage.ledger.forget(node);
    this.#stage.count('wipes');
  }

  async #replaceDisk(node: SimNode): Promise<void> {
    this.#stage.count('damageFound');
    this.wipe(node);
    await this.start(node);
  }

  #started(node: SimNode): void {
    const { running } = node;
    // Crashed amid its start.
    if (running === undefined) return;
    const { ledger } = this.#stage;
    if (this.#runs.get(node)?.end !== 'stopped') this.#stage.count('recoveries');
    this.#stage.excuseNoMore(node);
    ledger.restarted(node, running);
    this.#follow(node);
  }

  #follow(node: SimNode): void {
    const { running, lifeline } = node;
    if (running === undefined || lifeline === undefined) return;
    const stage = this.#stage;
    stage.ledger.follow(node, running);
    this.#followChain(node, running);
    running.peers.events.on('dropped', ({ url }) => {
      stage.count('peersDropped');
      if (!stage.isHonest(url)) stage.count('liarsDropped');
    });
    running.peers.events.on('banned', ({ url, why }) => stage.banned(node, { url, why }));
    running.mempool.events.on('accepted', ({ entry: { transaction } }) => node.note(`takes ${short(transaction)}`));
    running.mempool.events.on('dropped', ({ transaction, code }) =>
      node.note(`gives up ${short(transaction)}: ${code}`),
    );
    const run: Run = { end: undefined };
    this.#runs.set(node, run);
    void running.stopped.then(() => {
      if (run.end !== undefined) return;
      run.end = 'ended by itself';
      this.#endedByItself(node, running.failure);
    });
  }

  #followChain(node: SimNode, { chain }: RunningNode): void {
    let depth = 0;
    chain.events.on('disconnected', () => {
      depth += 1;
    });
    chain.events.on('settled', ({ tip: { header } }) => {
      const left = depth === 0 ? '' : `, ${depth} of its blocks left`;
      node.note(`tip ${header.height} ${header.hash.slice(0, SHORT)}${left}`);
      if (depth > 0) count(this.#stage.coverage.reorganisations, depth);
      depth = 0;
    });
  }

  /** Notes how a run ends: the first way counts. */
  #ending(node: SimNode, end: Run['end']): void {
    const run = this.#runs.get(node);
    if (run !== undefined) run.end ??= end;
  }

  #endedByItself(node: SimNode, failure: unknown): void {
    if (reasonOf(failure)?.code === 'store-corrupt') this.#stage.count('damageFound');
    if (this.#stage.isExcused(node)) return;
    const message = `${node.name} has ended by itself, and its disk was all right: ${String(failure)}`;
    this.#stage.fail(new InvariantBroken('nodes run on', message));
  }
}

function short({ txid }: Transaction): string {
  return `payment ${txid.slice(0, SHORT)}`;
}
