import type { NetworkParams } from '../../shared/consensus/params.js';
import type { Block } from '../../shared/model/block.js';
import type { ChainStore } from '../store/chainStore.js';
import type { Write } from '../store/kv.js';
import { type HeaderRecord, layout, type Meta, type Totals } from '../store/layout.js';
import { put } from '../store/space.js';
import { HeaderTree } from './headerTree.js';
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
    this.#bestHeader = this.headers.best();
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

  /** Takes notice that headers have been marked, or are no longer: the best may be another, and the tip's own mark. */
  noteMarks(): void {
    this.#bestHeader = this.headers.best();
    this.#tip = this.headers.require(this.#tip.header.hash);
  }
}
