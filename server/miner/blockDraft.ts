import { HASH_BYTES } from '../../shared/crypto/hash.js';
import { MerkleTree } from '../../shared/crypto/merkleTree.js';
import { idBytes, type TxId } from '../../shared/model/ids.js';
import type { Transaction } from '../../shared/model/transaction.js';
import { byRate } from '../mempool/clusters.js';
import type { Chunk } from '../mempool/linearize.js';
import type { PoolEntry } from '../mempool/pool.js';
import { PagedList, type Snapshot } from './pagedList.js';
import type { Selection } from './selectChunks.js';

/** Transactions in chunks that come or go, from which on all is put in order afresh: so many, and such a part of the block. */
const MANY = 64;
const MANY_PART = 1 / 4;

/** What a header commits to. */
export interface DraftedBlock {
  /** The coinbase first. */
  readonly transactions: Snapshot<Transaction>;
  readonly merkleRoot: Uint8Array;
}

/**
 * The transactions of the next block, each in a place of its own, and the Merkle tree over them. From one selection to
 * the next they keep their places: what is new goes where something has left, so that a change costs the hashes above a
 * few leaves and not a whole tree. A block's order is free, but that parents come before their children.
 *
 * Relies on two things: a selection holds the parents of whatever it holds, as far as they wait; and an entry's number of
 * arrival is above its parents', with a new number for whoever leaves the pool and comes back. So no parent is ever
 * put under a child that stays.
 */
export class BlockDraft {
  /** What stands in each place, the coinbase not counted; nothing only while places change. */
  #entries: (PoolEntry | undefined)[] = [];
  #places = new Map<TxId, number>();
  readonly #transactions = new PagedList<Transaction>();
  /** Leaf 0 is the coinbase's. */
  readonly #tree = new MerkleTree();
  #chunks: readonly Chunk[] = [];
  #fees = 0n;

  constructor() {
    this.#tree.push(new Uint8Array(HASH_BYTES));
  }

  get fees(): bigint {
    return this.#fees;
  }

