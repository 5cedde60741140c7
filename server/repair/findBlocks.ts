import { checkBody } from '../../shared/consensus/checkBlock.js';
import { type Block, decodeBlock } from '../../shared/model/block.js';
import type { Height } from '../../shared/model/height.js';
import { type BlockHash, idFromBytes } from '../../shared/model/ids.js';
import { MAX_BOOK } from '../net/addressTables.js';
import { parsePeerUrl } from '../net/peerUrl.js';
import { CHECKSUM_BYTES } from '../store/checksum.js';
import { countCodec, emptyCodec, heightKey, idCodec, record } from '../store/codecs.js';
import type { DataFile } from '../store/dataFile.js';
import type { Kv } from '../store/kv.js';
import { layout } from '../store/layout.js';
import { decodeRow, put, rawRows, read, space } from '../store/space.js';
import type { Progress } from './progress.js';
import { salvage, sealedValue } from './salvage.js';
import { Batch } from './scratch.js';

const hash = idCodec<BlockHash>();

/** Where a whole block stands in the damaged file, by height: lowest first, and each once. */
export const foundBlocks = space<{ height: Height; hash: BlockHash }, { position: number; length: number }>(
  'found blocks',
  0x50,
  { key: record({ height: heightKey, hash }), value: record({ position: countCodec, length: countCodec }) },
);

const whole = space<BlockHash, null>('whole blocks', 0x51, { key: hash, value: emptyCodec });
const broken = space<BlockHash, null>('broken blocks', 0x52, { key: hash, value: emptyCodec });

/** What a damaged file still holds. */
export interface Findings {
  readonly blocks: number;
  /** Blocks whose bytes are no longer those that their ids name, and of which there is no other copy. */
  readonly damaged: number;
  /** Addresses of peers. */
  readonly peers: readonly string[];
  /** The tip that the store had last, if that can be told. */
  readonly tip: BlockHash | undefined;
}

/**
 * Goes through a damaged file for what proves itself: blocks, whose ids follow from their bytes, and the addresses of
 * peers. Notes in `index` where each block stands, so that memory stays flat.
 */
export async function findBlocks(file: DataFile, index: Kv, progress: Progress): Promise<Findings> {
  const batch = new Batch(index);
  const peers = new Set<string>();
  let tip: { hash: BlockHash; transaction: number } | undefined;
  let rows = 0;
  for (const row of salvage(file)) {
    rows += 1;
    await progress.step('rows of the damaged file', rows);
    const prefix = row.key[0];
    if (prefix === layout.block.prefix && row.key.length === 33) {
      const id = idFromBytes<BlockHash>(row.key.subarray(1));
      const block = blockAt(file, row, id);
      if (block === undefined) await batch.add(put(broken, id, null));
      else {
        const { height } = block.header;
        await batch.add(
          put(foundBlocks, { height, hash: id }, { position: row.position, length: block.raw.length }),
          put(whole, id, null),
        );
      }
    } else if (prefix === layout.peer.prefix && peers.size < MAX_BOOK) {
      const value = sealedValue(file, row);
      const peer = value === undefined ? undefined : decodeRow(layout.peer, [row.key, value]);
      if (peer?.ok && parsePeerUrl(peer.value.key) === peer.value.key) peers.add(peer.value.key);
    } else if (prefix === layout.meta.prefix) {
      const value = sealedValue(file, row);
      const meta = value === undefined ? undefined : decodeRow(layout.meta, [row.key, value]);
      const isNewer = tip === undefined || row.transaction >= tip.transaction;
      if (meta?.ok && isNewer) tip = { hash: meta.value.value.tip, transaction: row.transaction };
    }
  }
  await batch.flush();
  return { ...count(index), peers: [...peers], tip: tip?.hash };
}

/** A block that was found, read again. */
export function readBlock(file: DataFile, place: { position: number; length: number }): Block | undefined {
  const raw = file.read(place.position, place.length);
  const decoded = raw === undefined ? undefined : decodeBlock(raw);
  return decoded?.ok ? decoded.value : undefined;
}

/** The block behind a row, with its checksum or, as in the first format, without: its id proves it better than that. */
function blockAt(file: DataFile, { position, length }: { position: number; length: number }, id: BlockHash) {
  for (const bytes of [length - CHECKSUM_BYTES, length]) {
    const block = bytes < 0 ? undefined : readBlock(file, { position, length: bytes });
    if (block?.header.hash === id && checkBody(block).ok) return block;
  }
  return undefined;
}

function count(index: Kv): { blocks: number; damaged: number } {
  let [blocks, damaged] = [0, 0];
  for (const _row of rawRows(index, whole)) blocks += 1;
  for (const [key] of rawRows(index, broken)) {
    const decoded = decodeRow(broken, [key, new Uint8Array(0)]);
    if (decoded.ok && read(index, whole, decoded.value.key) === undefined) damaged += 1;
  }
  return { blocks, damaged };
}
