import type { TxId } from '../../shared/model/ids.js';
import { type Chunk, linearize } from './linearize.js';
import type { PoolEntry } from './pool.js';

/**
 * Chunks that are put in or taken out one by one, each of which moves part of the list in one piece; more at once are
 * merged in one pass over all, which costs about as much as this many. A line of 25 stays well below.
 */
const FEW = 100;

/** Transactions that hang together, whether by a parent or by a child. */
interface Cluster {
  readonly entries: readonly PoolEntry[];
  readonly chunks: readonly Chunk[];
}

/**
 * The waiting transactions by what a miner earns with them: clusters of those that hang together, each cut into chunks,
 * and the chunks of all in one order. The best is what goes into the next block, and the worst is what is given up when
 * room is short: what would be mined last goes first, and both by the same measure.
 */
export class Clusters {
  readonly #clusterOf = new Map<TxId, Cluster>();
  readonly #chunkOf = new Map<TxId, Chunk>();
  /** Best first. */
  #order: Chunk[] = [];

  /** All chunks, best first; those of one cluster in their order. */
  chunks(): readonly Chunk[] {
    return this.#order;
  }

  chunkOf(txid: TxId): Chunk | undefined {
    return this.#chunkOf.get(txid);
  }

  /** How many transactions hang together with these, those aside that leave. */
  sizeAround(txids: Iterable<TxId>, leaving: ReadonlySet<PoolEntry>): number {
    let count = 0;
    for (const { entries } of this.#around(txids)) for (const entry of entries) if (!leaving.has(entry)) count += 1;
    return count;
  }

  /** Takes in a transaction whose parents are here. */
  add(entry: PoolEntry): void {
    const joined = this.#around(entry.parents);
    const entries = [...joined].flatMap((cluster) => cluster.entries);
    // Nearly always in order: what is added has come last, unless it comes back.
    const isLast = (entries.at(-1)?.arrival ?? 0) <= entry.arrival;
    entries.push(entry);
    if (joined.size > 1 || !isLast) entries.sort(byArrival);
    this.#replace(joined, [entries]);
  }

  /** Takes transactions out, and what is left of their clusters apart where nothing joins it any more. */
  remove(gone: readonly PoolEntry[]): void {
    const txids = gone.map(({ transaction }) => transaction.txid);
    const touched = this.#around(txids);
    const out = new Set(txids);
    const parts = [...touched].flatMap(({ entries }) =>
      components(entries.filter(({ transaction }) => !out.has(transaction.txid))),
    );
    this.#replace(touched, parts);
  }

  #around(txids: Iterable<TxId>): Set<Cluster> {
    const clusters = new Set<Cluster>();
    for (const txid of txids) {
      const cluster = this.#clusterOf.get(txid);
      if (cluster !== undefined) clusters.add(cluster);
    }
    return clusters;
  }

  #replace(before: ReadonlySet<Cluster>, after: readonly (readonly PoolEntry[])[]): void {
    const old: Chunk[] = [];
    for (const { entries, chunks } of before) {
      old.push(...chunks);
      for (const { transaction } of entries) {
        this.#clusterOf.delete(transaction.txid);
        this.#chunkOf.delete(transaction.txid);
      }
    }
    const made: Chunk[] = [];
    for (const entries of after) {
      // What comes last changes the last chunks of its cluster only: the first stay where they are.
      const chunks = keepFirst(before.size === 1 && after.length === 1 ? old : [], linearize(entries));
      const cluster = { entries, chunks };
      made.push(...chunks);
      for (const { transaction } of entries) this.#clusterOf.set(transaction.txid, cluster);
      for (const chunk of chunks)
        for (const { transaction } of chunk.entries) this.#chunkOf.set(transaction.txid, chunk);
    }
    let kept = 0;
    while (kept < old.length && old[kept] === made[kept]) kept += 1;
    this.#reorder(old.slice(kept), made.slice(kept));
  }

  #reorder(removed: readonly Chunk[], added: readonly Chunk[]): void {
    if (removed.length + added.length <= FEW) {
      for (const chunk of removed) this.#order.splice(this.#positionOf(chunk), 1);
      for (const chunk of added) this.#order.splice(this.#positionOf(chunk), 0, chunk);
      return;
    }
    const out = new Set(removed);
    this.#order = merged(
      this.#order.filter((chunk) => !out.has(chunk)),
      added.toSorted(byRate),
    );
  }

  /** Where a chunk stands, or would. */
  #positionOf(chunk: Chunk): number {
    let [low, high] = [0, this.#order.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = this.#order[middle];
      if (at !== undefined && byRate(at, chunk) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Best first; of equals, what came first, and within a cluster never out of its order. */
export function byRate(a: Chunk, b: Chunk): number {
  return b.rate - a.rate || a.cluster - b.cluster || a.position - b.position;
}

/** The new chunks of a cluster, with the old ones in their places as far as they are the same. */
function keepFirst(old: readonly Chunk[], made: readonly Chunk[]): Chunk[] {
  const chunks: Chunk[] = [];
  let isSame = true;
  for (const [i, chunk] of made.entries()) {
    const before = old[i];
    isSame &&= before?.cluster === chunk.cluster && hasSameEntries(before, chunk);
    chunks.push(isSame && before !== undefined ? before : { ...chunk, after: chunks.at(-1) });
  }
  return chunks;
}

function hasSameEntries(a: Chunk, b: Chunk): boolean {
  return a.entries.length === b.entries.length && a.entries.every((entry, i) => entry === b.entries[i]);
}

function byArrival(a: PoolEntry, b: PoolEntry): number {
  return a.arrival - b.arrival;
}

function merged(a: readonly Chunk[], b: readonly Chunk[]): Chunk[] {
  const all: Chunk[] = [];
  let [i, j] = [0, 0];
  for (let [x, y] = [a[i], b[j]]; x !== undefined || y !== undefined; [x, y] = [a[i], b[j]]) {
    if (y === undefined || (x !== undefined && byRate(x, y) <= 0)) {
      if (x !== undefined) all.push(x);
      i += 1;
    } else {
      all.push(y);
      j += 1;
    }
  }
  return all;
}

/** Entries in order of arrival, divided by whether anything joins them; each part in the same order. */
function components(entries: readonly PoolEntry[]): PoolEntry[][] {
  if (entries.length < 2) return entries.length === 0 ? [] : [[...entries]];
  const partOf = new Map<TxId, PoolEntry[]>();
  for (const entry of entries) {
    let part: PoolEntry[] = [entry];
    for (const parent of entry.parents) {
      const other = partOf.get(parent);
      if (other === undefined || other === part) continue;
      // The smaller goes over into the larger.
      const [into, from] = other.length >= part.length ? [other, part] : [part, other];
      into.push(...from);
      for (const { transaction } of from) partOf.set(transaction.txid, into);
      part = into;
    }
    partOf.set(entry.transaction.txid, part);
  }
  return [...new Set(partOf.values())].map((part) => part.sort(byArrival));
}
