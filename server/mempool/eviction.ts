import type { TxId } from '../../shared/model/ids.js';
import { inputsOf, type Transaction } from '../../shared/model/transaction.js';
import type { Pool } from './pool.js';

/** Who wants in. */
export interface Newcomer {
  readonly newcomer: Transaction;
  /** Base units for each byte. */
  readonly rate: number;
  /** The bytes that have to go. */
  readonly excess: number;
}

/**
 * Which waiting transactions to give up for a newcomer, the cheapest first, with all that cannot do without them: enough
 * to make room, each cheaper than the newcomer, and none that it needs itself. `undefined` where there is no such choice,
 * so that nothing is given up for nothing.
 */
export function chooseVictims(pool: Pool, { newcomer, rate, excess }: Newcomer): TxId[] | undefined {
  const needed = new Set(
    inputsOf(newcomer).flatMap(({ txid }) => pool.withAncestors(txid).map(({ transaction }) => transaction.txid)),
  );
  const gone = new Set<TxId>();
  const victims: TxId[] = [];
  let freed = 0;
  for (const { transaction, rate: offered } of pool.cheapestFirst()) {
    if (freed >= excess) break;
    if (offered >= rate) return undefined;
    if (gone.has(transaction.txid)) continue;
    for (const each of pool.withDescendants(transaction.txid)) {
      const { txid } = each.transaction;
      if (needed.has(txid)) return undefined;
      if (gone.has(txid)) continue;
      gone.add(txid);
      freed += each.size;
    }
    victims.push(transaction.txid);
  }
  return freed >= excess ? victims : undefined;
}
