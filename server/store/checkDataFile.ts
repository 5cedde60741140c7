import { isSealed } from './checksum.js';
import {
  DataFile,
  type LeafNode,
  largeValue,
  leafNode,
  type MetaPage,
  NO_PAGE,
  NODE_BIG,
  NODE_HEADER,
  nodeOffsets,
  PAGE_FLAGS,
  PAGE_HEADER,
  type TreeRecord,
  u64,
} from './dataFile.js';
import { PageSet } from './pageSet.js';

/** Pages looked at between two reports of progress. */
const STEP_PAGES = 4_096;
/** No tree is that deep: it would have more pages than a file can. */
const MAX_DEPTH = 32;
/** A map larger than any disk is a flipped bit. */
const LARGEST_MAP = 2 ** 46;
/** Flags of the tree of free pages (its keys are integers), and of the main tree. */
const FREE_FLAGS = 8;
const MAIN_FLAGS = 0;

/** What a check comes upon: how far it is, or damage, with the key where the tree is whole and only a row is not. */
export type Finding =
  | { readonly kind: 'progress'; readonly pages: number; readonly of: number }
  | { readonly kind: 'damage'; readonly detail: string; readonly key: Buffer | undefined };

/**
 * Reads the whole data file of an environment that nobody has open, and names what is damaged: without LMDB, which trusts
 * its file and would be killed by what this finds. It follows every page of both trees from the newest meta page: numbers
 * and kinds of pages, the room of their nodes, the order of keys between the bounds that the branches above set, the
 * counts in the meta page, that no page is used twice or both used and free, and the checksum of every row. So a row can
 * neither be changed nor lost nor hidden by a changed byte; what such a byte leaves whole is not used by anything.
 *
 * Memory: two bits for each page of the file, and one page for each level.
 */
export function* checkDataFile(directory: string): Generator<Finding> {
  const file = new DataFile(directory);
  try {
    const meta = newestMeta(file);
    if (typeof meta === 'string') yield damage(meta);
    else yield* new Walk(file, meta).run();
  } finally {
    file.close();
  }
}

/** The meta page that LMDB would go by; or what is wrong with either. */
export function newestMeta(file: DataFile): MetaPage | string {
  const first = file.meta(0);
  if (typeof first === 'string') return `meta page 0: ${first}`;
  const second = file.meta(first.pageSize);
  if (typeof second === 'string') return `meta page 1: ${second}`;
  const metas = [first, second];
  for (const [number, { pageSize, mapSize, lastPage, transaction, free, main }] of metas.entries()) {
    const where = `meta page ${number}`;
    if (pageSize !== first.pageSize) return `${where}: page size`;
    if (free.flags !== FREE_FLAGS || main.flags !== MAIN_FLAGS) return `${where}: flags of a tree`;
    if (!(mapSize <= LARGEST_MAP) || mapSize % pageSize !== 0) return `${where}: size of the map`;
    if (lastPage < 1 || (lastPage + 1) * pageSize > mapSize) return `${where}: last page`;
    // Commits write them in turn, and with each the root of a tree. Any other number would have LMDB go back to an older
    // state. (The pages that the older one leads to are not used again before the next commit.)
    const stamps = [free.root, main.root].map((root) => stampOf(file, root, pageSize));
    if (transaction !== Math.max(...stamps) || (transaction !== 0 && transaction % 2 !== number))
      return `${where}: transaction number`;
  }
  if (Math.abs(first.transaction - second.transaction) > 1) return 'meta pages: transaction numbers';
  return second.transaction > first.transaction ? second : first;
}

/** The transaction that wrote a root. */
function stampOf(file: DataFile, root: bigint, pageSize: number): number {
  const page = root === NO_PAGE ? undefined : file.read(Number(root) * pageSize, PAGE_HEADER);
  return page === undefined ? 0 : u64(page, 8);
}

/** Keys that a branch leaves to a child: from `low` up to but not with `high`; open where `undefined`. */
interface Bounds {
  readonly low: Buffer | undefined;
  readonly high: Buffer | undefined;
}

interface Counts {
  branches: number;
  leaves: number;
  overflows: number;
  entries: number;
}

interface Tree {
  readonly name: string;
  readonly record: TreeRecord;
  readonly counts: Counts;
  readonly compare: (a: Buffer, b: Buffer) => number;
  readonly checkRow: (node: LeafNode, value: Buffer) => Generator<Finding>;
}

