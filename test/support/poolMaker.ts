import { Pool, type PoolEntry } from '../../server/mempool/pool.js';
import { toAmount } from '../../shared/model/amount.js';
import { toHeight } from '../../shared/model/height.js';
import type { TxId } from '../../shared/model/ids.js';
import type { OutPoint } from '../../shared/model/outpoint.js';
import { sealTransaction, type Transaction, type TransferBody } from '../../shared/model/transaction.js';
import { testKey } from '../kit/builders.js';

const { address } = testKey(1);

/** A transaction to put into a pool that judges nothing; what is left out is plain. */
export interface PoolPlan {
  /** The coins it spends; one that nobody else has unless given. */
  readonly inputs?: readonly OutPoint[];
  /** Whose first free output it spends. */
  readonly parents?: readonly Transaction[];
  readonly fee?: number;
  readonly outputs?: number;
}

/** Unsigned transactions, each another, and a pool for them. */
export class PoolMaker {
  readonly pool = new Pool();
  readonly #used = new Map<TxId, number>();
  #count = 0;

  /** A coin of the chain that nobody spends yet. */
  coin(): OutPoint {
    this.#count += 1;
    return { txid: this.#count.toString(16).padStart(64, '0') as TxId, index: 0 };
  }

  make({ inputs, parents = [], outputs = 1 }: PoolPlan = {}): Transaction<TransferBody> {
    const spent = [...(inputs ?? []), ...parents.map(({ txid }) => this.#outputOf(txid))];
    if (spent.length === 0) spent.push(this.coin());
    this.#count += 1;
    return sealTransaction(
      {
        ...{ kind: 'transfer', version: 1, timestamp: this.#count, memo: new Uint8Array(0) },
        inputs: spent,
        outputs: Array.from({ length: outputs }, () => ({ address, value: toAmount(1_000n) })),
      },
      [new Uint8Array(65)],
    );
  }

  add(plan: PoolPlan = {}): PoolEntry {
    return this.enter(this.make(plan), plan.fee ?? 1_000);
  }

  enter(transaction: Transaction<TransferBody>, fee: number): PoolEntry {
    const coin = { address, value: toAmount(1_000n), height: toHeight(1), coinbase: false };
    const spent = transaction.body.inputs.map(() => coin);
    return this.pool.add({ transaction, fee: BigInt(fee), spent, firstSeen: 0 });
  }

  #outputOf(txid: TxId): OutPoint {
    const index = this.#used.get(txid) ?? 0;
    this.#used.set(txid, index + 1);
    return { txid, index };
  }
}
