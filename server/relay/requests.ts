/**
 * Items that one peer may have noted for itself. More are not noted: synchronization finds what was missed. Each peer has
 * a share of its own, so that one which announces what there is not, by the million, takes nobody else's place.
 */
export const MAX_OF_SOURCE = 2_000;
/** Peers noted for each item. */
const MAX_SOURCES = 8;

/** What to ask of whom. */
export interface Request<Item, Source> {
  readonly source: Source;
  readonly items: readonly Item[];
}

interface Want<Source> {
  /** Peers that announced the item and have not been asked yet. */
  readonly sources: Source[];
  /** The peer that has been asked. */
  asked: Source | undefined;
}

/**
 * Whom to ask for what. Each item is asked of one peer at a time; a peer that fails to deliver is not asked for it
 * again, and the next one that announced it is. Pure bookkeeping: it neither waits nor calls.
 */
export class Requests<Item, Source> {
  readonly #wants = new Map<Item, Want<Source>>();
  /** For how many items each source is noted, be it asked or not. */
  readonly #shares = new Map<Source, number>();

  get size(): number {
    return this.#wants.size;
  }

  /** Whether an item has been announced, and neither came nor was given up. */
  has(item: Item): boolean {
    return this.#wants.has(item);
  }

  /** A peer has announced an item that is wanted here. Answers whether that is noted. */
  announced(item: Item, source: Source): boolean {
    const want = this.#wants.get(item) ?? { sources: [], asked: undefined };
    if (want.asked === source || want.sources.includes(source)) return true;
    if (want.sources.length >= MAX_SOURCES || (this.#shares.get(source) ?? 0) >= MAX_OF_SOURCE) return false;
    want.sources.push(source);
    this.#wants.set(item, want);
    this.#count(source, 1);
    return true;
  }

  /** Peers that announced an item and have not been asked for it. */
  sourcesOf(item: Item): readonly Source[] {
    return [...(this.#wants.get(item)?.sources ?? [])];
  }

  /**
   * What to ask now, at most `batch` items of each peer, of those peers alone that are free; everything named counts as
   * asked.
   */
  next(batch: number, isFree: (source: Source) => boolean = () => true): Request<Item, Source>[] {
    const batches = new Map<Source, Item[]>();
    for (const [item, want] of this.#wants) {
      if (want.asked !== undefined) continue;
      const source = want.sources.find(isFree);
      if (source === undefined) continue;
      const items = batches.get(source) ?? [];
      if (items.length >= batch) continue;
      batches.set(source, items);
      items.push(item);
      want.sources.splice(want.sources.indexOf(source), 1);
      want.asked = source;
    }
    return Array.from(batches, ([source, items]) => ({ source, items }));
  }

  /** The item came, or is no longer wanted. */
  done(item: Item): void {
    const want = this.#wants.get(item);
    if (want === undefined) return;
    this.#wants.delete(item);
    for (const source of want.sources) this.#count(source, -1);
    if (want.asked !== undefined) this.#count(want.asked, -1);
  }

  /** The peer that was asked did not deliver: the next one gets its turn, or the item is given up. */
  failed(item: Item, source: Source): void {
    const want = this.#wants.get(item);
    if (want === undefined || want.asked !== source) return;
    want.asked = undefined;
    this.#count(source, -1);
    if (want.sources.length === 0) this.#wants.delete(item);
  }

  /** A peer is gone: nothing more will come from it. */
  dropped(source: Source): void {
    for (const [item, want] of [...this.#wants]) {
      const position = want.sources.indexOf(source);
      if (position >= 0) want.sources.splice(position, 1);
      if (want.asked === source) want.asked = undefined;
      if (want.asked === undefined && want.sources.length === 0) this.#wants.delete(item);
    }
    this.#shares.delete(source);
  }

  #count(source: Source, by: 1 | -1): void {
    const share = (this.#shares.get(source) ?? 0) + by;
    if (share === 0) this.#shares.delete(source);
    else this.#shares.set(source, share);
  }
}
