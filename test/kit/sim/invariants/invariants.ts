import type { RunningNode } from '../../../../server/node.js';
import type { HeaderRecord } from '../../../../server/store/layout.js';
import { type BlockHash, parseId } from '../../../../shared/model/ids.js';
import { type OutPoint, outPointKey } from '../../../../shared/model/outpoint.js';
import { inputsOf } from '../../../../shared/model/transaction.js';
import { differenceFrom } from '../../model/compare.js';
import { latestAt } from '../../model/headerRules.js';
import { findCoin } from '../../model/ledger.js';
import type { SimNode } from '../simNode.js';
import type { Simulation } from '../simulation.js';
import { InvariantBroken } from './invariantBroken.js';
import { type Judged, Reference } from './reference.js';

/** What was last seen of a node. */
interface Seen {
  /** The process this belongs to. */
  running: RunningNode | undefined;
  tip: HeaderRecord | undefined;
  judged: Judged | undefined;
  pool: string;
  /** The latest that the node's clock has ever shown. */
  latestClock: number;
}

/**
 * What must hold of every node after every event, whatever the network, the disks and the peers do. Looks closely only
 * where something has changed; where a node switched branches or came back, everything it stores is held against what
 * the plain second validator makes of the same blocks.
 *
 * - `valid-chain`: every block of an active chain keeps every rule, so no value comes from nothing and no coin is spent twice.
 * - `work-never-falls`: the tip never has less work than before, but by the operator's word; a crash takes nothing back.
 * - `first-seen`: a rival of equal work never replaces the tip.
 * - `sums`: supply, transactions and addresses are those of the chain.
 * - `indexes`: coins, balances, histories and every other row are those of the chain.
 * - `mempool`: what waits could stand in the next block: its coins are there, ripe and spent once.
 * - `clock`: no block was taken before its time.
 *
 * A disk on which a bit has flipped is left alone: to read the row would be to find it in the node's place.
 */
export class Invariants {
  readonly #net: Pick<Simulation, 'nodes' | 'scheduler'>;
  readonly #reference: Reference;
  readonly #seen = new Map<SimNode, Seen>();

  constructor(net: Pick<Simulation, 'nodes' | 'scheduler' | 'params'>) {
    this.#net = net;
    this.#reference = new Reference(net.params);
  }

  /** Looks at whatever has changed since the last look. Throws `InvariantBroken`. */
  afterEvent(): void {
    for (const node of this.#net.nodes) {
      const { running } = node;
      if (running === undefined) continue;
      const seen = this.#of(node);
      seen.latestClock = Math.max(seen.latestClock, node.time);
      const { chain, mempool } = running;
      if (chain.isSwitching || node.disk.isDamaged) continue;
      if (chain.tip !== seen.tip || running !== seen.running) this.#lookAtTip(node, { running, seen });
      const pool = mempool.isAtRest ? `${mempool.pool.revision} ${chain.tip.header.hash}` : seen.pool;
      if (pool === seen.pool) continue;
      seen.pool = pool;
      this.#lookAtPool(node, { running, tip: this.#judge(node, running) });
    }
  }

