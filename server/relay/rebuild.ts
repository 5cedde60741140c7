import { parseBase64 } from '../../shared/bytes/base64.js';
import { type Block, sealBlock } from '../../shared/model/block.js';
import { type CompactBlock, type ShortId, shortIdsOf } from '../../shared/model/compactBlock.js';
import type { Wtxid } from '../../shared/model/ids.js';
import { decodeTransaction, type Transaction } from '../../shared/model/transaction.js';

/**
 * Puts a block together from its short form and the transactions that wait here (BIP 152). Pure: it neither asks nor
 * waits. A short id that fits two transactions, or that the block has twice, counts as missing. One that fits a wrong
 * transaction by chance goes unnoticed here and is found by the root: then nobody is to blame.
 */
export class Rebuild {
  readonly #compact: CompactBlock;
  readonly #shortId: (wtxid: Wtxid) => ShortId;
  /** In order, the coinbase first. */
  readonly #found: (Transaction | undefined)[];

  constructor(compact: CompactBlock, waiting: Iterable<Transaction>) {
    this.#compact = compact;
    this.#shortId = shortIdsOf(compact.header.hash);
    this.#found = [compact.coinbase, ...this.#match(waiting)];
  }

  /** Positions of the transactions that are not here, in rising order. */
  get missing(): number[] {
    return this.#found.flatMap((found, position) => (found === undefined ? position : []));
  }

  /** Takes the missing transactions, in order, as a peer sends them. `false` where they are not those; then none is taken. */
  fill(texts: readonly string[]): boolean {
    const { missing } = this;
    if (texts.length !== missing.length) return false;
    const taken: Transaction[] = [];
    for (const [i, text] of texts.entries()) {
      const bytes = parseBase64(text);
      const decoded = bytes === undefined ? undefined : decodeTransaction(bytes);
      const id = this.#compact.ids[(missing[i] ?? 0) - 1];
      if (!decoded?.ok || this.#shortId(decoded.value.wtxid) !== id) return false;
      taken.push(decoded.value);
    }
    for (const [i, position] of missing.entries()) this.#found[position] = taken[i];
    return true;
  }

  /** The block, once nothing is missing. Whether it is the header's own is for the root to say. */
  block(): Block {
    const transactions = this.#found.flatMap((found) => found ?? []);
    if (transactions.length !== this.#found.length) throw new Error('a block is put together that misses something');
    return sealBlock(this.#compact.header, transactions);
  }

  #match(waiting: Iterable<Transaction>): (Transaction | undefined)[] {
    const wanted = new Set<ShortId>();
    const ambiguous = new Set<ShortId>();
    for (const id of this.#compact.ids) (wanted.has(id) ? ambiguous : wanted).add(id);
    const found = new Map<ShortId, Transaction>();
    if (wanted.size > 0)
      for (const transaction of waiting) {
        const id = this.#shortId(transaction.wtxid);
        if (!wanted.has(id)) continue;
        if (found.has(id)) ambiguous.add(id);
        else found.set(id, transaction);
      }
    return this.#compact.ids.map((id) => (ambiguous.has(id) ? undefined : found.get(id)));
  }
}
