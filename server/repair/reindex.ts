import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TrestleError } from '../../shared/errors.js';
import type { Block } from '../../shared/model/block.js';
import { describeReason } from '../../shared/reasons.js';
import { Chainstate } from '../chain/chainstate.js';
import { VerifiedSet } from '../chain/verifiedSet.js';
import { DATA_FILE, DataFile } from '../store/dataFile.js';
import type { Kv } from '../store/kv.js';
import { layout } from '../store/layout.js';
import { lmdbKv } from '../store/lmdbKv.js';
import { lockDirectory } from '../store/lock.js';
import { readMarker, writeMarker } from '../store/marker.js';
import { closedState, ownerOf, STORE_FORMAT, scratchOf } from '../store/openStore.js';
import { decodeRow, put, rawRows } from '../store/space.js';
import { asStoreFailure } from '../store/storeFailure.js';
import { type Findings, findBlocks, foundBlocks, readBlock } from './findBlocks.js';
import { Progress } from './progress.js';
import { chainDirectory, type RepairParts } from './verify.js';

/** What a repair came to. */
export interface Reindexed {
  /** Whole blocks that were found in the old store, genesis not counted. */
  readonly found: number;
  /** Of those, the ones that the new store has. */
  readonly kept: number;
  /** Found, but refused by a rule, or standing on a block that was not found. */
  readonly refused: number;
  /** Blocks whose bytes were damaged. */
  readonly damaged: number;
  readonly height: number;
  readonly tip: string;
  /** From this height on, blocks have to come from peers. */
  readonly fetchFrom: number;
  /** Addresses of peers that were kept. */
  readonly peers: number;
}

const NOTHING: Findings = { blocks: 0, damaged: 0, peers: [], tip: undefined };

/**
 * Makes a node's chain store anew from the blocks that can still be read, each checked by every rule. The node must not run.
 *
 * The new store is built beside the old one and put in its place by one rename, so that a crash at any moment leaves the
 * one or the other: 1. the new data file is complete and on disk; 2. the marker no longer vouches for the old one's figures;
 * 3. the rename; 4. the marker vouches for the new one. What a crash leaves beside them, the next start takes away.
 */
export async function reindex(parts: RepairParts): Promise<Reindexed> {
  const directory = chainDirectory(parts.dataDir);
  const scratch = scratchOf(directory);
  const lock = await lockDirectory(parts.dataDir);
  try {
    requireNetwork(parts, directory);
    rmSync(scratch, { recursive: true, force: true });
    mkdirSync(scratch, { mode: 0o700 });
    const fresh = join(scratch, 'chain');
    const result = await build(parts, { directory, scratch, fresh });
    syncPath(join(fresh, DATA_FILE));
    const marker = { format: STORE_FORMAT, owner: ownerOf(parts.params) };
    writeMarker(directory, { ...marker, closed: null }, { synced: true });
    renameSync(join(fresh, DATA_FILE), join(directory, DATA_FILE));
    syncDirectory(directory);
    writeMarker(directory, { ...marker, closed: closedState(directory) }, { synced: true });
    return result;
  } catch (error) {
    throw asStoreFailure(error, directory) ?? error;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
    await lock.release();
  }
}

interface Places {
  /** The store to repair. */
  readonly directory: string;
  /** Where the work is done. */
  readonly scratch: string;
  /** The new store. */
  readonly fresh: string;
}

