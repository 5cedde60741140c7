import type { Coin } from '../../shared/consensus/coins.js';
import type { Address } from '../../shared/model/address.js';
import type { TxId, Wtxid } from '../../shared/model/ids.js';
import { type OutPoint, type OutPointKey, outPointKey } from '../../shared/model/outpoint.js';
import type { Transaction, TransferBody } from '../../shared/model/transaction.js';
import { feeRate } from '../../shared/policy/relay.js';
import { FeeHistogram } from './feeHistogram.js';

/** A waiting transaction. */
export interface PoolEntry {
  readonly transaction: Transaction<TransferBody>;
  readonly fee: bigint;
  /** Bytes. */
  readonly size: number;
  /** Base units for each byte. */
  readonly rate: number;
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
export type NewEntry = Omit<PoolEntry, 'size' | 'rate' | 'parents' | 'arrival'>;

/**
 * The waiting transactions and who spends what: a plain data structure that judges nothing. Invariants: no two entries
 * spend the same coin; every entry's inputs are coins of the chain or outputs of other entries.
 */
export class Pool {
  readonly #entries = new Map<TxId, PoolEntry>();
  readonly #txids = new Map<Wtxid, TxId>();
  readonly #spenders = new Map<OutPointKey, TxId>();
  readonly #children = new Map<TxId, Set<TxId>>();
  readonly #byAddress = new Map<Address, Set<TxId>>();
  /** What waits by fee rate. */
  readonly histogram = new FeeHistogram();
  #bytes = 0;
  #fees = 0n;
  #revision = 0;
  /** Every entry, and some that are gone, in the order of `byRate`; made when it is first needed. */
  #byRate: PoolEntry[] | undefined;
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

  get fees(): bigint {
    return this.#fees;
  }

  /** All entries, oldest first. */
  entries(): Iterable<PoolEntry> {
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

  /**
   * All entries by what they pay for each byte, the cheapest first. Sorted when first asked for, and kept sorted from then
   * on, for whoever asks has a full pool and will ask again.
   */
  *cheapestFirst(): Generator<PoolEntry> {
    if (this.#byRate === undefined || this.#byRate.length > 2 * this.#entries.size + 100)
      this.#byRate = [...this.#entries.values()].sort(byRate);
    for (const entry of this.#byRate) if (this.has(entry)) yield entry;
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
    return this.#closure([txid], (entry) => this.childrenOf(entry.transaction.txid));
  }

  add(entry: NewEntry): PoolEntry {
    const { transaction, fee } = entry;
    const { txid, wtxid, body, raw } = transaction;
    const parents = new Set(body.inputs.map((input) => input.txid).filter((parent) => this.#entries.has(parent)));
    const rate = feeRate(fee, raw.length);
    const added: PoolEntry = { ...entry, size: raw.length, rate, parents, arrival: this.#arrivals++ };
    this.#entries.set(txid, added);
    this.histogram.add(added);
    this.#revision += 1;
    if (this.#byRate !== undefined) insertSorted(this.#byRate, added);
    this.#txids.set(wtxid, txid);
    for (const input of body.inputs) this.#spenders.set(outPointKey(input), txid);
    for (const parent of parents) addTo(this.#children, parent, txid);
    for (const address of addressesOf(added)) addTo(this.#byAddress, address, txid);
    this.#bytes += raw.length;
    this.#fees += fee;
    return added;
  }

  /** Takes out one entry and leaves those that depend on it: for one that a block has confirmed. */
  remove(txid: TxId): PoolEntry | undefined {
    const entry = this.#entries.get(txid);
    if (entry === undefined) return undefined;
    this.#entries.delete(txid);
    this.histogram.remove(entry);
    this.#revision += 1;
    this.#txids.delete(entry.transaction.wtxid);
    for (const input of entry.transaction.body.inputs) this.#spenders.delete(outPointKey(input));
    for (const parent of entry.parents) removeFrom(this.#children, parent, txid);
    for (const child of this.childrenOf(txid)) this.#forgetParent(child, txid);
    this.#children.delete(txid);
    for (const address of addressesOf(entry)) removeFrom(this.#byAddress, address, txid);
    this.#bytes -= entry.size;
    this.#fees -= entry.fee;
    return entry;
  }

  /** Takes out an entry and all that cannot do without it. */
  removeWithDescendants(txid: TxId): PoolEntry[] {
    const doomed = this.#entries.has(txid) ? this.withDescendants(txid) : [];
    return doomed.toReversed().flatMap((entry) => this.remove(entry.transaction.txid) ?? []);
  }

  /** Whether this very entry, or its successor after a parent was confirmed, still waits. */
  has({ transaction, arrival }: PoolEntry): boolean {
    return this.#entries.get(transaction.txid)?.arrival === arrival;
  }

  #forgetParent(child: TxId, parent: TxId): void {
    const entry = this.#entries.get(child);
    if (entry === undefined) return;
    const parents = new Set(entry.parents);
    parents.delete(parent);
    this.#entries.set(child, { ...entry, parents });
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

function byRate(a: PoolEntry, b: PoolEntry): number {
  return a.rate - b.rate || a.arrival - b.arrival;
}

function insertSorted(sorted: PoolEntry[], entry: PoolEntry): void {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = sorted[middle];
    if (at !== undefined && byRate(at, entry) < 0) low = middle + 1;
    else high = middle;
  }
  sorted.splice(low, 0, entry);
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
