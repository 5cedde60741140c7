import type { TxId } from '../../shared/model/ids.js';
import { feeRate } from '../../shared/policy/relay.js';
import type { PoolEntry } from './pool.js';

/**
 * What a miner takes as a whole: transactions that pay best together, such as a parent and the child that pays for it. It
 * needs nothing but what the chunks before it in its cluster hold.
 */
export interface Chunk {
  /** Parents before children. */
  readonly entries: readonly PoolEntry[];
  readonly fee: bigint;
  /** Bytes. */
  readonly size: number;
  /** Base units for each byte. */
  readonly rate: number;
  /** The chunk of the same cluster that comes before it, and pays at least as much for each byte. */
  readonly after: Chunk | undefined;
  /** The first arrival in its cluster, and its place there: of chunks that pay the same, the earlier goes first. */
  readonly cluster: number;
  readonly position: number;
}

/** A transaction while its cluster is put in order. */
interface Candidate {
  readonly entry: PoolEntry;
  /** Those it cannot do without and that have not been taken yet, itself among them. */
  readonly missing: Set<Candidate>;
  readonly descendants: Candidate[];
  fee: number;
  size: number;
  isTaken: boolean;
}

interface Piece {
  readonly entries: PoolEntry[];
  fee: bigint;
  size: number;
}

/**
 * Puts a cluster in the order in which miners would take it, and cuts it into chunks of falling fee rates. Again and
 * again the transaction is taken that pays best together with what it still needs, as miners choose (ancestor fee rate);
 * neighbours of which the later one pays better are then joined, for whoever takes the later has to take both (the
 * chunks of Bitcoin Core's cluster mempool). Entries have to come parents first; a cluster is small.
 */
export function linearize(entries: readonly PoolEntry[]): Chunk[] {
  const [only] = entries;
  const cluster = only?.arrival ?? 0;
  if (only !== undefined && entries.length === 1)
    return [{ entries, fee: only.fee, size: only.size, rate: only.rate, after: undefined, cluster, position: 0 }];
  const pieces: Piece[] = [];
  for (const piece of pickedByAncestors(candidatesOf(entries))) {
    pieces.push(piece);
    for (let last = pieces.at(-1), before = pieces.at(-2); last && before && pays(last, before); ) {
      before.entries.push(...last.entries);
      before.fee += last.fee;
      before.size += last.size;
      pieces.pop();
      [last, before] = [pieces.at(-1), pieces.at(-2)];
    }
  }
  const chunks: Chunk[] = [];
  for (const [position, { entries: own, fee, size }] of pieces.entries()) {
    const rate = feeRate(fee, size);
    chunks.push({ entries: own, fee, size, rate, after: chunks.at(-1), cluster, position });
  }
  return chunks;
}

/** Whether the first pays more for each byte than the second. */
function pays(first: Piece, second: Piece): boolean {
  return first.fee * BigInt(second.size) > second.fee * BigInt(first.size);
}

function candidatesOf(entries: readonly PoolEntry[]): Candidate[] {
  const candidates = new Map<TxId, Candidate>();
  for (const entry of entries) {
    const candidate: Candidate = { entry, missing: new Set(), descendants: [], fee: 0, size: 0, isTaken: false };
    for (const parent of entry.parents)
      for (const each of candidates.get(parent)?.missing ?? []) candidate.missing.add(each);
    candidate.missing.add(candidate);
    for (const each of candidate.missing) {
      each.descendants.push(candidate);
      candidate.fee += Number(each.entry.fee);
      candidate.size += each.entry.size;
    }
    candidates.set(entry.transaction.txid, candidate);
  }
  return [...candidates.values()];
}

function* pickedByAncestors(candidates: readonly Candidate[]): Generator<Piece> {
  for (let left = candidates.length; left > 0; ) {
    const best = bestOf(candidates);
    const piece: Piece = { entries: [], fee: 0n, size: 0 };
    for (const taken of [...best.missing]) {
      taken.isTaken = true;
      left -= 1;
      piece.entries.push(taken.entry);
      piece.fee += taken.entry.fee;
      piece.size += taken.entry.size;
      for (const descendant of taken.descendants) {
        descendant.missing.delete(taken);
        descendant.fee -= Number(taken.entry.fee);
        descendant.size -= taken.entry.size;
      }
    }
    yield piece;
  }
}

/** Of equals, the one that came first: two nodes with the same pool choose the same. */
function bestOf(candidates: readonly Candidate[]): Candidate {
  let best: Candidate | undefined;
  for (const candidate of candidates)
    if (!candidate.isTaken && (best === undefined || candidate.fee * best.size > best.fee * candidate.size))
      best = candidate;
  if (best === undefined) throw new Error('nothing is left to be taken');
  return best;
}
