import { equalBytes } from '../../shared/bytes/compare.js';
import { decodeExactly } from '../../shared/bytes/reader.js';
import { checkBlock, checkBody } from '../../shared/consensus/checkBlock.js';
import { checkHeader } from '../../shared/consensus/checkHeader.js';
import type { NetworkParams } from '../../shared/consensus/params.js';
import { TrestleError } from '../../shared/errors.js';
import { type Block, decodeBlock } from '../../shared/model/block.js';
import type { BlockHash } from '../../shared/model/ids.js';
import { describeReason, type Reason } from '../../shared/reasons.js';
import { factsOf } from '../chain/bodyFacts.js';
import { HeaderTree } from '../chain/headerTree.js';
import type { ChainStore } from '../store/chainStore.js';
import { type HeaderRecord, layout } from '../store/layout.js';
import { decodeRow, keyBytes, put, rawRows } from '../store/space.js';
import type { Differences } from './differences.js';
import type { Progress } from './progress.js';
import { Batch, notes } from './scratch.js';

/** Raw blocks and undo records held at a time. */
const LARGE_ROWS = 4;

/** What the check of headers needs. */
export interface HeaderCheck {
  /** The store that is looked at. Nothing is written to it. */
  readonly source: ChainStore;
  /** The state that is computed again; it has genesis, and takes notes. */
  readonly fresh: ChainStore;
  readonly params: NetworkParams;
  readonly genesis: BlockHash;
  readonly differences: Differences;
  readonly progress: Progress;
}

/** What the check of headers found out on its way. */
export interface HeaderSummary {
  readonly headers: number;
  /** The most work of a valid block whose body is stored, and such a block. */
  readonly best: HeaderRecord | undefined;
  /** Headers marked invalid or set aside: why, the store does not know, so the marks are taken as they are. */
  readonly marked: number;
}

/**
 * Checks every header record against its parent's, and every body against its header: rules, work, links and facts. Each
 * parent is a record that is checked as well, so all of them together hang on genesis.
 */
export async function checkHeaders(check: HeaderCheck): Promise<HeaderSummary> {
  const { source, fresh, differences, progress } = check;
  const batch = new Batch(fresh.kv);
  const tree = new HeaderTree(source);
  let [headers, marked] = [0, 0];
  let best: HeaderRecord | undefined;
  for (const row of rawRows(source.kv, layout.header)) {
    headers += 1;
    await progress.step('headers', headers);
    const decoded = decodeRow(layout.header, row);
    if (!decoded.ok) {
      differences.row(row[0], 'unreadable', decoded.detail);
      continue;
    }
    const { key, value: record } = decoded.value;
    try {
      checkRecord({ ...check, tree }, { key, record, bytes: row[1] });
    } catch (error) {
      differences.row(row[0], 'different', sayWhy(error));
      continue;
    }
    if (record.invalid) marked += 1;
    if (record.header.hash !== check.genesis) await batch.add(put(notes.parents, record.header.previous, null));
    if (!record.invalid && record.body !== null && (best === undefined || record.work > best.work)) best = record;
  }
  await batch.flush();
  await checkBodiesExpected(check);
  return { headers, best, marked };
}

interface StoredRecord {
  readonly key: BlockHash;
  readonly record: HeaderRecord;
  readonly bytes: Uint8Array;
}