  /** Makes this the block of another selection. Costs a glance at each chunk, and work for those that come and go. */
  update({ chunks, fees }: Selection): void {
    const { gone, come } = differenceOf(this.#chunks, chunks);
    this.#chunks = chunks;
    this.#fees = fees;
    if (gone.length + come.length > Math.max(MANY, this.#entries.length * MANY_PART)) {
      this.#arrange(chunks.flatMap(({ entries }) => entries));
      return;
    }
    const leaving = new Set<number>();
    for (const entry of gone) {
      const place = this.#placeOf(entry);
      if (place !== undefined) leaving.add(place);
    }
    // What is in another chunk than before, because something has joined its cluster, stays where it is.
    const added = come.filter((entry) => {
      const place = this.#placeOf(entry);
      return place === undefined || !leaving.delete(place);
    });
    if (added.length + leaving.size > 0) this.#exchange(leaving, added);
  }

  /** The block under this coinbase. What was drafted before stays as it was. */
  finish(coinbase: Transaction): DraftedBlock {
    const rest = this.#transactions.snapshot();
    const transactions = {
      length: rest.length + 1,
      *[Symbol.iterator]() {
        yield coinbase;
        yield* rest;
      },
    };
    this.#tree.set(0, idBytes(coinbase.wtxid));
    return { transactions, merkleRoot: this.#tree.root() };
  }

  /** Puts all in the selection's own order. */
  #arrange(entries: readonly PoolEntry[]): void {
    this.#entries = [];
    this.#places = new Map();
    this.#shorten(entries.length);
    for (const [place, entry] of entries.entries()) this.#put(place, entry);
  }

  /** Takes out what leaves, closes up, and puts in what is new. */
  #exchange(leaving: ReadonlySet<number>, added: readonly PoolEntry[]): void {
    const length = this.#entries.length - leaving.size + added.length;
    const free = [...leaving];
    for (let place = this.#entries.length; place < length; place++) free.push(place);
    const movers = [...added];
    for (let place = length; place < this.#entries.length; place++) {
      const entry = this.#entries[place];
      if (entry !== undefined && !leaving.has(place)) movers.push(entry);
    }
    // Parents first, whether they are new or stand too far behind.
    movers.sort((a, b) => a.arrival - b.arrival);
    const leaves = movers.map(({ transaction }) => this.#leafOf(transaction));
    for (const place of leaving) this.#vacate(place);
    for (let place = length; place < this.#entries.length; place++) this.#vacate(place);
    this.#shorten(length);
    const places = free.filter((place) => place < length).sort((a, b) => a - b);
    for (const [i, entry] of movers.entries()) this.#put(this.#freePlace(entry, places), entry, leaves[i]);
  }

  /** Takes from the free places, which rise, the first one behind the entry's parents. */
  #freePlace(entry: PoolEntry, free: number[]): number {
    for (;;) {
      const floor = this.#floorOf(entry);
      const index = free.findIndex((place) => place > floor);
      if (index >= 0) return free.splice(index, 1)[0] ?? 0;
      // All are before a parent: the foremost of its line that stands behind the last of them moves there.
      const hole = free.pop();
      if (hole === undefined) throw new Error('a drafted block has more transactions than places');
      free.push(this.#moveUp(floor, hole));
    }
  }

  /** Fills a place with the one at `place` or an ancestor of it, and answers where that one stood. */
  #moveUp(place: number, hole: number): number {
    const entry = this.#entries[place];
    if (entry === undefined) throw new Error(`a parent is gone from place ${place} of a drafted block`);
    const floor = this.#floorOf(entry);
    if (floor > hole) return this.#moveUp(floor, hole);
    this.#entries[place] = undefined;
    this.#put(hole, entry, this.#tree.leaf(place + 1));
    return place;
  }

  #placeOf({ transaction, arrival }: PoolEntry): number | undefined {
    const place = this.#places.get(transaction.txid);
    return place !== undefined && this.#entries[place]?.arrival === arrival ? place : undefined;
  }

  #vacate(place: number): void {
    const entry = this.#entries[place];
    if (entry !== undefined) this.#places.delete(entry.transaction.txid);
    this.#entries[place] = undefined;
  }

  /** The place of the last of its parents, -1 without. */
  #floorOf({ parents }: PoolEntry): number {
    let floor = -1;
    for (const parent of parents) floor = Math.max(floor, this.#places.get(parent) ?? -1);
    return floor;
  }

  #leafOf({ txid, wtxid }: Transaction): Uint8Array {
    const place = this.#places.get(txid);
    const isSame = place !== undefined && this.#entries[place]?.transaction.wtxid === wtxid;
    return (isSame ? this.#tree.leaf(place + 1) : undefined) ?? idBytes(wtxid);
  }

  #put(place: number, entry: PoolEntry, leaf: Uint8Array = idBytes(entry.transaction.wtxid)): void {
    this.#entries[place] = entry;
    this.#places.set(entry.transaction.txid, place);
    if (place === this.#transactions.length) {
      this.#transactions.push(entry.transaction);
      this.#tree.push(leaf);
    } else {
      this.#transactions.set(place, entry.transaction);
      this.#tree.set(place + 1, leaf);
    }
  }

  #shorten(length: number): void {
    this.#entries.length = Math.min(this.#entries.length, length);
    while (this.#transactions.length > length) {
      this.#transactions.pop();
      this.#tree.pop();
    }
  }
}

/**
 * The transactions of the chunks that only the one or only the other list has. Both lists are in the pool's order, so one
 * walk along both finds them; were they not, more would be taken for different than is, and nothing worse.
 */
function differenceOf(before: readonly Chunk[], after: readonly Chunk[]) {
  const gone: PoolEntry[] = [];
  const come: PoolEntry[] = [];
  for (let i = 0, j = 0; i < before.length || j < after.length; ) {
    const [old, now] = [before[i], after[j]];
    const order = old === undefined ? 1 : now === undefined ? -1 : old === now ? undefined : byRate(old, now);
    if (order === undefined || order <= 0) i += 1;
    if (order === undefined || order >= 0) j += 1;
    if (order !== undefined && order <= 0) gone.push(...(old?.entries ?? []));
    if (order !== undefined && order >= 0) come.push(...(now?.entries ?? []));
  }
  return { gone, come };
}
