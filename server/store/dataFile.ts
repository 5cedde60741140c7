import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKSUM_BYTES } from './checksum.js';

/**
 * LMDB's own file format, as far as it has to be read without LMDB: lmdb-js 3.5 with data version 2 on 64-bit machines,
 * `MDB_page_header`, `MDB_meta`, `MDB_db` and `MDB_node` in its mdb.c. Numbers are little-endian on all our platforms.
 * LMDB trusts its file: a bad page number there is a read past the map, which ends the process by a signal.
 */
export const DATA_FILE = 'data.mdb';
/** Bytes before what a page holds: number, transaction, padding, flags, bounds. */
export const PAGE_HEADER = 24;
/** Bytes of a node before its key. */
export const NODE_HEADER = 8;
/** What a large value leaves in its leaf: first page, transaction, count of pages. */
const OVERFLOW_REFERENCE = 24;
/** A tree without pages. */
export const NO_PAGE = 0xffff_ffff_ffff_ffffn;
/** The kinds of pages. */
export const PAGE_FLAGS = { branch: 1, leaf: 2, overflow: 4, meta: 8 } as const;
/** A node whose value lies on pages of its own. */
export const NODE_BIG = 1;

const MAGIC = 0xbeef_c0de;
const DATA_VERSION = 2;
const SMALLEST_PAGE = 512;
const LARGEST_PAGE = 65_536;
const META_BYTES = PAGE_HEADER + 144;

/** One tree: how many pages of each kind, how many rows, and where it begins. */
export interface TreeRecord {
  readonly flags: number;
  readonly depth: number;
  readonly branches: number;
  readonly leaves: number;
  readonly overflows: number;
  readonly entries: number;
  readonly root: bigint;
}

/** One of the two pages that say where everything is. Commits write them in turn. */
export interface MetaPage {
  readonly pageSize: number;
  readonly mapSize: number;
  readonly free: TreeRecord;
  readonly main: TreeRecord;
  readonly lastPage: number;
  readonly transaction: number;
}

/** The data file of an environment that nobody has open, read as bytes. */
export class DataFile {
  readonly path: string;
  readonly bytes: number;
  readonly #descriptor: number;

  constructor(directory: string) {
    this.path = join(directory, DATA_FILE);
    this.#descriptor = openSync(this.path, 'r');
    this.bytes = fstatSync(this.#descriptor).size;
  }

  /** `length` bytes from a position, or `undefined` where the file is too short. */
  read(position: number, length: number): Buffer | undefined {
    if (position + length > this.bytes) return undefined;
    const buffer = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const read = readSync(this.#descriptor, buffer, done, length - done, position + done);
      if (read === 0) return undefined;
      done += read;
    }
    return buffer;
  }

  /** A meta page, or what is wrong with it. */
  meta(position: number): MetaPage | string {
    const page = this.read(position, META_BYTES);
    if (page === undefined) return 'the file is too short';
    if (page.readUInt16LE(18) !== PAGE_FLAGS.meta) return 'page flags';
    const meta = page.subarray(PAGE_HEADER);
    if (meta.readUInt32LE(0) !== MAGIC) return 'magic number';
    if (meta.readUInt32LE(4) !== DATA_VERSION) return 'format version';
    const pageSize = meta.readUInt32LE(24);
    const isPower = (pageSize & (pageSize - 1)) === 0;
    if (pageSize < SMALLEST_PAGE || pageSize > LARGEST_PAGE || !isPower) return 'page size';
    return {
      pageSize,
      mapSize: u64(meta, 16),
      free: treeRecord(meta.subarray(24)),
      main: treeRecord(meta.subarray(72)),
      lastPage: u64(meta, 120),
      transaction: u64(meta, 128),
    };
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** A number of eight bytes; above 2^53 it is no longer exact, and out of every bound that it is held against. */
export function u64(buffer: Buffer, offset: number): number {
  return Number(buffer.readBigUInt64LE(offset));
}

/** How many pages a large value takes. */
function overflowPages(valueBytes: number, pageSize: number): number {
  return Math.floor((PAGE_HEADER - 1 + valueBytes) / pageSize) + 1;
}

/** Where the nodes of a branch or leaf page begin, in the order of their keys; `undefined` where its bounds make no sense. */
export function nodeOffsets(page: Buffer): number[] | undefined {
  const [lower, upper] = [page.readUInt16LE(20), page.readUInt16LE(22)];
  const room = page.length - PAGE_HEADER;
  if (lower % 2 !== 0 || lower > upper || upper > room) return undefined;
  const offsets: number[] = [];
  for (let at = PAGE_HEADER; at < PAGE_HEADER + lower; at += 2) {
    const offset = page.readUInt16LE(at) + PAGE_HEADER;
    if (offset < PAGE_HEADER + upper || offset + NODE_HEADER > page.length) return undefined;
    offsets.push(offset);
  }
  return offsets;
}

/** A leaf's node: its key, the size of its value, and where that begins in the page or which page it begins on. */
export interface LeafNode {
  readonly key: Buffer;
  readonly valueBytes: number;
  readonly flags: number;
  /** Bytes of the node within its leaf. */
  readonly size: number;
  /** The value, or the reference to the pages that hold it. */
  readonly content: Buffer;
}

/** Reads a leaf's node; `undefined` where it does not fit its page. */
export function leafNode(page: Buffer, offset: number): LeafNode | undefined {
  const valueBytes = page.readUInt16LE(offset) + page.readUInt16LE(offset + 2) * 65_536;
  const flags = page.readUInt16LE(offset + 4);
  const keyBytes = page.readUInt16LE(offset + 6);
  const contentBytes = flags === NODE_BIG ? OVERFLOW_REFERENCE : valueBytes;
  const content = offset + NODE_HEADER + keyBytes;
  const size = NODE_HEADER + keyBytes + contentBytes;
  if (offset + size > page.length) return undefined;
  const key = page.subarray(offset + NODE_HEADER, content);
  return { key, valueBytes, flags, size: size + (size % 2), content: page.subarray(content, content + contentBytes) };
}

/** The value of a large row from its pages; `undefined` where they do not say that they are its own. */
export function largeValue(file: DataFile, { content, valueBytes }: LeafNode, pageSize: number): Buffer | undefined {
  const [first, pages] = [u64(content, 0), u64(content, 16)];
  // A value that a later write of the same commit made shorter keeps all its pages.
  if (valueBytes < CHECKSUM_BYTES || pages < overflowPages(valueBytes, pageSize)) return undefined;
  const all = file.read(first * pageSize, PAGE_HEADER + valueBytes);
  if (all === undefined || u64(all, 0) !== first) return undefined;
  if (all.readUInt16LE(18) !== PAGE_FLAGS.overflow || all.readUInt32LE(20) !== pages) return undefined;
  return all.subarray(PAGE_HEADER);
}

function treeRecord(bytes: Buffer): TreeRecord {
  return {
    flags: bytes.readUInt16LE(4),
    depth: bytes.readUInt16LE(6),
    branches: u64(bytes, 8),
    leaves: u64(bytes, 16),
    overflows: u64(bytes, 24),
    entries: u64(bytes, 32),
    root: bytes.readBigUInt64LE(40),
  };
}
