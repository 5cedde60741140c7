import type { NewEntry, PoolEntry } from '../../server/mempool/pool.js';
import { Pool } from '../../server/mempool/pool.js';
import { toAmount } from '../../shared/model/amount.js';
import type { TxId } from '../../shared/model/ids.js';
import type { OutPoint } from '../../shared/model/outpoint.js';
import { sealTransaction, txidOf } from '../../shared/model/transaction.js';
import { testKey } from '../kit/builders.js';

const owner = testKey(1).address;
const SIGNATURE = new Uint8Array(65);

/** What a transaction of a pool made by hand is like. */
export interface LooseEntry {
  /** Sets it apart from the others. */
  readonly tag: number;
  readonly fee: number;
  /** Parents in the pool: it spends the output of each that has this transaction's tag for an index. */
  readonly parents?: readonly TxId[];
  /** Outputs of its own, which make it larger. */
  readonly outputs?: number;
}

/** An entry that no node would take, for nobody has signed it: good enough to be chosen. */
export function looseEntry({ tag, fee, parents = [], outputs = 1 }: LooseEntry): NewEntry {
  const spends: readonly (readonly TxId[])[] = parents.length > 0 ? [parents] : [[txidOf(bodyOf(tag, [], 1))]];
  const inputs = spends.flat().map((txid) => ({ txid, index: tag % 65_536 }));
  const transaction = sealTransaction(bodyOf(tag, inputs, outputs), [SIGNATURE]);
  return { transaction, fee: BigInt(fee), firstSeen: 0, spent: [] };
}

function bodyOf(tag: number, inputs: readonly OutPoint[], outputs: number) {
  const to = Array.from({ length: outputs }, () => ({ address: owner, value: toAmount(1n) }));
  return { kind: 'transfer', version: 1, timestamp: tag, inputs, outputs: to, memo: new Uint8Array(0) } as const;
}

/** A source of numbers from 0 to `limit - 1`. */
export type Below = (limit: number) => number;

/** Numbers that are the same in every run (mulberry32). */
export function seededBelow(seed: number): Below {
  let state = seed | 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** A pool of some transactions, of which part hang on each other. */
export function randomPool(below: Below, count: number): Pool {
  const pool = new Pool();
  for (let tag = 0; tag < count; tag++) addRandom(pool, below, tag);
  return pool;
}

/** Puts one more into a pool. */
export function addRandom(pool: Pool, below: Below, tag: number): PoolEntry {
  const all = [...pool.entries()];
  const parents = new Set<TxId>();
  while (all.length > 0 && parents.size < 3 && below(2) === 0) {
    const parent = all[below(all.length)]?.transaction.txid;
    if (parent !== undefined) parents.add(parent);
  }
  return pool.add(
    looseEntry({
      tag,
      fee: 200 + below(below(3) === 0 ? 20_000 : 2_000),
      parents: [...parents],
      outputs: 1 + below(below(4) === 0 ? 60 : 5),
    }),
  );
}

/** The most that any choice of so many bytes can pay, by trying all of them; entries come parents first. */
export function bestFees(entries: readonly PoolEntry[], maxBytes: number): number {
  const rest = entries.map((_, i) => entries.slice(i).reduce((sum, { fee }) => sum + Number(fee), 0));
  const taken = new Set<TxId>();
  let best = 0;
  const visit = (at: number, room: number, fees: number): void => {
    best = Math.max(best, fees);
    const entry = entries[at];
    if (entry === undefined || fees + (rest[at] ?? 0) <= best) return;
    const { transaction, parents, size } = entry;
    if (size <= room && [...parents].every((parent) => taken.has(parent))) {
      taken.add(transaction.txid);
      visit(at + 1, room - size, fees + Number(entry.fee));
      taken.delete(transaction.txid);
    }
    visit(at + 1, room, fees);
  };
  visit(0, maxBytes, 0);
  return best;
}
