import type { TxId, Wtxid } from '../../shared/model/ids.js';
import { type OutPoint, type OutPointKey, outPointKey } from '../../shared/model/outpoint.js';
import type { Transaction, TransferBody } from '../../shared/model/transaction.js';

/** How much waits at most. */
export interface RoomLimits {
  /** Transactions, each counted once for every source that named it. */
  readonly places: number;
  /** Memory, counted likewise. */
  readonly bytes: number;
  /** Memory of one transaction. */
  readonly each: number;
  /** How long a transaction waits, in milliseconds. */
  readonly stay: number;
  /** How many steps above a transaction that somebody named its ancestors are sought: no longer chain may wait anyway. */
  readonly depth: number;
}

/** With 33 peers, as many as a node usually has, each has 90 places and one transaction of the largest size for certain. */
export const ROOM_LIMITS: RoomLimits = { places: 3_000, bytes: 8_000_000, each: 200_000, stay: 5 * 60_000, depth: 25 };

/** Memory that a transaction takes beside its raw bytes, and for each input and output: measured, and rounded up. */
const BYTES_EACH = 2_000;
const BYTES_PER_INPUT = 900;
const BYTES_PER_OUTPUT = 250;

/** A transaction that waits for others. */
export interface Orphan<Source> {
  readonly transaction: Transaction<TransferBody>;
  /** Whoever handed over its body first, and answers for its signatures. */
  readonly sender: Source;
  /** How many steps it is above one that was named to us. */
  readonly depth: number;
}

interface Place<Source> extends Orphan<Source> {
  depth: number;
  readonly since: number;
  readonly bytes: number;
  readonly sources: Set<Source>;
  readonly missing: Set<TxId>;
}

/** What one source has in the room. */
interface Share {
  /** The oldest first. */
  readonly wtxids: Set<Wtxid>;
  bytes: number;
}

/** What comes to wait, and from whom. */
export interface Newcomer<Source> extends Orphan<Source> {
  /** The transactions that it spends from and that are not known here. */
  readonly missing: ReadonlySet<TxId>;
}

/**
 * Transactions whose parents are not known here, by wtxid, with whoever named them. Pure bookkeeping; time is an argument.
 *
 * Bound: `RoomLimits`. A place counts against every source that named its transaction; where there is too much, whoever has
 * the most gives up what it has had here for longest. So a source with no more than an equal part of the room loses
 * nothing, whatever the others send (as in Bitcoin Core 30, PR 31829), and nobody can push out what another has named as
 * well. Every step costs what it looks at, and each eviction a look at all sources, who are peers, and few.
 */
export class WaitingRoom<Source> {
  readonly #limits: RoomLimits;
  /** The oldest first. */
  readonly #places = new Map<Wtxid, Place<Source>>();
  readonly #forms = new Map<TxId, Set<Wtxid>>();
  readonly #byParent = new Map<TxId, Set<Wtxid>>();
  readonly #bySpent = new Map<OutPointKey, Set<Wtxid>>();
  readonly #shares = new Map<Source, Share>();
  #taken = 0;
  #bytes = 0;

  constructor(limits: RoomLimits = ROOM_LIMITS) {
    this.#limits = limits;
  }

  /** How many transactions wait. */
  get count(): number {
    return this.#places.size;
  }

