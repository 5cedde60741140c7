import type { BlockHash } from '../../shared/model/ids.js';
import { MAX_LOCATOR } from '../../shared/rpc/blockSchemas.js';
import type { HeaderTree } from '../chain/headerTree.js';
import type { HeaderRecord } from '../store/layout.js';
import { locatorHeights } from './locator.js';

/** Entries of a locator that may stand on a branch beside the active chain. */
const MAX_BESIDE = 30;

/**
 * The height of the last block that two branches share. By halving: a branch somebody made up may part from the active
 * chain a million blocks down, and nobody is to walk there.
 */
export function forkHeight(headers: Pick<HeaderTree, 'ancestor'>, a: HeaderRecord, b: HeaderRecord): number {
  const isShared = (height: number): boolean =>
    headers.ancestor(a, height).header.hash === headers.ancestor(b, height).header.hash;
  let shared = 0;
  let parted = Math.min(a.header.height, b.header.height) + 1;
  while (parted - shared > 1) {
    const middle = (shared + parted) >>> 1;
    if (isShared(middle)) shared = middle;
    else parted = middle;
  }
  return shared;
}

/**
 * What is told to a peer that is asked for headers, newest first: the best headers, as far as they lead away from the
 * active chain, and then the active chain itself. The active chain stands there in full even where the best headers are
 * on another branch: they may be somebody's invention, and honest peers would have to begin where that branch begins.
 */
export function locatorOf(
  headers: Pick<HeaderTree, 'ancestor'>,
  { tip, bestHeader }: { readonly tip: HeaderRecord; readonly bestHeader: HeaderRecord },
): BlockHash[] {
  const hashes = (record: HeaderRecord, heights: readonly number[]): BlockHash[] =>
    heights.map((height) => headers.ancestor(record, height).header.hash);
  const fork = forkHeight(headers, tip, bestHeader);
  const beside = locatorHeights(bestHeader.header.height).filter((height) => height > fork);
  return [...hashes(bestHeader, beside.slice(0, MAX_BESIDE)), ...hashes(tip, locatorHeights(tip.header.height))];
}

/** A locator that begins with the header a peer has shown last. */
export function locatorFrom(last: BlockHash, locator: readonly BlockHash[]): BlockHash[] {
  const genesis = locator.slice(-1);
  return [
    last,
    ...locator
      .slice(0, -1)
      .filter((hash) => hash !== last)
      .slice(0, MAX_LOCATOR - 2),
    ...genesis,
  ];
}

/** The headers of a branch whose bodies are not here, lowest first, a few at a time. */
export class MissingBodies {
  readonly #headers: Pick<HeaderTree, 'ancestor' | 'require'>;
  readonly #target: HeaderRecord;
  /** Up to which height it has been looked. */
  #height: number;

  constructor(headers: Pick<HeaderTree, 'ancestor' | 'require'>, target: HeaderRecord, above: number) {
    this.#headers = headers;
    this.#target = target;
    this.#height = above;
  }

  get isAtEnd(): boolean {
    return this.#height >= this.#target.header.height;
  }

  /** The next ones, at most `limit`, out of as many headers; so there may be none although it is not at the end. */
  next(limit: number): HeaderRecord[] {
    const missing: HeaderRecord[] = [];
    const bottom = this.#height;
    const top = Math.min(bottom + limit, this.#target.header.height);
    if (top <= bottom) return missing;
    // What is stored has a parent that is stored, so the first body found on the way down ends the walk.
    for (
      let at = this.#headers.ancestor(this.#target, top);
      at.header.height > bottom && at.body === null;
      at = this.#headers.require(at.header.previous)
    )
      missing.push(at);
    this.#height = top;
    return missing.reverse();
  }
}
