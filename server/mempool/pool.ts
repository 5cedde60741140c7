import type { Coin } from '../../shared/consensus/coins.js';
import type { Address } from '../../shared/model/address.js';
import type { TxId, Wtxid } from '../../shared/model/ids.js';
import { type OutPoint, type OutPointKey, outPointKey } from '../../shared/model/outpoint.js';
import type { Transaction, TransferBody } from '../../shared/model/transaction.js';
import { feeRate } from '../../shared/policy/relay.js';
import { Clusters } from './clusters.js';
import { FeeHistogram } from './feeHistogram.js';
import type { Chunk } from './linearize.js';
import { usageOf } from './usage.js';

/** What nearly all entries have for parents, once for all. */
const NOBODY: ReadonlySet<TxId> = new Set();

/** A waiting transaction. */
export interface PoolEntry {
  readonly transaction: Transaction<TransferBody>;
  readonly fee: bigint;
  /** Bytes. */
  readonly size: number;
  /** Base units for each byte. */
  readonly rate: number;
  /** Bytes of memory that it takes here, about. */
  readonly usage: number;
  /** When this node first took it in, in milliseconds since 1970. */
  readonly firstSeen: number;
  /** The coins it spends, one for each input. */
  readonly spent: readonly Coin[];
  /** Waiting transactions whose outputs it spends. */
  readonly parents: ReadonlySet<TxId>;
  /** Its number in the order of arrival. */
  readonly arrival: number;
}

/** What an entry is made from. */
export type NewEntry = Omit<PoolEntry, 'size' | 'rate' | 'usage' | 'parents' | 'arrival'>;

/**
 * The waiting transactions and who spends what: a plain data structure that judges nothing. Invariants: no two entries
 * spend the same coin; every entry's inputs are coins of the chain or outputs of other entries.
 */
export class Pool {
  readonly #entries = new Map<TxId, PoolEntry>();
  readonly #txids = new Map<Wtxid, TxId>();
  readonly #spenders = new Map<OutPointKey, TxId>();
  readonly #children = new Map<TxId, Set<TxId>>();
  /** Of those that have any here: the sets that their entries show. */
  readonly #parents = new Map<TxId, Set<TxId>>();
  readonly #byAddress = new Map<Address, Set<TxId>>();
  readonly #clusters = new Clusters();
  /** What waits by fee rate. */
  readonly histogram = new FeeHistogram();
  #bytes = 0;
  #usage = 0;
  #fees = 0n;
  #revision = 0;
  /** Whether the entries stand in the order of their arrival: what was put back stands at the end at first. */
  #isInOrder = true;
  #arrivals: number;

  /** Empty. A pool that takes another's place goes on with its numbers, so that no number ever comes twice. */
  constructor(before?: Pool) {
    this.#arrivals = before === undefined ? 0 : before.#arrivals;
  }

  get count(): number {
    return this.#entries.size;
  }

  /** Bytes of all transactions, raw. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of memory that all of it takes, about. */
  get usage(): number {
    return this.#usage;
  }

  get fees(): bigint {
    return this.#fees;
  }

