import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { compareBytes, equalBytes } from '../../shared/bytes/compare.js';
import type { NetworkParams } from '../../shared/consensus/params.js';
import { TrestleError } from '../../shared/errors.js';
import { openChain } from '../chain/openChain.js';
import type { Clock, Logger, Signatures } from '../ports.js';
import { ChainStore } from '../store/chainStore.js';
import { checkDataFile } from '../store/checkDataFile.js';
import { DATA_FILE } from '../store/dataFile.js';
import type { Entry, Kv } from '../store/kv.js';
import { type HeaderRecord, layout, type Meta, SCHEMA_VERSION } from '../store/layout.js';
import { lmdbKv } from '../store/lmdbKv.js';
import { lockDirectory } from '../store/lock.js';
import { readMarker } from '../store/marker.js';
import { closedFault, ownerOf, requireOwn, scratchOf } from '../store/openStore.js';
import { decodeRow, keyBytes, rawRows, type Space } from '../store/space.js';
import { checkHeaders, sayWhy } from './checkHeaders.js';
import { type Difference, Differences } from './differences.js';
import { Progress } from './progress.js';
import { Recompute } from './recompute.js';

/** What verifying and repairing work with. */
export interface RepairParts {
  /** A node's data directory. */
  readonly dataDir: string;
  readonly params: NetworkParams;
  readonly signatures: Signatures;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a verification came to. */
export interface Verification {
  readonly height: number;
  readonly tip: string;
  /** Headers held against their parents, and blocks connected once more. */
  readonly headers: number;
  readonly blocks: number;
  /** Headers marked invalid or set aside. Why, the store does not know; the marks were taken as they are. */
  readonly marked: number;
  /** Whether a better block waits: a crash cut a change of branches short, and the next start goes on with it. */
  readonly unfinished: boolean;
  /** How many differences there are, in which spaces, and the first of them. */
  readonly total: number;
  readonly bySpace: Readonly<Record<string, number>>;
  readonly differences: readonly Difference[];
}

/** The spaces that follow from the blocks of the active chain, and the tips, which follow from the headers. */
const COMPARED = [
  layout.tips,
  layout.chain,
  layout.coin,
  layout.txIndex,
  layout.addressCoin,
  layout.addressHistory,
  layout.balance,
  layout.rich,
  layout.meta,
] as const;

/** The node's chain within its data directory. Throws `not-found` where there is none. */
export function chainDirectory(dataDir: string): string {
  const directory = join(dataDir, 'chain');
  if (existsSync(directory)) return directory;
  throw new TrestleError({ code: 'not-found', detail: `${directory}: no node has kept a chain there` });
}

/**
 * Computes a node's whole state again from its raw blocks and compares it with the stored one, row by row. The node must
 * not run. Memory stays flat: the new state is built in a temporary store beside the old one, which is only read.
 */
export async function verify(parts: RepairParts): Promise<Verification> {
  const { dataDir, params } = parts;
  const directory = chainDirectory(dataDir);
  const lock = await lockDirectory(dataDir);
  try {
    const differences = new Differences();
    const marker = readMarker(directory);
    requireOwn(marker, { directory, owner: ownerOf(params) });
    await readThrough(parts, directory, differences);
    const fault = marker === undefined || marker === 'damaged' ? undefined : closedFault(directory, marker);
    if (fault !== undefined) differences.file(fault);
    // LMDB would be killed by what has been found, or give back what is not so.
    if (differences.total > 0) return summary(differences, undefined);
    const scratch = scratchOf(directory);
    rmSync(scratch, { recursive: true, force: true });
    const [source, fresh] = [lmdbKv({ directory, synced: true }), lmdbKv({ directory: scratch, synced: false })];
    try {
      return await verifyRows({ ...parts, source, fresh, differences });
    } finally {
      await source.close();
      await fresh.close();
      rmSync(scratch, { recursive: true, force: true });
    }
  } finally {
    await lock.release();
  }
}

/** What comparing rows needs: any two stores will do. */
export interface RowParts extends Omit<RepairParts, 'dataDir'> {
  readonly source: Kv;
  /** An empty store for the state that is computed again. */
  readonly fresh: Kv;
  readonly differences?: Differences;
}

/** Verifies the rows of a store that can be read. */
export async function verifyRows(parts: RowParts): Promise<Verification> {
  const { params, signatures, clock, log, differences = new Differences() } = parts;
  const source = new ChainStore(parts.source);
  const progress = new Progress(clock, log);
  const directory = 'the temporary store';
  const opened = await openChain(parts.fresh, params, directory);
  const genesis = opened.genesis.header.hash;
  const meta = storedMeta(parts.source, differences);
  requireSame(meta, opened.meta);
  const check = { source, fresh: opened.store, params, genesis, differences, progress };
  const { best, headers, marked } = await checkHeaders(check);
  const tip = tipOf(source, meta, best);
  const recompute = new Recompute({ ...check, opened, signatures });
  if (tip !== undefined) {
    const isWhole = await prepared(recompute, tip, differences);
    if (isWhole && (await recompute.run(tip)))
      for (const space of COMPARED) await compareSpace(parts, space, differences);
    else log.warn('the state cannot be computed again, and was not compared', { found: differences.total });
  }
  checkTheRest(parts.source, differences);
  const unfinished = tip !== undefined && best !== undefined && (tip.invalid || best.work > tip.work);
  return { ...summary(differences, tip), headers, marked, unfinished, blocks: recompute.connected };
}

async function prepared(recompute: Recompute, tip: HeaderRecord, differences: Differences): Promise<boolean> {
  try {
    await recompute.prepare(tip);
    return true;
  } catch (error) {
    differences.row(keyBytes(layout.header, tip.header.hash), 'different', sayWhy(error));
    return false;
  }
}

function storedMeta(kv: Kv, differences: Differences): Meta | undefined {
  const key = keyBytes(layout.meta, null);
  const bytes = kv.get(key);
  const decoded = bytes === undefined ? undefined : decodeRow(layout.meta, [key, bytes]);
  if (decoded === undefined) differences.row(key, 'missing');
  else if (!decoded.ok) differences.row(key, 'unreadable', decoded.detail);
  return decoded?.ok ? decoded.value.value : undefined;
}

function requireSame(meta: Meta | undefined, expected: Meta): void {
  if (meta === undefined) return;
  const directory = 'the store';
  if (meta.schema !== SCHEMA_VERSION)
    throw new TrestleError({ code: 'store-version', directory, found: meta.schema, expected: SCHEMA_VERSION });
  if (meta.genesis !== expected.genesis)
    throw new TrestleError({ code: 'store-network', directory, found: meta.genesis, expected: expected.genesis });
}

/** The tip whose state the store should hold: the one it names, or where that cannot be, the best there is. */
function tipOf(source: ChainStore, meta: Meta | undefined, best: HeaderRecord | undefined): HeaderRecord | undefined {
  let stored: HeaderRecord | undefined;
  try {
    stored = meta === undefined ? undefined : source.header(meta.tip);
  } catch (error) {
    sayWhy(error);
  }
  return stored?.body == null ? best : stored;
}

/** Reads two stores side by side, and names the rows that only one has or that differ. */
async function compareSpace(
  { source, fresh, clock, log }: RowParts,
  space: (typeof COMPARED)[number],
  differences: Differences,
): Promise<void> {
  const progress = new Progress(clock, log);
  const [stored, computed] = [rawRows(source, space), rawRows(fresh, space)];
  let [a, b] = [next(stored), next(computed)];
  for (let rows = 0; a !== undefined || b !== undefined; rows++) {
    await progress.step(space.name, rows);
    const order = a === undefined ? 1 : b === undefined ? -1 : compareBytes(a[0], b[0]);
    if (order < 0 && a !== undefined) differences.row(a[0], 'unexpected');
    if (order > 0 && b !== undefined) differences.row(b[0], 'missing');
    if (order === 0 && a !== undefined && b !== undefined && !equalBytes(a[1], b[1]))
      differences.row(a[0], 'different');
    if (order <= 0) a = next(stored);
    if (order >= 0) b = next(computed);
  }
}

function next(rows: Generator<Entry>): Entry | undefined {
  const { value, done } = rows.next();
  return done ? undefined : value;
}

/** Peers and bans follow from nothing, so they only have to be readable; and there may be no row that no space knows. */
function checkTheRest(kv: Kv, differences: Differences): void {
  for (const row of rawRows(kv, layout.peer)) checkReadable(layout.peer, row, differences);
  for (const row of rawRows(kv, layout.book)) checkReadable(layout.book, row, differences);
  for (const row of rawRows(kv, layout.ban)) checkReadable(layout.ban, row, differences);
  const prefixes = Object.values(layout).map(({ prefix }) => prefix);
  const [first, past] = [Math.min(...prefixes), Math.max(...prefixes) + 1];
  for (const [gte, lt] of [
    [Uint8Array.of(0), Uint8Array.of(first)],
    [Uint8Array.of(past), Uint8Array.of(0xff, 0xff)],
  ] as const)
    for (const [key] of kv.range({ gte, lt, limit: 1_000 }))
      differences.row(key, 'unexpected', 'no space has such keys');
}

function checkReadable<Key, Value>(space: Space<Key, Value>, row: Entry, differences: Differences): void {
  const decoded = decodeRow(space, row);
  if (!decoded.ok) differences.row(row[0], 'unreadable', decoded.detail);
}

async function readThrough({ log, clock }: RepairParts, directory: string, differences: Differences): Promise<void> {
  if (!existsSync(join(directory, DATA_FILE))) {
    differences.file(`${DATA_FILE} is missing`);
    return;
  }
  const progress = new Progress(clock, log);
  for (const finding of checkDataFile(directory)) {
    if (finding.kind === 'progress') await progress.step('pages', finding.pages);
    else if (finding.key === undefined) differences.file(finding.detail);
    else differences.row(finding.key, 'unreadable', finding.detail);
  }
}

function summary(differences: Differences, tip: HeaderRecord | undefined): Verification {
  const { total, bySpace, named } = differences;
  return {
    height: tip?.header.height ?? 0,
    tip: tip?.header.hash ?? '',
    ...{ headers: 0, blocks: 0, marked: 0, unfinished: false, total, bySpace },
    differences: named,
  };
}
