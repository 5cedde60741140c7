import { equalBytes } from '../../shared/bytes/compare.js';
import { Emitter } from '../../shared/emitter.js';
import { TrestleError } from '../../shared/errors.js';
import { toHeight } from '../../shared/model/height.js';
import type { BlockHash } from '../../shared/model/ids.js';
import { describeReason } from '../../shared/reasons.js';
import { factsOf } from '../chain/bodyFacts.js';
import type { ChainEvents } from '../chain/events.js';
import { tipWrites } from '../chain/headerTree.js';
import type { OpenedChain } from '../chain/openChain.js';
import { TipMover } from '../chain/tipMover.js';
import { TipState } from '../chain/tipState.js';
import { VerifiedSet } from '../chain/verifiedSet.js';
import type { Signatures } from '../ports.js';
import type { HeaderRecord } from '../store/layout.js';
import { layout } from '../store/layout.js';
import { decodeRow, keyBytes, put, rawRows, read, scan } from '../store/space.js';
import { type HeaderCheck, sayWhy } from './checkHeaders.js';
import { Batch, notes } from './scratch.js';

/** The most blocks beside the chain that may stand on one block. */
const MAX_CHILDREN = 1_000_000;

/** What computing the state again needs. */
export interface Recomputation extends Omit<HeaderCheck, 'fresh' | 'genesis'> {
  /** A new store that has genesis. */
  readonly opened: OpenedChain;
  readonly signatures: Signatures;
}

/**
 * Connects the blocks of the active chain once more, from genesis up, with every rule and every signature, into a store of
 * its own. Blocks beside the chain that were connected at some time are connected and taken off again where they stood,
 * for their undo records are kept. So in the end the new store holds what the old one should.
 */
export class Recompute {
  readonly #parts: Recomputation;
  readonly #state: TipState;
  readonly #mover: TipMover;
  #connected = 0;

  constructor(parts: Recomputation) {
    const { opened, params, signatures } = parts;
    this.#parts = parts;
    this.#state = new TipState(params, opened);
    const events = new Emitter<ChainEvents>();
    this.#mover = new TipMover({ state: this.#state, events, signatures, verified: new VerifiedSet() });
  }

  /** Blocks connected so far, those beside the chain counted in. */
  get connected(): number {
    return this.#connected;
  }

  /** Notes the branch up to `tip`, what was connected beside it, and which headers have no child. */
  async prepare(tip: HeaderRecord): Promise<void> {
    const { source, opened, progress } = this.#parts;
    const { kv } = opened.store;
    const batch = new Batch(kv);
    for (let at = tip; ; ) {
      const { height, previous, hash } = at.header;
      await batch.add(put(notes.path, height, hash));
      if (height === 0) break;
      const parent = source.header(previous);
      if (parent === undefined)
        throw new TrestleError({ code: 'store-corrupt', detail: `header ${previous} is missing` });
      at = parent;
      await progress.step('path', height);
    }
    await batch.add(...tipWrites(this.#state.tip, 'remove'));
    await batch.flush();
    for (const row of rawRows(source.kv, layout.header)) {
      const decoded = decodeRow(layout.header, row);
      if (!decoded.ok) continue;
      const { header, fees } = decoded.value.value;
      const { hash, previous: parent, height } = header;
      if (read(kv, notes.parents, hash) === undefined) await batch.add(...tipWrites(decoded.value.value, 'put'));
      if (fees !== null && read(kv, notes.path, height) !== hash)
        await batch.add(put(notes.sides, { parent, hash }, null));
    }
    await batch.flush();
  }

  /** Computes the state at `tip` again; false where a block on the way cannot be connected. */
  async run(tip: HeaderRecord): Promise<boolean> {
    const { opened, progress } = this.#parts;
    const { kv } = opened.store;
    this.#compare(opened.genesis.header.hash);
    for (let height = 1; height <= tip.header.height; height++) {
      await this.#visitSides();
      const hash = read(kv, notes.path, toHeight(height));
      if (hash === undefined || !(await this.#connect(hash, { comesOff: false }))) return false;
      await progress.step('blocks', height);
    }
    await this.#visitSides();
    return true;
  }

  /** Connects what stood on the tip beside the chain, each branch in turn, and takes it off again. */
  async #visitSides(): Promise<void> {
    const { kv } = this.#parts.opened.store;
    const parent = this.#state.tip.header.hash;
    const within = keyBytes(notes.parents, parent).subarray(1);
    for (const { key } of scan(kv, notes.sides, { within, limit: MAX_CHILDREN })) {
      if (!(await this.#connect(key.hash, { comesOff: true }))) continue;
      await this.#visitSides();
      await this.#mover.disconnect();
    }
  }

  async #connect(hash: BlockHash, { comesOff }: { comesOff: boolean }): Promise<boolean> {
    const { source, differences } = this.#parts;
    const { headers } = this.#state;
    const row = keyBytes(layout.block, hash);
    try {
      const block = source.block(hash);
      const record = { ...headers.childOf(this.#state.tip, block.header), body: factsOf(block) };
      // What comes off again is read back for that; the rest is left where it is.
      const raw = comesOff ? [put(layout.block, hash, block.raw)] : [];
      const verdict = await this.#mover.connect(block, record, () => [headers.update(record), ...raw]);
      if (!verdict.ok) {
        differences.row(row, 'different', describeReason(verdict.reject));
        return false;
      }
    } catch (error) {
      differences.row(row, 'unreadable', sayWhy(error));
      return false;
    }
    this.#connected += 1;
    this.#compare(hash);
    return true;
  }

  /** Holds what connecting the tip left behind against what the store has of it. */
  #compare(hash: BlockHash): void {
    const { source, opened, differences } = this.#parts;
    const undo = keyBytes(layout.undo, hash);
    const [stored, computed] = [source.kv.get(undo), opened.store.kv.get(undo)];
    if (stored !== undefined && computed !== undefined && !equalBytes(stored, computed))
      differences.row(undo, 'different', 'not the coins that the block spends');
    const header = keyBytes(layout.header, hash);
    const record = source.header(hash);
    if (record?.fees !== this.#state.tip.fees) differences.row(header, 'different', 'fees');
  }
}