  /** Places taken, and memory, each as often as there are sources. */
  get load(): { readonly places: number; readonly bytes: number } {
    return { places: this.#taken, bytes: this.#bytes };
  }

  get(wtxid: Wtxid): Orphan<Source> | undefined {
    return this.#places.get(wtxid);
  }

  /** Whether a transaction waits, under whatever signatures. */
  holds(txid: TxId): boolean {
    return this.#forms.has(txid);
  }

  /** Whoever named a transaction. */
  sourcesOf(wtxid: Wtxid): Source[] {
    return [...(this.#places.get(wtxid)?.sources ?? [])];
  }

  /** What a transaction waits for. */
  missingOf(wtxid: Wtxid): TxId[] {
    return [...(this.#places.get(wtxid)?.missing ?? [])];
  }

  /** What waits for a transaction, the oldest first. */
  childrenOf(parent: TxId): Orphan<Source>[] {
    return [...(this.#byParent.get(parent) ?? [])].flatMap((wtxid) => this.#places.get(wtxid) ?? []);
  }

  /** Takes in a transaction, or notes what one that waits already is missing by now. Answers whether it waits. */
  add(newcomer: Newcomer<Source>, now: number): boolean {
    this.expire(now);
    const { transaction, missing, sender } = newcomer;
    const { wtxid, txid } = transaction;
    const before = this.#places.get(wtxid);
    const bytes = before?.bytes ?? bytesOf(transaction);
    if (missing.size === 0 || bytes > this.#limits.each || newcomer.depth > this.#limits.depth) return false;
    if (before === undefined) {
      this.#places.set(wtxid, { ...newcomer, missing: new Set(), sources: new Set(), since: now, bytes });
      addTo(this.#forms, txid, wtxid);
      for (const input of transaction.body.inputs) addTo(this.#bySpent, outPointKey(input), wtxid);
    }
    const place = this.#places.get(wtxid);
    for (const parent of place?.missing ?? []) removeFrom(this.#byParent, parent, wtxid);
    place?.missing.clear();
    for (const parent of missing) {
      place?.missing.add(parent);
      addTo(this.#byParent, parent, wtxid);
    }
    if (before === undefined) this.#join(wtxid, sender);
    return this.#places.has(wtxid);
  }

  /** A source has a transaction that waits here. Answers whether that is news. */
  named(wtxid: Wtxid, source: Source): boolean {
    const place = this.#places.get(wtxid);
    if (place === undefined) return false;
    // Whoever builds a high tower on another's transaction must not keep its ancestors from being sought.
    place.depth = 0;
    return this.#join(wtxid, source);
  }

  #join(wtxid: Wtxid, source: Source): boolean {
    const place = this.#places.get(wtxid);
    if (place === undefined || place.sources.has(source)) return false;
    place.sources.add(source);
    const share = this.#shares.get(source) ?? { wtxids: new Set(), bytes: 0 };
    this.#shares.set(source, share);
    share.wtxids.add(wtxid);
    share.bytes += place.bytes;
    this.#taken += 1;
    this.#bytes += place.bytes;
    while (this.#taken > this.#limits.places || this.#bytes > this.#limits.bytes) this.#evictOne();
    return this.#places.has(wtxid);
  }

  /** A transaction is known here. Answers which of those that waited for it have nothing left to wait for. */
  came(parent: TxId): Wtxid[] {
    const children = [...(this.#byParent.get(parent) ?? [])];
    this.#byParent.delete(parent);
    return children.filter((wtxid) => {
      const missing = this.#places.get(wtxid)?.missing;
      missing?.delete(parent);
      return missing?.size === 0;
    });
  }

  /** A coin is spent for good: whatever would spend it, too, goes. */
  spent(outpoint: OutPoint): void {
    for (const wtxid of [...(this.#bySpent.get(outPointKey(outpoint)) ?? [])]) this.remove(wtxid);
  }

  /** A transaction waits no longer. */
  remove(wtxid: Wtxid): void {
    for (const source of this.sourcesOf(wtxid)) this.#leave(wtxid, source);
  }

  /** A source is gone, and what nobody else has named goes with it. */
  dropped(source: Source): void {
    for (const wtxid of [...(this.#shares.get(source)?.wtxids ?? [])]) this.#leave(wtxid, source);
  }

  /** What has waited for too long goes. */
  expire(now: number): void {
    for (const [wtxid, { since }] of this.#places) {
      if (since + this.#limits.stay > now) return;
      this.remove(wtxid);
    }
  }

  /** How many steps above what was named a parent is that is missing here; 0 where nothing waits for it. */
  depthOf(parent: TxId): number {
    let least = Number.POSITIVE_INFINITY;
    for (const wtxid of this.#byParent.get(parent) ?? []) {
      least = Math.min(least, this.#places.get(wtxid)?.depth ?? least);
      // Thousands may wait for one parent, and each of them asks.
      if (least === 0) break;
    }
    return Number.isFinite(least) ? least + 1 : 0;
  }

  #evictOne(): void {
    let most = 0;
    let heaviest: Source | undefined;
    for (const [source, { wtxids, bytes }] of this.#shares) {
      const part = Math.max(wtxids.size / this.#limits.places, bytes / this.#limits.bytes);
      if (part <= most) continue;
      most = part;
      heaviest = source;
    }
    if (heaviest === undefined) throw new Error('the waiting room is full, and nobody has anything in it');
    const [oldest] = this.#shares.get(heaviest)?.wtxids ?? [];
    if (oldest !== undefined) this.#leave(oldest, heaviest);
  }

  /** A source gives up its part in a transaction; the last one takes it along. */
  #leave(wtxid: Wtxid, source: Source): void {
    const place = this.#places.get(wtxid);
    const share = this.#shares.get(source);
    if (place === undefined || share === undefined || !place.sources.delete(source)) return;
    share.wtxids.delete(wtxid);
    share.bytes -= place.bytes;
    if (share.wtxids.size === 0) this.#shares.delete(source);
    this.#taken -= 1;
    this.#bytes -= place.bytes;
    if (place.sources.size > 0) return;
    this.#places.delete(wtxid);
    const { txid, body } = place.transaction;
    removeFrom(this.#forms, txid, wtxid);
    for (const parent of place.missing) removeFrom(this.#byParent, parent, wtxid);
    for (const input of body.inputs) removeFrom(this.#bySpent, outPointKey(input), wtxid);
  }
}

function bytesOf({ raw, body }: Transaction<TransferBody>): number {
  return BYTES_EACH + raw.length + BYTES_PER_INPUT * body.inputs.length + BYTES_PER_OUTPUT * body.outputs.length;
}

function addTo<Key>(index: Map<Key, Set<Wtxid>>, key: Key, wtxid: Wtxid): void {
  const set = index.get(key) ?? new Set();
  index.set(key, set);
  set.add(wtxid);
}

function removeFrom<Key>(index: Map<Key, Set<Wtxid>>, key: Key, wtxid: Wtxid): void {
  const set = index.get(key);
  set?.delete(wtxid);
  if (set?.size === 0) index.delete(key);
}
