import type { Height } from '../../shared/model/height.js';
import type { BlockHash } from '../../shared/model/ids.js';
import { emptyCodec, heightKey, idCodec, record } from '../store/codecs.js';
import type { Kv, Write } from '../store/kv.js';
import { space } from '../store/space.js';

/** Writes gathered before they are committed. */
const BATCH = 2_000;

const hash = idCodec<BlockHash>();

/**
 * What a verification notes beside the state that it computes again, in the same temporary store: as much as the chain is
 * long, and so not for memory. The prefixes lie above those of `layout`.
 */
export const notes = {
  /** The active chain, from genesis up. */
  path: space<Height, BlockHash>('path', 0x40, { key: heightKey, value: hash }),
  /** Headers that another header stands on. */
  parents: space<BlockHash, null>('parents', 0x41, { key: hash, value: emptyCodec }),
  /** Blocks beside it which were connected at some time, by their parents. */
  sides: space<{ parent: BlockHash; hash: BlockHash }, null>('sides', 0x42, {
    key: record({ parent: hash, hash }),
    value: emptyCodec,
  }),
} as const;

/** Gathers writes and commits them by the thousand. */
export class Batch {
  readonly #kv: Kv;
  #writes: Write[] = [];

  constructor(kv: Kv) {
    this.#kv = kv;
  }

  async add(...writes: readonly Write[]): Promise<void> {
    this.#writes.push(...writes);
    if (this.#writes.length >= BATCH) await this.flush();
  }

  async flush(): Promise<void> {
    const writes = this.#writes;
    this.#writes = [];
    await this.#kv.commit(writes);
  }
}
