import type { CoinView } from '../../shared/consensus/coins.js';
import type { TxId } from '../../shared/model/ids.js';
import type { Transaction, TransferBody } from '../../shared/model/transaction.js';
import type { Pool } from './pool.js';

/** What is known of transactions here. */
export interface Known {
  readonly pool: Pick<Pool, 'get'>;
  /** The coins of the chain. */
  readonly coins: CoinView;
  readonly isConfirmed: (txid: TxId) => boolean;
}

/**
 * The transactions that another spends from and that are not known here. `undefined` where it waits in vain: it spends what
 * a known transaction never made, or a coin of the chain that is gone.
 */
export function missingParents(
  { body }: Transaction<TransferBody>,
  { pool, coins, isConfirmed }: Known,
): Set<TxId> | undefined {
  const missing = new Set<TxId>();
  for (const input of body.inputs) {
    const parent = pool.get(input.txid);
    if (parent === undefined ? coins.get(input) !== undefined : input.index < parent.transaction.body.outputs.length)
      continue;
    if (parent !== undefined || isConfirmed(input.txid)) return undefined;
    missing.add(input.txid);
  }
  return missing;
}
