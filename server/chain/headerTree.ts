import { LRUCache } from 'lru-cache';
import { type ParentContext, workWith } from '../../shared/consensus/checkHeader.js';
import { MEDIAN_SPAN } from '../../shared/consensus/params.js';
import type { Header } from '../../shared/model/header.js';
import { GENESIS_HEIGHT } from '../../shared/model/height.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { ChainStore } from '../store/chainStore.js';
import { corrupt } from '../store/chainStore.js';
import type { Write } from '../store/kv.js';
import { type HeaderRecord, layout } from '../store/layout.js';
import { put, remove } from '../store/space.js';

/** Headers kept decoded: enough for the medians and forks near the tip. The rest is read from the store again. */
const CACHED_HEADERS = 4_096;

/**
 * Every accepted header, as a tree. Owner: `chainstate`, whose queue is the only writer. Memory is bounded however long
 * the chain grows; a walk to any ancestor takes a logarithm of steps.
 */
export class HeaderTree {
  readonly #store: ChainStore;
  readonly #cache = new LRUCache<BlockHash, HeaderRecord>({ max: CACHED_HEADERS });

  constructor(store: ChainStore) {
    this.#store = store;
  }

  get(hash: BlockHash): HeaderRecord | undefined {
    const cached = this.#cache.get(hash);
    if (cached !== undefined) return cached;
    const stored = this.#store.header(hash);
    if (stored !== undefined) this.#cache.set(hash, stored);
    return stored;
  }

  /** A header that must be there, because another record names it. */
  require(hash: BlockHash): HeaderRecord {
    const found = this.get(hash);
    if (found === undefined) throw corrupt(`header ${hash} is missing`);
    return found;
  }

  /** What the rules judge a child of this header against. */
  contextOf(parent: HeaderRecord): ParentContext {
    const { hash, height, timestamp } = parent.header;
    const recentTimes: number[] = [];
    for (let at: HeaderRecord | undefined = parent; at !== undefined && recentTimes.length < MEDIAN_SPAN; ) {
      recentTimes.push(at.header.timestamp);
      at = at.header.height === GENESIS_HEIGHT ? undefined : this.require(at.header.previous);
    }
    const anchorTime = parent.anchorTime ?? undefined;
    return { hash, height, timestamp, work: parent.work, recentTimes, anchorTime, invalid: parent.invalid };
  }

  /** The record of a checked header under its parent. */
  childOf(parent: HeaderRecord, header: Header): HeaderRecord {
    return {
      header,
      work: workWith(parent.work, header),
      anchorTime: parent.anchorTime ?? header.timestamp,
      skip: this.ancestor(parent, skipHeight(header.height)).header.hash,
      invalid: parent.invalid,
      setAside: parent.setAside,
      body: null,
      fees: null,
    };
  }

  /** The writes that add a header as a tip in place of its parent. */
  addition(record: HeaderRecord): Write[] {
    const parent = this.require(record.header.previous);
    return [this.update(record), ...tipWrites(record, 'put'), ...tipWrites(parent, 'remove')];
  }

  /** The write that changes what is known of a header. From now on `get` says the same. */
  update(record: HeaderRecord): Write {
    this.#cache.set(record.header.hash, record);
    return put(layout.header, record.header.hash, record);
  }

  /** Forgets what a failed commit was to store: the next `get` asks the store again. */
  forget(): void {
    this.#cache.clear();
  }

  /** The ancestor of `record` at a height not above its own. */
  ancestor(record: HeaderRecord, height: number): HeaderRecord {
    let at = record;
    while (at.header.height > height) {
      const takesSkip = stepTowards(at.header.height, height) !== at.header.height - 1;
      at = this.require(takesSkip ? at.skip : at.header.previous);
    }
    return at;
  }

  /** The last block that two branches share. */
  fork(a: HeaderRecord, b: HeaderRecord): HeaderRecord {
    const height = Math.min(a.header.height, b.header.height);
    let left = this.ancestor(a, height);
    let right = this.ancestor(b, height);
    while (left.header.hash !== right.header.hash) {
      left = this.require(left.header.previous);
      right = this.require(right.header.previous);
    }
    return left;
  }

  /** Whether `record` stands on `ancestor` or is the same. */
  descends(record: HeaderRecord, ancestor: HeaderRecord): boolean {
    const { height, hash } = ancestor.header;
    return record.header.height >= height && this.ancestor(record, height).header.hash === hash;
  }

  /** The headers above `below` up to and with `to`, lowest first. `to` must stand on `below`. */
  path(below: HeaderRecord, to: HeaderRecord): HeaderRecord[] {
    const path: HeaderRecord[] = [];
    for (let at = to; at.header.height > below.header.height; at = this.require(at.header.previous)) path.push(at);
    return path.reverse();
  }

  /** The tips of all branches, the one with the most work first, invalid ones among them. */
  *tips(): Generator<HeaderRecord> {
    for (const hash of this.#store.tips()) yield this.require(hash);
  }

  /** The valid header with the most work, over all branches; equals go to the first found. */
  best(): HeaderRecord {
    return this.#best(({ invalid }) => !invalid);
  }

  /** The valid block with the most work among those whose bodies are stored; equals go to the first found. */
  bestStored(): HeaderRecord {
    return this.#best(({ invalid, body }) => !invalid && body !== null);
  }

  #best(isGood: (record: HeaderRecord) => boolean): HeaderRecord {
    let best: HeaderRecord | undefined;
    for (const tip of this.tips()) {
      // Branches come by the work of their tips, so nothing further can beat what has been found.
      if (best !== undefined && tip.work <= best.work) break;
      const found = this.#highest(tip, isGood);
      if (best === undefined || found.work > best.work) best = found;
    }
    if (best === undefined) throw corrupt('no branch has a tip');
    return best;
  }

  /**
   * The highest good ancestor of a tip, or itself. What stands on a bad header is bad, so halving finds the border: a
   * hundred thousand headers without bodies must not be walked one by one.
   */
  #highest(tip: HeaderRecord, isGood: (record: HeaderRecord) => boolean): HeaderRecord {
    if (isGood(tip)) return tip;
    let bad = tip;
    let good = this.ancestor(tip, GENESIS_HEIGHT);
    while (bad.header.height - good.header.height > 1) {
      const middle = this.ancestor(bad, (bad.header.height + good.header.height) >>> 1);
      if (isGood(middle)) good = middle;
      else bad = middle;
    }
    return good;
  }
}

/** The writes that list a header among the tips, or take it out. */
export function tipWrites({ work, header }: HeaderRecord, change: 'put' | 'remove'): Write[] {
  const key = { work, hash: header.hash };
  return [change === 'put' ? put(layout.tips, key, null) : remove(layout.tips, key)];
}

/**
 * To which height the long step from a height leads: the skip list of Bitcoin Core's block index, in which any ancestor
 * is a number of steps away that grows with the logarithm of the height.
 */
export function skipHeight(height: number): number {
  if (height < 2) return 0;
  return height % 2 === 1 ? clearLowestOne(clearLowestOne(height - 1)) + 1 : clearLowestOne(height);
}

/** The next height on the way from `height` down to `target`: by the long step, or by one. */
export function stepTowards(height: number, target: number): number {
  const skip = skipHeight(height);
  const skipOfParent = skipHeight(height - 1);
  // The long step, unless the parent's long step comes closer without passing by.
  const takesSkip = skip === target || (skip > target && !(skipOfParent < skip - 2 && skipOfParent >= target));
  return takesSkip ? skip : height - 1;
}

function clearLowestOne(n: number): number {
  return (n & (n - 1)) >>> 0;
}
