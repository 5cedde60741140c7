import { isSealed, openSeal } from '../store/checksum.js';
import { type DataFile, leafNode, NODE_BIG, nodeOffsets, PAGE_FLAGS, PAGE_HEADER, u64 } from '../store/dataFile.js';

/** Page sizes to try where the meta pages cannot be read: those of x86, of Apple's and of other ARM machines. */
const LIKELY_PAGES = [4_096, 16_384, 65_536, 8_192] as const;

/** A row that some page of a data file still holds, reachable or not. */
export interface FoundRow {
  readonly key: Buffer;
  /** Where the value with its seal stands in the file. */
  readonly position: number;
  readonly length: number;
  /** The transaction that wrote its page. */
  readonly transaction: number;
}

/**
 * Every row that any leaf of a data file holds, in the order of the file: without the tree above, which may be damaged,
 * and without LMDB, which would follow it. Pages of older states come too, and what merely looks like a page; so whoever
 * takes a row has to know by its content that it is one.
 */
export function* salvage(file: DataFile): Generator<FoundRow> {
  const pageSize = pageSizeOf(file);
  for (let start = 2 * pageSize; ; start += pageSize) {
    const page = file.read(start, pageSize);
    if (page === undefined) return;
    if (page.readUInt16LE(18) !== PAGE_FLAGS.leaf) continue;
    for (const offset of nodeOffsets(page) ?? []) {
      const node = leafNode(page, offset);
      if (node === undefined || node.flags > NODE_BIG) continue;
      const inPage = start + (node.content.byteOffset - page.byteOffset);
      const position = node.flags === NODE_BIG ? u64(node.content, 0) * pageSize + PAGE_HEADER : inPage;
      if (position + node.valueBytes > file.bytes) continue;
      yield { key: node.key, position, length: node.valueBytes, transaction: u64(page, 8) };
    }
  }
}

/** The value of a row whose checksum is right. */
export function sealedValue(file: DataFile, { key, position, length }: FoundRow): Uint8Array | undefined {
  const sealed = file.read(position, length);
  return sealed !== undefined && isSealed(key, sealed) ? openSeal(sealed) : undefined;
}

function pageSizeOf(file: DataFile): number {
  for (const position of [0, ...LIKELY_PAGES]) {
    const meta = file.meta(position);
    if (typeof meta !== 'string') return meta.pageSize;
  }
  return LIKELY_PAGES[0];
}
