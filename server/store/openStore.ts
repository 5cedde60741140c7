import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { genesisBlock } from '../../shared/consensus/genesis.js';
import type { NetworkParams } from '../../shared/consensus/params.js';
import { TrestleError } from '../../shared/errors.js';
import type { Clock, Logger } from '../ports.js';
import { checkDataFile } from './checkDataFile.js';
import { checksum } from './checksum.js';
import { DATA_FILE, DataFile } from './dataFile.js';
import type { Kv } from './kv.js';
import { lmdbKv } from './lmdbKv.js';
import { type Closed, type Marker, readMarker, writeMarker } from './marker.js';
import { asStoreFailure } from './storeFailure.js';

/** How rows are kept in LMDB: 2, each value followed by a checksum. (1 had none, and no marker.) */
export const STORE_FORMAT = 2;
/**
 * Up to this size a store is read through before it is opened, whatever its last process did: a quarter of a second. Above
 * it, only where the last process did not close it: a large store is not read through at each start for nothing.
 */
const ALWAYS_CHECKED_BYTES = 64 * 2 ** 20;

/** Between two lines of the log about reading a store through: a gigabyte, some seconds. */
const SAY_PAGES = 2 ** 18;

/** What a store is opened with. */
export interface OpenOptions {
  /** A directory of its own, in a data directory that this process has locked. */
  readonly directory: string;
  readonly synced: boolean;
  /** Whose store it is: the network's name and its genesis. */
  readonly owner: string;
  /** Whether what it holds may be lost: then a damaged one is put aside, and an empty one opened in its place. */
  readonly expendable: boolean;
  readonly log: Logger;
  readonly clock: Pick<Clock, 'yield'>;
  /** Told of damage that is met while the store is in use. */
  readonly onDamage: (damage: TrestleError) => void;
}

/**
 * Opens a durable store, making it where there is none. Throws `store-corrupt` where it is damaged, before LMDB, which
 * would be killed by that, has seen it; `store-network` or `store-version` where it is not ours to open.
 */
export async function openStore(options: OpenOptions): Promise<Kv> {
  const { directory } = options;
  try {
    rmSync(scratchOf(directory), { recursive: true, force: true });
    try {
      await examine(options);
    } catch (error) {
      if (!options.expendable || !(error instanceof TrestleError) || error.code !== 'store-corrupt') throw error;
      setAside(options, error);
    }
    return open(options);
  } catch (error) {
    throw asStoreFailure(error, directory) ?? error;
  }
}

/** Whose a network's stores are. */
export function ownerOf(params: NetworkParams): string {
  return `${params.name} ${genesisBlock(params).header.hash}`;
}

/** Where a store is made anew beside an old one. What is left there by a process that died means nothing. */
export function scratchOf(directory: string): string {
  return `${directory}.new`;
}

/** Looks at a store that nobody has open, as `openStore` does. What it throws is what is wrong. */
export async function examine(options: OpenOptions): Promise<void> {
  const { directory, expendable, log, clock } = options;
  const marker = readMarker(directory);
  const bytes = sizeOf(join(directory, DATA_FILE));
  if (marker === undefined && (bytes ?? 0) === 0) return;
  requireOwn(marker, options);
  if (bytes === undefined) throw damaged(directory, `${DATA_FILE} is missing`);
  const state = marker === 'damaged' ? undefined : marker;
  const fault = state === undefined ? undefined : closedFault(directory, state);
  if (fault !== undefined) throw damaged(directory, fault);
  const isClosed = state !== undefined && state.closed !== null;
  if (isClosed && bytes > ALWAYS_CHECKED_BYTES && !expendable) return;
  if (!isClosed) log.info('the store was not closed properly, so it is read through', { directory, bytes });
  let sayAt = SAY_PAGES;
  for (const finding of checkDataFile(directory)) {
    if (finding.kind === 'progress') {
      const { pages, of } = finding;
      if (pages >= sayAt) log.info('reading the store through', { directory, pages, of });
      sayAt = Math.max(sayAt, pages - (pages % SAY_PAGES) + SAY_PAGES);
      await clock.yield();
      continue;
    }
    // Before there were checksums, there were no markers.
    if (marker === undefined && finding.key !== undefined)
      throw new TrestleError({ code: 'store-version', directory, found: 1, expected: STORE_FORMAT });
    throw damaged(directory, describe(finding.detail, finding.key));
  }
}

/**
 * Refuses a store of another format or another network. A marker that cannot be read says neither. Here is where an older
 * format would be brought up to this one, before LMDB opens it; what rows hold has a version of its own, which
 * `chain/openChain` checks.
 */
export function requireOwn(
  marker: Marker | undefined | 'damaged',
  { directory, owner }: Pick<OpenOptions, 'directory' | 'owner'>,
): void {
  if (marker === undefined || marker === 'damaged') return;
  const { format, owner: found } = marker;
  if (format !== STORE_FORMAT)
    throw new TrestleError({ code: 'store-version', directory, found: format, expected: STORE_FORMAT });
  if (found !== owner) throw new TrestleError({ code: 'store-network', directory, found, expected: owner });
}

/** What the data file is at this moment, for the marker; nobody has it open. */
export function closedState(directory: string): Closed {
  const file = new DataFile(directory);
  try {
    const first = file.meta(0);
    const pages = typeof first === 'string' ? undefined : file.read(0, 2 * first.pageSize);
    return { bytes: file.bytes, metaChecksum: pages === undefined ? 0 : checksum(pages) };
  } finally {
    file.close();
  }
}

/** Damage in words, with the row where it is one. */
function describe(detail: string, key: Buffer | undefined): string {
  return key === undefined ? detail : `${detail}: ${key.toString('hex')}`;
}

/** What is no longer as the last process left it, where that closed the store. */
export function closedFault(directory: string, { closed }: Marker): string | undefined {
  if (closed === null) return undefined;
  const now = closedState(directory);
  if (now.bytes !== closed.bytes)
    return `${DATA_FILE} has ${now.bytes} bytes, and had ${closed.bytes} when it was closed`;
  return now.metaChecksum === closed.metaChecksum ? undefined : 'the meta pages are not those it was closed with';
}

function setAside({ directory, log }: OpenOptions, damage: TrestleError): void {
  const aside = `${directory}.damaged`;
  rmSync(aside, { recursive: true, force: true });
  renameSync(directory, aside);
  log.warn('a store is damaged and was put aside; what it held is gathered again', { aside, why: damage.message });
}

function open({ directory, synced, owner, onDamage }: OpenOptions): Kv {
  const say = (closed: Closed | null): void =>
    writeMarker(directory, { format: STORE_FORMAT, owner, closed }, { synced });
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const isNew = (sizeOf(join(directory, DATA_FILE)) ?? 0) === 0;
  // In a new store the data file comes first: a marker without one means that it was lost.
  if (!isNew) say(null);
  let isDamaged = false;
  const kv = lmdbKv({
    directory,
    synced,
    onDamage: (damage) => {
      isDamaged = true;
      onDamage(damage);
    },
  });
  if (isNew) say(null);
  return {
    get: (key) => kv.get(key),
    range: (range) => kv.range(range),
    commit: (batch) => kv.commit(batch),
    async close() {
      await kv.close();
      // Damage that was met is for the next start to find, by reading everything.
      if (!isDamaged) say(closedState(directory));
    },
  };
}

function sizeOf(file: string): number | undefined {
  return existsSync(file) ? statSync(file).size : undefined;
}

function damaged(directory: string, detail: string): TrestleError {
  return new TrestleError({ code: 'store-corrupt', detail: `${directory}: ${detail}` });
}