function checkRecord(check: HeaderCheck & { readonly tree: HeaderTree }, { key, record, bytes }: StoredRecord): void {
  const { source, fresh, params, tree, differences, genesis } = check;
  const { header } = record;
  const row = keyBytes(layout.header, key);
  const differs = (detail: string): void => differences.row(row, 'different', detail);
  if (header.hash !== key) {
    differs('the header of another block');
    return;
  }
  if (key === genesis) {
    const expected = fresh.kv.get(row);
    if (expected === undefined || !equalBytes(expected, bytes)) differs('not the record of genesis');
    checkStoredBody(check, record);
    return;
  }
  const parent = tree.get(header.previous);
  if (parent === undefined) {
    differences.row(keyBytes(layout.header, header.previous), 'missing', `block ${key} stands on it`);
    return;
  }
  // A mark of invalidity forbids new headers on top, but not those that were there before it.
  const context = { ...tree.contextOf(parent), invalid: false };
  const verdict = checkHeader(header, context, { params, now: Number.MAX_SAFE_INTEGER });
  if (!verdict.ok) {
    differs(describeReason(verdict.reject));
    return;
  }
  const block = record.body === null ? undefined : checkStoredBody(check, record);
  const invalid = parent.invalid || record.invalid;
  const expected: HeaderRecord = {
    ...tree.childOf(parent, header),
    invalid,
    setAside: invalid && record.setAside,
    body: block === undefined ? record.body : factsOf(block),
    fees: record.fees,
  };
  const write = put(layout.header, key, expected);
  if (write.kind !== 'put' || !equalBytes(write.value, bytes)) differs('work, links or facts of the body');
  if (record.body !== null && parent.body === null) differs('a body, but none of its parent');
  if (record.fees !== null && (record.body === null || parent.fees === null))
    differs('fees of a block never connected');
  if (record.fees !== null && source.kv.get(keyBytes(layout.undo, key)) === undefined)
    differences.row(keyBytes(layout.undo, key), 'missing', 'of a block that was connected');
}

/** The body that a header record says is there, if it is there and right. */
function checkStoredBody(
  { source, params, genesis, differences }: HeaderCheck,
  record: HeaderRecord,
): Block | undefined {
  const { hash } = record.header;
  const row = keyBytes(layout.block, hash);
  const raw = source.rawBlock(hash);
  if (raw === undefined) {
    differences.row(row, 'missing');
    return undefined;
  }
  const decoded = decodeBlock(raw);
  const why = decoded.ok ? faultOf(decoded.value) : decoded.detail;
  if (why === undefined && decoded.ok) return decoded.value;
  differences.row(row, decoded.ok ? 'different' : 'unreadable', why);
  return undefined;

  function faultOf(block: Block): string | undefined {
    if (block.header.hash !== hash) return 'another block';
    const body = checkBody(block);
    if (!body.ok) return describeReason(body.reject);
    // Genesis is what it is; of a block marked invalid nothing further is asked.
    const rules = hash === genesis || record.invalid ? body : checkBlock(block, params);
    return rules.ok ? undefined : describeReason(rules.reject);
  }
}

/** Tips, bodies and undo records without a header record that asks for them. */
async function checkBodiesExpected({ source, differences, progress }: HeaderCheck): Promise<void> {
  for (const row of rawRows(source.kv, layout.tips)) {
    const tip = decodeRow(layout.tips, row);
    const header = tip.ok ? keyBytes(layout.header, tip.value.key.hash) : undefined;
    if (header !== undefined && source.kv.get(header) === undefined) differences.row(header, 'missing', 'it is a tip');
  }
  for (const [space, isExpected] of [
    [layout.block, ({ body }: HeaderRecord) => body !== null],
    [layout.undo, ({ fees }: HeaderRecord) => fees !== null],
  ] as const) {
    let rows = 0;
    for (const row of rawRows(source.kv, space, LARGE_ROWS)) {
      rows += 1;
      await progress.step(space.name, rows);
      const hash = decodeExactly(row[0].subarray(1), space.key.read);
      const record = hash.ok ? safely(() => source.header(hash.value)) : undefined;
      if (record === undefined || !isExpected(record))
        differences.row(row[0], 'unexpected', 'its header does not ask for it');
    }
  }
}

/** What is read, or `undefined` where it cannot be: the difference has been noted where the row itself was looked at. */
function safely<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof TrestleError) return undefined;
    throw error;
  }
}

/** Why a record could not be judged; anything but damage is thrown on. */
export function sayWhy(error: unknown): string {
  if (!(error instanceof TrestleError)) throw error;
  const { reason }: { reason: Reason } = error;
  return reason.code === 'store-corrupt' ? reason.detail : describeReason(reason);
}
