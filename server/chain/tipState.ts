import type { NetworkParams } from '../../shared/consensus/params.js';
import type { Block } from '../../shared/model/block.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { ChainStore } from '../store/chainStore.js';
import type { Write } from '../store/kv.js';
import { type HeaderRecord, layout, type Meta, type Totals } from '../store/layout.js';
import { put } from '../store/space.js';
import { HeaderTree, tipWrites } from './headerTree.js';
import type { OpenedChain } from './openChain.js';

/** The state after some block: what a commit that moves the tip moves to. */
export interface NewTip {
  readonly tip: HeaderRecord;
  readonly totals: Totals;
}

/**
 * What is remembered of the chain beside the store: tip, sums and best header. It moves only after the store has, so what
 * others see is always the state after a whole commit. Owner: `chainstate`, within its queue.
 */
export class TipState {
  readonly params: NetworkParams;
  readonly store: ChainStore;
  readonly genesis: Block;
  readonly headers: HeaderTree;
  #meta: Meta;
  #tip: HeaderRecord;
  #bestHeader: HeaderRecord;

  constructor(params: NetworkParams, { store, meta, genesis }: OpenedChain) {
    this.params = params;
    this.store = store;
    this.genesis = genesis;
    this.headers = new HeaderTree(store);
    this.#meta = meta;
    this.#tip = this.headers.require(meta.tip);
    this.#bestHeader = this.headers.best(() => true);
  }

  get tip(): HeaderRecord {
    return this.#tip;
  }

  get totals(): Totals {
    return this.#meta.totals;
  }

  get bestHeader(): HeaderRecord {
    return this.#bestHeader;
  }

  /** One batch, all or nothing. When it fails, whoever staged headers for it has to make the tree forget them. */
  async commit(writes: readonly Write[], moved?: NewTip): Promise<void> {
    const meta = moved === undefined ? this.#meta : { ...this.#meta, tip: moved.tip.header.hash, totals: moved.totals };
    await this.store.kv.commit(moved === undefined ? writes : [...writes, put(layout.meta, null, meta)]);
    this.#meta = meta;
    if (moved !== undefined) this.#tip = moved.tip;
  }

  /** Notes a stored header that may be the best there is. An equal rival is not better. */
  noteHeader(record: HeaderRecord): void {
    const best = this.#bestHeader;
    if (record.work > best.work || record.header.hash === best.header.hash) this.#bestHeader = record;
  }

  /** Marks a header and all that stands on it, so that none of it is ever tried again. */
  async markInvalid(record: HeaderRecord): Promise<void> {
    const marked = new Map<BlockHash, HeaderRecord>([[record.header.hash, record]]);
    const writes: Write[] = [];
    const parent = this.headers.require(record.header.previous);
    let parentIsTip = true;
    for (const tip of Array.from(this.store.tips(), (hash) => this.headers.require(hash))) {
      if (this.headers.descends(tip, record)) {
        writes.push(...tipWrites(tip, 'remove'));
        for (const child of this.headers.path(record, tip)) marked.set(child.header.hash, child);
      } else if (this.headers.descends(tip, parent)) parentIsTip = false;
    }
    if (parentIsTip) writes.push(...tipWrites(parent, 'put'));
    for (const each of marked.values()) writes.push(this.headers.update({ ...each, invalid: true }));
    await this.commit(writes);
    this.#bestHeader = this.headers.best(() => true);
  }
}
