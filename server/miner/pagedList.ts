/** Items of one page. A change copies one page and the list of pages: about 130 and 100 references in a full block. */
const PAGE = 128;

/** A list as it was when it was asked for, whatever happened to its origin since. */
export interface Snapshot<Item> extends Iterable<Item> {
  readonly length: number;
}

interface Page<Item> {
  readonly items: Item[];
  /** Whether a snapshot shows it: then it is copied before it is changed. */
  isShared: boolean;
}

/**
 * A list that is changed item by item and remembered as it was time and again: snapshots share the pages that did not
 * change between them, so that a thousand of them take little more than one.
 */
export class PagedList<Item> {
  readonly #pages: Page<Item>[] = [];
  #length = 0;
  #last: Snapshot<Item> | undefined;

  get length(): number {
    return this.#length;
  }

  at(index: number): Item | undefined {
    return this.#pages[Math.floor(index / PAGE)]?.items[index % PAGE];
  }

  set(index: number, item: Item): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.#length)
      throw new RangeError(`no item ${index} among ${this.#length}`);
    this.#own(Math.floor(index / PAGE)).items[index % PAGE] = item;
  }

  push(item: Item): void {
    this.#own(Math.floor(this.#length / PAGE)).items.push(item);
    this.#length += 1;
  }

  pop(): Item | undefined {
    if (this.#length === 0) return undefined;
    this.#length -= 1;
    const page = this.#own(Math.floor(this.#length / PAGE));
    const item = page.items.pop();
    if (page.items.length === 0) this.#pages.pop();
    return item;
  }

  snapshot(): Snapshot<Item> {
    if (this.#last !== undefined) return this.#last;
    for (const page of this.#pages) page.isShared = true;
    const pages = this.#pages.map(({ items }) => items);
    const length = this.#length;
    this.#last = {
      length,
      *[Symbol.iterator]() {
        for (const items of pages) yield* items;
      },
    };
    return this.#last;
  }

  /** A page that no snapshot shows. */
  #own(index: number): Page<Item> {
    this.#last = undefined;
    const page = this.#pages[index];
    if (page !== undefined && !page.isShared) return page;
    const own: Page<Item> = { items: page === undefined ? [] : [...page.items], isShared: false };
    this.#pages[index] = own;
    return own;
  }
}
