import type { NetGroup } from './netGroup.js';
import type { PeerUrl } from './peerUrl.js';
import { isCrowded } from './planDials.js';

/** Sought peers that are never let go: those sought longest of whom nothing says that they are behind. */
export const MAX_PROTECTED = 4;

/** A peer that this node sought. */
export interface Sought {
  readonly url: PeerUrl;
  readonly group: NetGroup;
  /** Whether the operator named it: then it stays. */
  readonly isKept: boolean;
  /** Work of the chain that it says it has. */
  readonly work: bigint;
}

/** What is known when a round of upkeep begins. */
export interface Situation {
  /** The sought peers, the longest known first. */
  readonly sought: readonly Sought[];
  /** How many there are to be. */
  readonly target: number;
  /** Work of our own tip. */
  readonly work: bigint;
  /** How long our tip has been the same, in milliseconds. */
  readonly tipAgeMs: number;
  /** How long there has been one more than the target; 0 where there is not. */
  readonly trialMs: number;
}

/** When to doubt the peers there are. Milliseconds. */
export interface Doubts {
  /** A tip this old is stale. */
  readonly staleMs: number;
  /** What one more peer is given to show a better chain. */
  readonly trialMs: number;
}

/** What to do about the sought peers. */
export type Rotation =
  | { readonly kind: 'none' }
  /** Seek one more, of another group. */
  | { readonly kind: 'seek' }
  | { readonly kind: 'leave'; readonly url: PeerUrl; readonly why: string };

/**
 * Decides whether one more peer is sought than usual, and who is let go for it. Whoever surrounds a node keeps the best
 * chain from it; one peer from elsewhere is enough to end that (Heilman et al. 2015; Bitcoin Core seeks an extra peer when
 * its tip is stale). So too where two peers are of one group, as long as another is to be had. There is never more
 * than one too many.
 */
export function planRotation(situation: Situation, doubts: Doubts): Rotation {
  const { sought, target, tipAgeMs, trialMs } = situation;
  const isStale = tipAgeMs >= doubts.staleMs;
  const crowding = crowdedOf(situation);
  if (sought.length < target) return { kind: 'none' };
  if (sought.length === target) return isStale || crowding !== undefined ? { kind: 'seek' } : { kind: 'none' };
  if (crowding !== undefined) return leave(crowding, 'others are of its group');
  const helped = tipAgeMs < trialMs;
  if (!helped && trialMs < doubts.trialMs) return { kind: 'none' };
  // The newest has been of use, or it has not: only in that case may it be the one to go.
  const worst = worstOf(situation, helped ? sought.slice(0, -1) : sought);
  return worst === undefined ? { kind: 'none' } : leave(worst, 'room for others');
}

/** The newest peer of a group that has more than one, among those that may go. */
function crowdedOf(situation: Situation): Sought | undefined {
  const { sought } = situation;
  return removable(situation, sought).findLast((peer) => {
    const others = sought.filter((other) => other !== peer).map(({ group }) => group);
    return isCrowded(peer.group, others);
  });
}

/** Of those that may go, the one with the least work to show; of several, the newest. */
function worstOf(situation: Situation, among: readonly Sought[]): Sought | undefined {
  let worst: Sought | undefined;
  for (const peer of removable(situation, among)) if (worst === undefined || peer.work <= worst.work) worst = peer;
  return worst;
}

/** All but those that the operator named and those that are protected: the longest known, one of each group, none behind. */
function removable({ sought, work }: Situation, among: readonly Sought[]): Sought[] {
  const stays: Sought[] = [];
  const groups = (): NetGroup[] => stays.map(({ group }) => group);
  for (const peer of sought)
    if (stays.length < MAX_PROTECTED && !peer.isKept && peer.work >= work && !isCrowded(peer.group, groups()))
      stays.push(peer);
  return among.filter((peer) => !peer.isKept && !stays.includes(peer));
}

function leave({ url }: Sought, why: string): Rotation {
  return { kind: 'leave', url, why };
}
