import type { Chunk } from '../mempool/linearize.js';
import type { PoolEntry } from '../mempool/pool.js';
import { type Candidate, MAX_CANDIDATES, packBest } from './packBest.js';

/** Chunks that may be passed over, for want of room, before a block counts as full. */
const MAX_MISSES = 500;
/** The part of its fees that a block may lose to room left over before a better fit is looked for. */
const TOLERATED_LOSS = 0.001;

/** What a block takes. */
export interface Selection {
  /** In the pool's order, so that parents come before children. Of the last ones some may be parts of what the pool has. */
  readonly chunks: readonly Chunk[];
  readonly fees: bigint;
  /**
   * What a byte of this block is worth to others: the rate of the best chunk that found no room, 0 while there is room for
   * all.
   */
  readonly price: number;
}

/** The transactions of a selection, parents before children. */
export function entriesOf({ chunks }: Selection): PoolEntry[] {
  return chunks.flatMap(({ entries }) => entries);
}

/**
 * Which waiting transactions a block takes: chunks in their order, best first, as long as they fit, then whatever still
 * does. Where that leaves room that matters, as in a small block or one of large transactions, the last of those taken and
 * the first of those left out are packed afresh. One pass over what is taken, and a bounded search at the edge.
 */
export function selectChunks(chunks: readonly Chunk[], maxBytes: number): Selection {
  const filling = new Filling(maxBytes);
  let edge = 0;
  for (let chunk = chunks[edge]; chunk !== undefined && filling.take(chunk); chunk = chunks[edge]) edge += 1;
  const price = chunks[edge]?.rate;
  if (price === undefined) return { ...filling.sum, price: 0 };
  const most = filling.fees + filling.room * price;
  fill(filling, chunks, edge);
  const packed = filling.fees < most * (1 - TOLERATED_LOSS) ? repack({ chunks, edge, price }, maxBytes) : filling;
  return { ...(packed.fees > filling.fees ? packed : filling).sum, price };
}

/** Where the plain choice met its first chunk that did not fit, and what that one pays. */
interface Edge {
  readonly chunks: readonly Chunk[];
  readonly edge: number;
  readonly price: number;
}

/** The choice with the transactions around the edge packed as well as can be. */
function repack({ chunks, edge, price }: Edge, maxBytes: number): Filling {
  const after = candidates(chunks, { from: edge, step: 1 });
  const before = candidates(chunks, { from: edge - 1, step: -1 });
  // Half of each, or more of the one where there is less of the other.
  const late = after.slice(0, Math.max(MAX_CANDIDATES >> 1, MAX_CANDIDATES - before.length));
  const early = before.slice(0, MAX_CANDIDATES - late.length).reverse();
  const first = edge - new Set(early.map(({ chunk }) => chunk)).size;
  const end = edge + new Set(late.map(({ chunk }) => chunk)).size;
  const filling = new Filling(maxBytes);
  for (const chunk of chunks.slice(0, first)) filling.take(chunk);
  // Of a chunk that the window cuts in two, what is before it stays, and what is after it has to go without.
  const cut = chunks[first]?.entries ?? [];
  const kept =
    first < edge ? cut.slice(0, cut.length - early.filter(({ chunk }) => chunk === chunks[first]).length) : [];
  const room = kept.reduce((left, { size }) => left - size, filling.room);
  const taken = new Set([...kept, ...packBest([...early, ...late], { room, price })]);
  for (const chunk of chunks.slice(first, end)) filling.takePart(chunk, (entry) => taken.has(entry));
  fill(filling, chunks, end);
  return filling;
}

/** So many transactions as may be packed, before an edge or after it, the nearest first. */
function candidates(chunks: readonly Chunk[], { from, step }: { readonly from: number; readonly step: 1 | -1 }) {
  const found: Candidate[] = [];
  let at = from;
  for (let chunk = chunks[at]; chunk !== undefined && found.length < MAX_CANDIDATES; chunk = chunks[at]) {
    const { entries } = chunk;
    for (const entry of step === 1 ? entries : entries.toReversed()) found.push({ entry, chunk });
    at += step;
  }
  return found;
}

/** Takes what fits of the chunks from one on, until too many have not. */
function fill(filling: Filling, chunks: readonly Chunk[], from: number): void {
  let misses = 0;
  for (let i = from; misses < MAX_MISSES; i++) {
    const chunk = chunks[i];
    if (chunk === undefined) return;
    if (!filling.take(chunk)) misses += 1;
  }
}

/** A block while it is filled. */
class Filling {
  readonly #chunks: Chunk[] = [];
  /** Not taken, or not all of it: what comes after one of them in its cluster may need what is not there. */
  readonly #left = new Set<Chunk>();
  #fees = 0;
  #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  get room(): number {
    return this.#room;
  }

  get fees(): number {
    return this.#fees;
  }

  get sum(): Pick<Selection, 'chunks' | 'fees'> {
    return { chunks: this.#chunks, fees: BigInt(this.#fees) };
  }

  /** Takes a chunk if there is room for it and nothing is left out that it may need. */
  take(chunk: Chunk): boolean {
    if (chunk.size > this.#room || (chunk.after !== undefined && this.#left.has(chunk.after))) {
      this.#left.add(chunk);
      return false;
    }
    this.#add(chunk);
    return true;
  }

  /** Takes those transactions of a chunk that somebody has found to fit, with all they need. */
  takePart(chunk: Chunk, isTaken: (entry: PoolEntry) => boolean): void {
    const entries = chunk.entries.filter(isTaken);
    if (entries.length === chunk.entries.length) {
      this.#add(chunk);
      return;
    }
    this.#left.add(chunk);
    if (entries.length === 0) return;
    const fee = entries.reduce((sum, entry) => sum + entry.fee, 0n);
    const size = entries.reduce((sum, entry) => sum + entry.size, 0);
    this.#add({ ...chunk, entries, fee, size });
  }

  #add(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#room -= chunk.size;
    // A number will do: no sum of fees is above 2^53-1.
    this.#fees += Number(chunk.fee);
  }
}