async function build(parts: RepairParts, { directory, scratch, fresh }: Places): Promise<Reindexed> {
  const { log, clock } = parts;
  const progress = new Progress(clock, log);
  const index = lmdbKv({ directory: join(scratch, 'found'), synced: false });
  const kv = lmdbKv({ directory: fresh, synced: false });
  const file = existsSync(join(directory, DATA_FILE)) ? new DataFile(directory) : undefined;
  try {
    const findings = file === undefined ? NOTHING : await findBlocks(file, index, progress);
    log.info('the old store was searched', { blocks: findings.blocks, damaged: findings.damaged });
    const chain = await openFresh(parts, kv);
    let [kept, refused] = [0, 0];
    for (const block of file === undefined ? [] : inOrder(file, index, findings)) {
      if (block.header.hash === chain.genesis.header.hash) continue;
      const verdict = await chain.submitBlock(block);
      if (verdict.ok) kept += 1;
      else {
        refused += 1;
        log.debug('a block was left out', { hash: block.header.hash, why: describeReason(verdict.reject) });
      }
      await progress.step('blocks', kept + refused);
    }
    await keepPeers(kv, findings, clock.now());
    await chain.close();
    requireKin(parts, { directory, kept, refused });
    const { height, hash: tip } = chain.tip.header;
    const found = kept + refused;
    return {
      found,
      kept,
      refused,
      damaged: findings.damaged,
      height,
      tip,
      fetchFrom: height + 1,
      peers: findings.peers.length,
    };
  } finally {
    file?.close();
    await kv.close();
    await index.close();
  }
}

/**
 * A chain in the new store. Its blocks were taken once, so neither the clock, which may be wrong by now, nor the minimum
 * work, which only a whole branch of headers can show, is held against them again.
 */
function openFresh({ params, signatures, clock, log }: RepairParts, kv: Kv): Promise<Chainstate> {
  return Chainstate.open({
    kv,
    directory: 'the new store',
    params: { ...params, minimumWork: 0n },
    signatures,
    verified: new VerifiedSet(),
    clock: { now: () => Number.MAX_SAFE_INTEGER, yield: () => clock.yield() },
    log,
  });
}

/** The blocks that were found, lowest first; at the height of the old tip that one first, for among equals the first stays. */
function* inOrder(file: DataFile, index: Kv, { tip }: Findings): Generator<Block> {
  let waiting: Block[] = [];
  for (const row of rawRows(index, foundBlocks)) {
    const decoded = decodeRow(foundBlocks, row);
    const block = decoded.ok ? readBlock(file, decoded.value.value) : undefined;
    if (block === undefined) continue;
    if (block.header.height !== waiting[0]?.header.height) {
      yield* waiting;
      waiting = [];
    }
    if (block.header.hash === tip) waiting.unshift(block);
    else waiting.push(block);
  }
  yield* waiting;
}

/** Peers become hearsay again: a damaged file is no witness that they have ever answered. */
async function keepPeers(kv: Kv, { peers }: Findings, now: number): Promise<void> {
  const record = { firstSeen: now, lastSeen: null, lastTried: null, failures: 0, place: null };
  await kv.commit(peers.map((url) => put(layout.peer, url, record)));
}

/** Another network's store must not be taken for a damaged one of this, and its blocks thrown away. */
function requireNetwork({ params }: RepairParts, directory: string): void {
  const marker = readMarker(directory);
  if (marker === undefined || marker === 'damaged') return;
  const expected = ownerOf(params);
  if (marker.format > STORE_FORMAT)
    throw new TrestleError({ code: 'store-version', directory, found: marker.format, expected: STORE_FORMAT });
  if (marker.owner !== expected)
    throw new TrestleError({ code: 'store-network', directory, found: marker.owner, expected });
}

/** The same where the marker is lost: blocks, but none that stands on this network's genesis. */
function requireKin(
  { params }: RepairParts,
  { directory, kept, refused }: Record<'kept' | 'refused', number> & { directory: string },
): void {
  const marker = readMarker(directory);
  if (kept > 0 || refused === 0 || (marker !== undefined && marker !== 'damaged')) return;
  const found = `${refused} blocks of another`;
  throw new TrestleError({ code: 'store-network', directory, found, expected: ownerOf(params) });
}

/** Waits until what is at a path is on disk. */
function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function syncDirectory(path: string): void {
  try {
    syncPath(path);
  } catch (error) {
    // Windows opens no directories, and keeps their entries without being asked to.
    if (!(error instanceof Error && 'code' in error && (error.code === 'EPERM' || error.code === 'EISDIR')))
      throw error;
  }
}
