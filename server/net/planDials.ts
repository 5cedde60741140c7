import { isNamedGroup, isPublicGroup, type NetGroup } from './netGroup.js';
import type { PeerUrl } from './peerUrl.js';

/** Nodes sought by a name at once, while others are to be had: a name costs less than a network of addresses. */
export const MAX_NAMED = 4;

/** An address that could be dialled. */
export interface Candidate {
  readonly url: PeerUrl;
  readonly group: NetGroup;
}

/** All addresses whose turn it is. */
export interface Candidates {
  /** Those that the operator named. */
  readonly kept: readonly Candidate[];
  /** The buckets of those that have answered, and of those of which others told. */
  readonly tried: readonly (readonly Candidate[])[];
  readonly fresh: readonly (readonly Candidate[])[];
}

/** What is wanted of them. */
export interface DialOrder {
  /** How many at most. */
  readonly count: number;
  /** Groups of the nodes that are sought already. */
  readonly groups: readonly NetGroup[];
  /** Whether to do without rather than to take one of a group that is there already. */
  readonly isStrict: boolean;
  /** A whole number from 0 to `limit - 1`, by chance. */
  readonly draw: (limit: number) => number;
}

/**
 * Chooses whom to dial. First those that the operator named. Then, by the toss of a coin, one that has answered before or
 * one that is new, from a bucket drawn among those that are not empty, so that it does not matter how many addresses
 * somebody has got into few buckets. Two of one public group only where there are no others.
 */
export function planDials({ kept, tried, fresh }: Candidates, order: DialOrder): PeerUrl[] {
  const { count, isStrict, draw } = order;
  const chosen: PeerUrl[] = [];
  const spare: PeerUrl[] = [];
  const groups = [...order.groups];
  const named = isStrict ? [] : [...kept];
  while (chosen.length < count && named.length > 0)
    for (const next of named.splice(draw(named.length), 1)) {
      chosen.push(next.url);
      groups.push(next.group);
    }
  const tables = [tried, fresh].map((table) => table.map((bucket) => [...bucket]).filter(({ length }) => length > 0));
  while (chosen.length < count) {
    const filled = tables.filter(({ length }) => length > 0);
    const next = filled.length === 0 ? undefined : drawFrom(filled[draw(filled.length)] ?? [], draw);
    if (next === undefined) break;
    if (isCrowded(next.group, groups)) spare.push(next.url);
    else {
      chosen.push(next.url);
      groups.push(next.group);
    }
  }
  return isStrict ? chosen : [...chosen, ...spare.slice(0, count - chosen.length)];
}

/** Whether one more of a group would be one too many among these. */
export function isCrowded(group: NetGroup, groups: readonly NetGroup[]): boolean {
  if (!isPublicGroup(group)) return false;
  return groups.includes(group) || (isNamedGroup(group) && groups.filter(isNamedGroup).length >= MAX_NAMED);
}

/** Takes an address out of a bucket drawn among these. A bucket that is empty then goes, too. */
function drawFrom(table: Candidate[][], draw: DialOrder['draw']): Candidate | undefined {
  const at = draw(table.length);
  const bucket = table[at] ?? [];
  const [next] = bucket.splice(draw(bucket.length), 1);
  if (bucket.length === 0) table.splice(at, 1);
  return next;
}
