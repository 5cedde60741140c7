import type { Random } from '../ports.js';

/** Peers on the tree, at most: to each goes a call for each transaction. */
export const MAX_NEAR = 8;
/** Peers that are tried out at once until it shows who is on the tree, and to whom a transaction of our own goes at the least. */
export const MAX_TRIED = 4;
export const MIN_FOR_OURS = 2;

/**
 * Which peers hear of a transaction at once, and which a little later, many in one call. Where an announcement is news, the
 * two are near each other from then on and tell each other at once; where both had it already there is a shorter way, and
 * they are far. Both sides of a link draw the same conclusion, so that what is left of near ones is a tree over the whole
 * network, whoever a transaction comes from; where it tears, what is told later is news and mends it (Plumtree: Leitão,
 * Pereira, Rodrigues, "Epidemic Broadcast Trees", 2007).
 */
export class Audience<Peer> {
  readonly #random: Pick<Random, 'below'>;
  readonly #near = new Set<Peer>();
  readonly #far = new Set<Peer>();

  constructor(random: Pick<Random, 'below'>) {
    this.#random = random;
  }

  /** Divides the peers that do not have a transaction yet: one that came from a peer, or one of our own. */
  divide(
    unaware: readonly Peer[],
    { isOurs }: { readonly isOurs: boolean },
  ): { readonly atOnce: readonly Peer[]; readonly later: readonly Peer[] } {
    const near = unaware.filter((peer) => this.#near.has(peer));
    const untried = unaware.filter((peer) => !this.#near.has(peer) && !this.#far.has(peer));
    const atOnce = [...near, ...this.#draw(untried, MAX_TRIED - near.length)];
    // Nobody else can tell of it.
    if (isOurs) atOnce.push(...this.#draw(without(unaware, atOnce), MIN_FOR_OURS - atOnce.length));
    return { atOnce, later: without(unaware, atOnce) };
  }

  /** An announcement between us and a peer was news to the one that was told. */
  wasNews(peer: Peer): void {
    this.#far.delete(peer);
    if (this.#near.size < MAX_NEAR) this.#near.add(peer);
    else if (!this.#near.has(peer)) this.#far.add(peer);
  }

  /** An announcement between us and a peer told what had come another way a moment before. */
  wasRepeated(peer: Peer): void {
    this.#near.delete(peer);
    this.#far.add(peer);
  }

  /** A peer is gone. */
  dropped(peer: Peer): void {
    this.#near.delete(peer);
    this.#far.delete(peer);
  }

  #draw(peers: Peer[], count: number): Peer[] {
    const drawn: Peer[] = [];
    while (drawn.length < count && peers.length > 0) drawn.push(...peers.splice(this.#random.below(peers.length), 1));
    return drawn;
  }
}

function without<T>(items: readonly T[], taken: readonly T[]): T[] {
  return items.filter((item) => !taken.includes(item));
}