  /** Looks at everything, whether it has changed or not. Throws `InvariantBroken`. */
  lookClosely(): void {
    for (const node of this.#net.nodes) this.lookCloselyAt(node);
  }

  /** The same for one node. */
  lookCloselyAt(node: SimNode): void {
    const { running } = node;
    if (running === undefined || running.chain.isSwitching || node.disk.isDamaged) return;
    const tip = this.#judge(node, running);
    this.#lookAtStore(node, { running, tip });
    if (running.mempool.isAtRest) this.#lookAtPool(node, { running, tip });
  }

  /** Forgets what was seen of a node: its disk is another, or the network has gone back in time. */
  forget(node: SimNode): void {
    this.#seen.delete(node);
  }

  #of(node: SimNode): Seen {
    const seen = this.#seen.get(node) ?? {
      ...{ running: undefined, tip: undefined, judged: undefined, pool: '' },
      latestClock: Number.NEGATIVE_INFINITY,
    };
    this.#seen.set(node, seen);
    return seen;
  }

  #lookAtTip(node: SimNode, { running, seen }: { running: RunningNode; seen: Seen }): void {
    const { chain } = running;
    const { tip } = chain;
    const before = seen.tip;
    if (before !== undefined && tip.work < before.work && !chain.headers.get(before.header.hash)?.setAside)
      throw new InvariantBroken(
        'work-never-falls',
        `${node.name} went from height ${before.header.height} with work ${before.work} to height ${tip.header.height} with ${tip.work}`,
      );
    // A process that starts anew may find another of equals first.
    const isRival = tip.work === before?.work && tip.header.hash !== before.header.hash && running === seen.running;
    if (isRival && !chain.headers.get(before.header.hash)?.setAside)
      throw new InvariantBroken(
        'first-seen',
        `${node.name} left ${before.header.hash.slice(0, 8)} for ${tip.header.hash.slice(0, 8)} of height ${tip.header.height}, which has no more work`,
      );
    const judged = this.#judge(node, running);
    this.#lookAtTimes(node, { seen, judged });
    const { transactions, addresses, supply } = judged.sums;
    const real = chain.totals;
    if (real.supply !== supply || real.transactions !== transactions || real.addresses !== addresses)
      throw new InvariantBroken(
        'sums',
        `${node.name} says supply ${real.supply}, transactions ${real.transactions}, addresses ${real.addresses}; its blocks make ${supply}, ${transactions}, ${addresses}`,
      );
    const hasSwitched = before !== undefined && !isBelow(before.header.hash, judged);
    const hasStarted = running !== seen.running;
    if (hasSwitched || (hasStarted && seen.running !== undefined)) this.#lookAtStore(node, { running, tip: judged });
    seen.tip = tip;
    seen.judged = judged;
    seen.running = running;
  }

  /** The plain verdict on a node's tip. */
  #judge(node: SimNode, { chain }: RunningNode): Judged {
    const judged = this.#reference.judge(chain.tip.header.hash, (hash) => {
      const id = parseId<BlockHash>(hash);
      return id && chain.store.rawBlock(id);
    });
    if (judged.broken === undefined) return judged;
    const { height, hash } = judged.block.header;
    throw new InvariantBroken(
      'valid-chain',
      `${node.name} has a chain up to ${height} ${hash.slice(0, 8)} that breaks ${judged.broken}`,
    );
  }

  /** A clock that went back does not make blocks too early that were taken while it was ahead. */
  #lookAtTimes(node: SimNode, { seen, judged }: { seen: Seen; judged: Judged }): void {
    const latest = latestAt(this.#reference.network, seen.latestClock);
    for (let at: Judged | undefined = judged; at !== undefined && at !== seen.judged; at = at.parent) {
      const { timestamp, height } = at.block.header;
      if (timestamp <= latest) continue;
      throw new InvariantBroken(
        'clock',
        `${node.name} took block ${height} of ${timestamp}, and by its clock ${latest} is the latest to take`,
      );
    }
  }

  #lookAtStore(node: SimNode, { running, tip }: { running: RunningNode; tip: Judged }): void {
    const found = differenceFrom(running.chain.store, this.#reference.expected(tip));
    if (found !== undefined) throw new InvariantBroken('indexes', `${node.name}: ${found}`);
  }

  #lookAtPool(node: SimNode, { running, tip }: { running: RunningNode; tip: Judged }): void {
    const { pool } = running.mempool;
    const spent = new Map<string, string>();
    for (const { transaction } of pool.entries()) {
      for (const input of inputsOf(transaction)) {
        const key = outPointKey(input);
        const rival = spent.get(key);
        const isMade = pool.get(input.txid)?.transaction.body.outputs[input.index] !== undefined;
        const fault =
          rival === undefined ? (isMade ? undefined : this.#faultOf(input, tip)) : `so does ${rival}, which waits too`;
        if (fault !== undefined)
          throw new InvariantBroken(
            'mempool',
            `at ${node.name}, ${transaction.txid} waits and spends ${key}: ${fault}`,
          );
        spent.set(key, transaction.txid);
      }
    }
  }

  /** Why the next block could not spend a coin of the chain; `undefined` where it could. */
  #faultOf(input: OutPoint, tip: Judged): string | undefined {
    const { height } = tip.block.header;
    const coin = findCoin(tip.ledger, input);
    if (coin === undefined) return `it is not there at height ${height}`;
    const isRipe = !coin.coinbase || height + 1 - coin.height >= this.#reference.network.maturity;
    return isRipe ? undefined : `it is not ripe at height ${height + 1}`;
  }
}

function isBelow(hash: string, judged: Judged): boolean {
  for (let at: Judged | undefined = judged; at !== undefined; at = at.parent)
    if (at.block.header.hash === hash) return true;
  return false;
}
