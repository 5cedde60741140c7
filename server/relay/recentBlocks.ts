import { toBase64 } from '../../shared/bytes/base64.js';
import type { Block } from '../../shared/model/block.js';
import { compactBlockOf, encodeCompactBlock } from '../../shared/model/compactBlock.js';
import type { BlockHash } from '../../shared/model/ids.js';

/** Blocks kept, of at most 2 MB each. */
export const MAX_RECENT = 4;

/**
 * The blocks that were proved last. Peers are told of them before they are connected, and may ask for them from then on,
 * when no store has them yet.
 */
export class RecentBlocks {
  readonly #blocks = new Map<BlockHash, Block>();
  /** The short form of the last block that was asked for, in base64: each block is told to many peers. */
  #last: { readonly hash: BlockHash; readonly compact: string | undefined } | undefined;

  add(block: Block): void {
    this.#blocks.delete(block.header.hash);
    this.#blocks.set(block.header.hash, block);
    for (const oldest of this.#blocks.keys()) {
      if (this.#blocks.size <= MAX_RECENT) break;
      this.#blocks.delete(oldest);
    }
  }

  get(hash: BlockHash): Block | undefined {
    return this.#blocks.get(hash);
  }

  /** A block's short form as announcements carry it. */
  compactOf(block: Block): string | undefined {
    const { hash } = block.header;
    if (this.#last?.hash !== hash) {
      const compact = compactBlockOf(block);
      this.#last = { hash, compact: compact && toBase64(encodeCompactBlock(compact)) };
    }
    return this.#last.compact;
  }
}
