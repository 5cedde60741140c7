import { type CheckedInputs, checkInputs, type InputContext } from '../../shared/consensus/checkInputs.js';
import { checkTransfer } from '../../shared/consensus/checkTransaction.js';
import type { CoinView } from '../../shared/consensus/coins.js';
import type { TxReject } from '../../shared/consensus/reject.js';
import { toHeight } from '../../shared/model/height.js';
import type { TxId } from '../../shared/model/ids.js';
import { outPointKey } from '../../shared/model/outpoint.js';
import { isTransfer, type Transaction, type TransferBody } from '../../shared/model/transaction.js';
import type { PoolReject } from '../../shared/policy/reject.js';
import { MAX_CHAIN, minimumFee } from '../../shared/policy/relay.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import type { Pool } from './pool.js';

/** What a transaction is judged against. */
export interface JudgeContext extends InputContext {
  readonly coins: CoinView;
  readonly pool: Pool;
  /** Whether it was in a block before: miners have taken its fee for enough. */
  readonly wasMined?: boolean;
  /** The height at which a transaction is confirmed, if it is. */
  readonly confirmedAt: (txid: TxId) => number | undefined;
}

/** A transaction that may wait here, once its signatures are checked. */
export interface Admission extends CheckedInputs {
  readonly transaction: Transaction<TransferBody>;
}

/**
 * Whether a transaction may wait for a block: consensus as if it stood in the next one, then what this node relays.
 * Cheap rules first; signatures are left for last, and for whoever asks.
 */
export function judge(transaction: Transaction, context: JudgeContext): Verdict<Admission, TxReject | PoolReject> {
  const { pool, coins, params, height } = context;
  const { txid } = transaction;
  if (!isTransfer(transaction)) return refuse({ code: 'tx-coinbase-loose' });
  if (pool.get(txid) !== undefined) return refuse({ code: 'pool-known', txid, confirmedAt: null });
  const confirmedAt = context.confirmedAt(txid);
  if (confirmedAt !== undefined) return refuse({ code: 'pool-known', txid, confirmedAt });
  const rules = checkTransfer(transaction, params, height);
  if (!rules.ok) return rules;
  for (const input of transaction.body.inputs) {
    const spender = pool.spenderOf(input);
    if (spender !== undefined) return refuse({ code: 'pool-conflict', outpoint: outPointKey(input), spender });
  }
  const inputs = checkInputs(transaction, withPool(coins, pool, height), context);
  if (!inputs.ok) return inputs;
  const minimum = minimumFee(transaction.raw.length);
  const { fee } = inputs.value;
  if (fee < minimum && !context.wasMined) return refuse({ code: 'pool-fee-too-low', fee, minimum });
  const length = chainLength(transaction, pool);
  if (length > MAX_CHAIN) return refuse({ code: 'pool-chain-too-long', length, limit: MAX_CHAIN });
  return accept({ transaction, ...inputs.value });
}

/** The coins of the chain, and those that waiting transactions will make. */
export function withPool(coins: CoinView, pool: Pool, nextHeight: number): CoinView {
  return {
    get(outpoint) {
      const output = pool.get(outpoint.txid)?.transaction.body.outputs[outpoint.index];
      if (output === undefined) return coins.get(outpoint);
      return { ...output, height: toHeight(nextHeight), coinbase: false };
    },
  };
}

/**
 * The longest family the transaction would join: its ancestors with itself, or any ancestor's descendants with itself.
 * Bounded both ways, so that no single arrival or eviction can set off more work than this.
 */
function chainLength(transaction: Transaction<TransferBody>, pool: Pool): number {
  const ancestors = new Set<TxId>();
  for (const { txid } of transaction.body.inputs) {
    if (pool.get(txid) === undefined) continue;
    for (const entry of pool.withAncestors(txid)) ancestors.add(entry.transaction.txid);
    if (ancestors.size >= MAX_CHAIN) return ancestors.size + 1;
  }
  let longest = ancestors.size + 1;
  for (const ancestor of ancestors) longest = Math.max(longest, pool.withDescendants(ancestor).length + 1);
  return longest;
}
