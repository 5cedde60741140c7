import { closeSync, constants, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { checksum } from './checksum.js';

/**
 * A small file beside LMDB's own that says what the data file cannot: that there has to be one, whose it is, and whether
 * the last process ended it properly.
 */
export const MARKER_FILE = 'state';
/** Always that long and written over in place, within one sector of a disk: it needs no room on a disk that is full. */
const MARKER_BYTES = 512;

/** What a store was when it was last closed. */
export interface Closed {
  /** Bytes of the data file. */
  readonly bytes: number;
  /** Checksum of its two meta pages, on which LMDB itself has none. */
  readonly metaChecksum: number;
}

/** What the marker says. */
export interface Marker {
  /** The version of how rows are kept in LMDB, not of what they hold. */
  readonly format: number;
  /** Whose store it is, in one line. */
  readonly owner: string;
  /** `null` while a process has it open, and for ever after if that process died. */
  readonly closed: Closed | null;
}

/** The marker of a store: `undefined` where there is none, `damaged` where it is not what was written. */
export function readMarker(directory: string): Marker | undefined | 'damaged' {
  let descriptor: number;
  try {
    descriptor = openSync(join(directory, MARKER_FILE), 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const buffer = Buffer.alloc(MARKER_BYTES);
    readSync(descriptor, buffer, 0, MARKER_BYTES, 0);
    return parseMarker(buffer.toString('utf8')) ?? 'damaged';
  } finally {
    closeSync(descriptor);
  }
}

/** Writes the marker of a store, and waits for the disk where that is asked for. */
export function writeMarker(directory: string, marker: Marker, options: { readonly synced: boolean }): void {
  const { format, owner, closed } = marker;
  const fields = [String(format), owner, closed === null ? 'open' : `${closed.bytes} ${closed.metaChecksum}`];
  const text = fields.join('\n');
  const line = `${text}\n${checksum(Buffer.from(text))}\n`.padEnd(MARKER_BYTES);
  // Not emptied first: a kill between the two would leave nothing.
  const descriptor = openSync(join(directory, MARKER_FILE), constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    writeSync(descriptor, line, 0);
    if (options.synced) fdatasyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function parseMarker(text: string): Marker | undefined {
  const [format = '', owner = '', closed = '', sum = ''] = text.split('\n');
  if (sum !== String(checksum(Buffer.from([format, owner, closed].join('\n'))))) return undefined;
  const [bytes, metaChecksum] = closed.split(' ').map(Number);
  const isClosed = bytes !== undefined && metaChecksum !== undefined;
  return { format: Number(format), owner, closed: isClosed ? { bytes, metaChecksum } : null };
}