class Walk {
  readonly #file: DataFile;
  readonly #meta: MetaPage;
  readonly #used: PageSet;
  readonly #free: PageSet;
  #pages = 2;
  #reportAt = STEP_PAGES;
  #isWhole = true;

  constructor(file: DataFile, meta: MetaPage) {
    this.#file = file;
    this.#meta = meta;
    this.#used = new PageSet(meta.lastPage + 1);
    this.#free = new PageSet(meta.lastPage + 1);
  }

  *run(): Generator<Finding> {
    const { main, free } = this.#meta;
    yield* this.#tree({
      name: 'rows',
      record: main,
      counts: { branches: 0, leaves: 0, overflows: 0, entries: 0 },
      compare: Buffer.compare,
      checkRow: function* ({ key }, value) {
        if (!isSealed(key, value)) yield { kind: 'damage', detail: 'the checksum of a row is wrong', key };
      },
    });
    const noteFree = (value: Buffer) => this.#noteFree(value);
    yield* this.#tree({
      name: 'free pages',
      record: free,
      counts: { branches: 0, leaves: 0, overflows: 0, entries: 0 },
      compare: (a, b) => (a.length === 8 && b.length === 8 ? u64(a, 0) - u64(b, 0) : 0),
      checkRow: function* (_node, value) {
        yield* noteFree(value);
      },
    });
    if (!this.#isWhole) return;
    // A page that is both would be written over by the next commit.
    const twice = this.#used.sharedWith(this.#free);
    if (twice >= 0) yield* this.#broken(`pages ${twice} to ${twice + 7}: in use and free at once`);
  }

  *#tree(tree: Tree): Generator<Finding> {
    const { name, record, counts } = tree;
    if (record.root === NO_PAGE) {
      if (record.entries !== 0 || record.depth !== 0) yield* this.#broken(`${name}: rows, but no root`);
      return;
    }
    if (record.depth < 1 || record.depth > MAX_DEPTH) return yield* this.#broken(`${name}: depth of the tree`);
    yield* this.#page(tree, { number: Number(record.root), level: 1, bounds: { low: undefined, high: undefined } });
    if (!this.#isWhole) return;
    for (const what of ['branches', 'leaves', 'overflows', 'entries'] as const)
      if (counts[what] !== record[what])
        yield* this.#broken(`${name}: ${counts[what]} ${what}, but ${record[what]} were counted`);
  }

  *#page(tree: Tree, at: { number: number; level: number; bounds: Bounds }): Generator<Finding> {
    const { number, level, bounds } = at;
    const { pageSize } = this.#meta;
    const isLeaf = level === tree.record.depth;
    const where = `page ${number}`;
    if (!this.#take(number, 1)) return yield* this.#broken(`${where}: used twice, or not there`);
    const page = this.#file.read(number * pageSize, pageSize);
    if (page === undefined) return yield* this.#broken(`${where}: beyond the end of the file`);
    if (u64(page, 0) !== number) return yield* this.#broken(`${where}: another number`);
    if (u64(page, 8) > this.#meta.transaction) return yield* this.#broken(`${where}: from a later transaction`);
    if (page.readUInt16LE(18) !== (isLeaf ? PAGE_FLAGS.leaf : PAGE_FLAGS.branch))
      return yield* this.#broken(`${where}: another kind`);
    const offsets = nodeOffsets(page);
    if (offsets === undefined || offsets.length === 0) return yield* this.#broken(`${where}: bounds`);
    if (isLeaf) {
      tree.counts.leaves += 1;
      yield* this.#leaf(tree, { page, where, offsets, bounds });
    } else {
      tree.counts.branches += 1;
      yield* this.#branch(tree, { page, where, offsets, bounds, level });
    }
    if (this.#pages < this.#reportAt) return;
    this.#reportAt = this.#pages + STEP_PAGES;
    yield { kind: 'progress', pages: this.#pages, of: this.#meta.lastPage + 1 };
  }

  *#leaf(tree: Tree, { page, where, offsets, bounds }: PageParts): Generator<Finding> {
    let before = bounds.low;
    let filled = 0;
    for (const offset of offsets) {
      const node = leafNode(page, offset);
      if (node === undefined || node.flags > NODE_BIG) return yield* this.#broken(`${where}: a row beyond the page`);
      const { key, size, flags, content } = node;
      // The first key may be the very bound that the branch names.
      const order = before === undefined ? 1 : tree.compare(key, before);
      if (order < 0 || (order === 0 && filled > 0) || !isBelow(tree, key, bounds.high))
        return yield* this.#broken(`${where}: keys out of order`);
      before = key;
      filled += size;
      tree.counts.entries += 1;
      const value = flags === NODE_BIG ? yield* this.#large(tree, node, where) : content;
      if (value !== undefined) yield* tree.checkRow(node, value);
    }
    if (filled !== filledBytes(page)) yield* this.#broken(`${where}: rows that lie over each other`);
  }

  *#branch(tree: Tree, { page, where, offsets, bounds, level }: PageParts & { level: number }): Generator<Finding> {
    const children: { number: number; low: Buffer | undefined }[] = [];
    let filled = 0;
    for (const offset of offsets) {
      const keyBytes = page.readUInt16LE(offset + 6);
      const end = offset + NODE_HEADER + keyBytes;
      if (end > page.length) return yield* this.#broken(`${where}: a key beyond the page`);
      // A page number of 48 bits, the highest in the place of a leaf's flags.
      const number = page.readUIntLE(offset, 6);
      const key = page.subarray(offset + NODE_HEADER, end);
      // What is below every other key has no key of its own.
      const isFirst = children.length === 0;
      const before = children.at(-1)?.low ?? bounds.low;
      if (!isFirst && before !== undefined && tree.compare(key, before) <= 0)
        return yield* this.#broken(`${where}: keys out of order`);
      if (!isFirst && !isBelow(tree, key, bounds.high)) return yield* this.#broken(`${where}: keys out of order`);
      children.push({ number, low: isFirst ? bounds.low : key });
      filled += end - offset + ((end - offset) % 2);
    }
    if (filled !== filledBytes(page)) return yield* this.#broken(`${where}: keys that lie over each other`);
    for (const [i, { number, low }] of children.entries()) {
      const high = children[i + 1]?.low ?? bounds.high;
      yield* this.#page(tree, { number, level: level + 1, bounds: { low, high } });
    }
  }

  *#large(tree: Tree, node: LeafNode, where: string): Generator<Finding, Buffer | undefined> {
    const [first, pages] = [u64(node.content, 0), u64(node.content, 16)];
    const value = largeValue(this.#file, node, this.#meta.pageSize);
    if (value === undefined || !this.#take(first, pages)) {
      yield* this.#broken(`${where}: the pages of a large row`);
      return undefined;
    }
    tree.counts.overflows += pages;
    return value;
  }

  /** A list of free pages: how many numbers follow; a negative one is the length of a run whose first page comes next. */
  *#noteFree(value: Buffer): Generator<Finding> {
    const count = value.length < 8 ? -1 : u64(value, 0);
    if (count < 0 || 8 * (count + 1) > value.length) return yield* this.#broken('free pages: length of a list');
    for (let i = 1; i <= count; i++) {
      const entry = Number(value.readBigInt64LE(8 * i));
      if (entry === 0) continue;
      const run = entry < 0 ? -entry : 1;
      if (entry < 0) i += 1;
      const first = entry < 0 && i <= count ? Number(value.readBigInt64LE(8 * i)) : entry;
      for (let page = first; page < first + run; page++) {
        if (!this.#isPage(page) || this.#free.has(page)) return yield* this.#broken(`free pages: page ${page}`);
        this.#free.add(page);
      }
    }
  }

  /** Notes pages as used; false where one is used already, or is none. */
  #take(first: number, count: number): boolean {
    if (!this.#isPage(first) || !this.#isPage(first + count - 1)) return false;
    for (let page = first; page < first + count; page++) {
      if (this.#used.has(page)) return false;
      this.#used.add(page);
    }
    this.#pages += count;
    return true;
  }

  #isPage(number: number): boolean {
    return Number.isSafeInteger(number) && number >= 2 && number <= this.#meta.lastPage;
  }

  *#broken(detail: string): Generator<Finding> {
    this.#isWhole = false;
    yield damage(detail);
  }
}

interface PageParts {
  readonly page: Buffer;
  readonly where: string;
  readonly offsets: readonly number[];
  readonly bounds: Bounds;
}

function damage(detail: string): Finding {
  return { kind: 'damage', detail, key: undefined };
}

function isBelow({ compare }: Tree, key: Buffer, high: Buffer | undefined): boolean {
  return high === undefined || compare(key, high) < 0;
}

/** Nodes fill a page from its end to the upper bound of what is free, without gaps. */
function filledBytes(page: Buffer): number {
  return page.length - PAGE_HEADER - page.readUInt16LE(22);
}
