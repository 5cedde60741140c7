import type { TxId } from '../../shared/model/ids.js';
import type { Chunk } from '../mempool/linearize.js';
import type { PoolEntry } from '../mempool/pool.js';

/** How many transactions are packed at once: their choice is one whole number of 31 bits. */
export const MAX_CANDIDATES = 30;
/** Choices followed at a time. Few small pools ever have as many that are worth it. */
const MAX_CHOICES = 500;

/** A transaction that may be taken, and what it is part of. */
export interface Candidate {
  readonly entry: PoolEntry;
  readonly chunk: Chunk;
}

/** Some of the candidates looked at so far. */
interface Choice {
  /** A bit for each one that is taken. */
  readonly taken: number;
  readonly size: number;
  readonly fee: number;
  /** What it earns above the going price, each transaction valued as a part of its chunk. */
  readonly gain: number;
}

/** The room there is, in bytes, and about what a byte of it is worth. */
export interface Packing {
  readonly room: number;
  readonly price: number;
}

/**
 * Which of a few transactions pay most within so much room, none without the parents it has among them. Follows every
 * choice that no other one beats (Nemhauser and Ullmann's way with the knapsack problem) and so finds the best one, unless
 * there are more than `MAX_CHOICES` at a time: then those that earn least are given up. Candidates come parents first.
 */
export function packBest(candidates: readonly Candidate[], { room, price }: Packing): PoolEntry[] {
  // Cluster by cluster: once its last child is decided upon, it does not matter any more which parents were taken.
  const ordered = candidates.toSorted((a, b) => a.chunk.cluster - b.chunk.cluster);
  const needs = needsOf(ordered);
  let choices: Choice[] = [{ taken: 0, size: 0, fee: 0, gain: 0 }];
  for (const [i, { entry, chunk }] of ordered.entries()) {
    const need = needs[i] ?? 0;
    const fee = Number(entry.fee);
    const gain = (chunk.rate - price) * entry.size;
    for (const choice of [...choices]) {
      if ((choice.taken & need) !== need || choice.size + entry.size > room) continue;
      choices.push({
        taken: choice.taken | (1 << i),
        size: choice.size + entry.size,
        fee: choice.fee + fee,
        gain: choice.gain + gain,
      });
    }
    const open = needs.slice(i + 1).reduce((bits, each) => bits | each, 0);
    choices = unbeaten(choices, open);
    if (choices.length > MAX_CHOICES) choices = choices.sort((a, b) => b.gain - a.gain).slice(0, MAX_CHOICES);
  }
  const best = choices.reduce((a, b) => (b.fee > a.fee ? b : a));
  return candidates.flatMap((candidate) => ((best.taken >> ordered.indexOf(candidate)) & 1 ? [candidate.entry] : []));
}

/** For each candidate the bits of its parents among them. */
function needsOf(candidates: readonly Candidate[]): number[] {
  const bits = new Map<TxId, number>(candidates.map(({ entry }, i) => [entry.transaction.txid, 1 << i]));
  return candidates.map(({ entry }) => Array.from(entry.parents, (txid) => bits.get(txid) ?? 0).reduce(or, 0));
}

function or(a: number, b: number): number {
  return a | b;
}

/** Without those that take no less room and pay no more than another one to which the same is still open. */
function unbeaten(choices: Choice[], open: number): Choice[] {
  choices.sort((a, b) => (a.taken & open) - (b.taken & open) || a.size - b.size || b.fee - a.fee);
  let group = -1;
  let most = -1;
  return choices.filter(({ taken, fee }) => {
    if ((taken & open) !== group) [group, most] = [taken & open, -1];
    if (fee <= most) return false;
    most = fee;
    return true;
  });
}