  /** All entries, oldest first. */
  entries(): Iterable<PoolEntry> {
    if (!this.#isInOrder) {
      const sorted = [...this.#entries].sort(([, a], [, b]) => a.arrival - b.arrival);
      this.#entries.clear();
      for (const [txid, entry] of sorted) this.#entries.set(txid, entry);
      this.#isInOrder = true;
    }
    return this.#entries.values();
  }

  get(txid: TxId): PoolEntry | undefined {
    return this.#entries.get(txid);
  }

  byWtxid(wtxid: Wtxid): PoolEntry | undefined {
    const txid = this.#txids.get(wtxid);
    return txid === undefined ? undefined : this.#entries.get(txid);
  }

  /** All wtxids, in no order. */
  wtxids(): Iterable<Wtxid> {
    return this.#txids.keys();
  }

  /** What a miner takes as a whole, best first; those that hang together in an order in which they can be taken. */
  chunks(): readonly Chunk[] {
    return this.#clusters.chunks();
  }

  /** The chunk that a waiting transaction belongs to. */
  chunkOf(txid: TxId): Chunk | undefined {
    return this.#clusters.chunkOf(txid);
  }

  /** How many waiting transactions hang together with these, by whatever ways, those aside that leave. */
  clusterSize(txids: Iterable<TxId>, leaving: ReadonlySet<PoolEntry>): number {
    return this.#clusters.sizeAround(txids, leaving);
  }

  /** Changes whenever an entry comes or goes. */
  get revision(): number {
    return this.#revision;
  }

  /** Which waiting transaction spends a coin. */
  spenderOf(outpoint: OutPoint): TxId | undefined {
    return this.#spenders.get(outPointKey(outpoint));
  }

  /** Waiting transactions that pay to or spend from an address. */
  touching(address: Address): PoolEntry[] {
    return [...(this.#byAddress.get(address) ?? [])].flatMap((txid) => this.get(txid) ?? []);
  }

  /** The entries that spend outputs of this one. */
  childrenOf(txid: TxId): Iterable<TxId> {
    return this.#children.get(txid) ?? [];
  }

  /** The waiting transactions that this one cannot do without, parents before children, itself last. */
  withAncestors(txid: TxId): PoolEntry[] {
    return this.#closure([txid], (entry) => entry.parents).reverse();
  }

  /** This transaction and all that cannot do without it, parents before children. */
  withDescendants(txid: TxId): PoolEntry[] {
    return this.familyBelow([txid]);
  }

  /** The same of several. */
  familyBelow(txids: Iterable<TxId>): PoolEntry[] {
    return this.#closure([...txids], (entry) => this.childrenOf(entry.transaction.txid));
  }

  add(entry: NewEntry): PoolEntry {
    return this.#insert(entry, this.#arrivals++);
  }

  /** Puts an entry back that was taken out a moment ago, in its old place. */
  restore(entry: PoolEntry): void {
    this.#isInOrder = false;
    this.#insert(entry, entry.arrival);
  }

  #insert(entry: NewEntry, arrival: number): PoolEntry {
    const { transaction, fee } = entry;
    const { txid, wtxid, body, raw } = transaction;
    const parents = new Set<TxId>();
    for (const input of body.inputs) if (this.#entries.has(input.txid)) parents.add(input.txid);
    if (parents.size > 0) this.#parents.set(txid, parents);
    const [size, rate] = [raw.length, feeRate(fee, raw.length)];
    const own = parents.size === 0 ? NOBODY : parents;
    const added: PoolEntry = {
      ...entry,
      size,
      rate,
      usage: usageOf(transaction),
      parents: own,
      arrival,
    };
    this.#entries.set(txid, added);
    this.histogram.add(added);
    this.#revision += 1;
    this.#clusters.add(added);
    this.#txids.set(wtxid, txid);
    for (const input of body.inputs) this.#spenders.set(outPointKey(input), txid);
    for (const parent of parents) addTo(this.#children, parent, txid);
    for (const address of addressesOf(added)) addTo(this.#byAddress, address, txid);
    this.#bytes += size;
    this.#usage += added.usage;
    this.#fees += fee;
    return added;
  }

  /** Takes out entries and leaves those that depend on them: for what a block has confirmed. Answers what was here. */
  remove(txids: Iterable<TxId>): PoolEntry[] {
    const gone: PoolEntry[] = [];
    for (const txid of txids) {
      const entry = this.#entries.get(txid);
      if (entry === undefined) continue;
      gone.push(entry);
      this.#forget(entry);
    }
    if (gone.length === 0) return gone;
    this.#revision += 1;
    this.#clusters.remove(gone);
    return gone;
  }

  /** Takes out entries and all that cannot do without them; answers them children first. */
  removeWithDescendants(txids: Iterable<TxId>): PoolEntry[] {
    return this.remove(this.familyBelow(txids).map(({ transaction }) => transaction.txid)).reverse();
  }

  /** Whether this very entry still waits, and not another of the same name that came later. */
  has({ transaction, arrival }: PoolEntry): boolean {
    return this.#entries.get(transaction.txid)?.arrival === arrival;
  }

  #forget({ transaction, parents, size, rate, usage, fee, spent }: PoolEntry): void {
    const { txid, wtxid, body } = transaction;
    this.#entries.delete(txid);
    this.histogram.remove({ rate, size });
    this.#txids.delete(wtxid);
    for (const input of body.inputs) this.#spenders.delete(outPointKey(input));
    for (const parent of parents) removeFrom(this.#children, parent, txid);
    for (const child of this.childrenOf(txid)) this.#parents.get(child)?.delete(txid);
    this.#parents.delete(txid);
    this.#children.delete(txid);
    for (const address of addressesOf({ transaction, spent })) removeFrom(this.#byAddress, address, txid);
    this.#bytes -= size;
    this.#usage -= usage;
    this.#fees -= fee;
  }

  /**
   * Everything reachable from `start`, each before what it leads to. Kahn's order over the reachable part; sets are
   * small, for chains of waiting transactions are bounded.
   */
  #closure(start: readonly TxId[], next: (entry: PoolEntry) => Iterable<TxId>): PoolEntry[] {
    const order: PoolEntry[] = [];
    const state = new Map<TxId, 'open' | 'done'>();
    const stack = [...start];
    for (let txid = stack.at(-1); txid !== undefined; txid = stack.at(-1)) {
      const entry = this.#entries.get(txid);
      if (entry === undefined || state.get(txid) === 'done') {
        stack.pop();
      } else if (state.get(txid) === 'open') {
        state.set(txid, 'done');
        order.push(entry);
        stack.pop();
      } else {
        state.set(txid, 'open');
        for (const each of next(entry)) if (!state.has(each)) stack.push(each);
      }
    }
    // Depth-first post-order puts each after what it leads to.
    return order.reverse();
  }
}

function addressesOf({ transaction, spent }: Pick<PoolEntry, 'transaction' | 'spent'>): Set<Address> {
  return new Set([...transaction.body.outputs, ...spent].map(({ address }) => address));
}

function addTo<Key, Value>(index: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const values = index.get(key);
  if (values === undefined) index.set(key, new Set([value]));
  else values.add(value);
}

function removeFrom<Key, Value>(index: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const values = index.get(key);
  values?.delete(value);
  if (values?.size === 0) index.delete(key);
}
