import type { Coin } from '../../shared/consensus/coins.js';
import type { Block } from '../../shared/model/block.js';
import { decodeTransaction, isTransfer, type Transaction } from '../../shared/model/transaction.js';
import type { Logger } from '../ports.js';
import type { Kv, Write } from '../store/kv.js';
import { poolLayout } from '../store/poolLayout.js';
import { put, remove, scan } from '../store/space.js';

/** Rows read at a time when the saved transactions come back. */
const LOAD_PAGE = 1_000;

/** A transaction and when it first came. */
export interface Arrival {
  readonly transaction: Transaction;
  readonly firstSeen: number;
  /** The coins it spends, where somebody has looked them up. */
  readonly spent?: readonly Coin[] | undefined;
}

/** The saved copy of the waiting transactions. It may lag behind: whatever comes out of it is judged again. */
export class SavedPool {
  readonly #kv: Kv;
  readonly #log: Logger;

  constructor(kv: Kv, log: Logger) {
    this.#kv = kv;
    this.#log = log;
  }

  /** Everything that was saved and still decodes, oldest first. */
  load(): Arrival[] {
    const arrivals: Arrival[] = [];
    for (let after: Uint8Array | undefined; ; ) {
      const rows = scan(this.#kv, poolLayout.pool, { after, limit: LOAD_PAGE });
      for (const { key, value } of rows) {
        const decoded = decodeTransaction(value.raw);
        if (decoded.ok) arrivals.push({ transaction: decoded.value, firstSeen: value.firstSeen });
        else this.note([remove(poolLayout.pool, key)]);
      }
      if (rows.length < LOAD_PAGE) return arrivals.sort((a, b) => a.firstSeen - b.firstSeen);
      after = rows.at(-1)?.at;
    }
  }

  /** Saves; settles once what was written would survive the death of this process. */
  write(writes: readonly Write[]): Promise<void> {
    return this.#kv.commit(writes);
  }

  /**
   * Saves the transfers of a block that is about to leave the chain: until they have been judged again, this copy is all
   * that a crash leaves of them. A failure is only told; it must not keep the chain from moving.
   */
  async keep({ header, transactions }: Block, firstSeen: number): Promise<void> {
    const writes = transactions.filter(isTransfer).map((transaction) => saved({ transaction, firstSeen }));
    if (writes.length === 0) return;
    await this.write(writes).catch((error: unknown) => {
      this.#log.error('the transfers of a block that leaves could not be saved', {
        block: header.hash,
        error: String(error),
      });
    });
  }

  /** Saves in the background. */
  note(writes: readonly Write[]): void {
    if (writes.length === 0) return;
    this.#kv.commit(writes).catch((error: unknown) => {
      this.#log.error('the waiting transactions could not be saved', { error: String(error) });
    });
  }
}

/** The write that saves a transaction. */
export function saved({ transaction, firstSeen }: Arrival): Write {
  return put(poolLayout.pool, transaction.wtxid, { firstSeen, raw: transaction.raw });
}

/** The write that forgets it. */
export function unsaved({ transaction }: { readonly transaction: Transaction }): Write {
  return remove(poolLayout.pool, transaction.wtxid);
}
