import { type Stats, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TrestleError } from '../../shared/errors.js';
import { DATA_FILE } from './dataFile.js';
import type { Write } from './kv.js';

/** Bytes that stay free beside what a commit may take: the files of a new environment, and what others write meanwhile. */
const SPARE_BYTES = 131_072;
/** Pages that one changed key can take: LMDB copies its leaf and the branches above, and splits some. */
const PAGES_A_WRITE = 4;
const PAGE_BYTES = 4_096;

/**
 * Refuses a commit that may not find room, before LMDB sees it. LMDB (lmdb-js 3.5.6, `mdb_page_flush`) must not meet a
 * full disk: a write that fails there is described in a buffer of 100 bytes that the words do not always fit into, which
 * breaks the heap and in time ends the process; and one that is cut short is called an input/output error.
 */
export function requireRoom(directory: string, batch: readonly Write[]): void {
  const written = batch.reduce((sum, write) => sum + (write.kind === 'put' ? write.value.length : 0), 0);
  // However many keys change, LMDB copies no more than the whole file.
  const copied = Math.min(batch.length * PAGES_A_WRITE * PAGE_BYTES, find(join(directory, DATA_FILE))?.size ?? 0);
  requireBytes(directory, 2 * written + copied);
}

/**
 * Refuses to make a new environment where there may be no room for its files. The lock file is memory that other
 * processes share: where it finds no block on the disk, touching it ends the process by a signal.
 */
export function requireRoomToOpen(directory: string): void {
  const files = [DATA_FILE, 'lock.mdb'].map((name) => find(join(directory, name)));
  if (files.some((file) => file === undefined || file.blocks === 0)) requireBytes(directory, 0);
}

function requireBytes(directory: string, bytes: number): void {
  let at = directory;
  while (find(at) === undefined && at !== dirname(at)) at = dirname(at);
  const { blocks, bavail, bsize } = statfsSync(at);
  // A file system without blocks does not tell how much room there is.
  if (blocks > 0 && bavail * bsize < bytes + SPARE_BYTES) throw new TrestleError({ code: 'store-full', directory });
}

function find(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}
