import { type CheckedInputs, checkInputs, type InputContext } from '../../shared/consensus/checkInputs.js';
import { checkTransfer } from '../../shared/consensus/checkTransaction.js';
import type { CoinView } from '../../shared/consensus/coins.js';
import type { TxReject } from '../../shared/consensus/reject.js';
import { toHeight } from '../../shared/model/height.js';
import type { TxId } from '../../shared/model/ids.js';
import { isTransfer, type Transaction, type TransferBody } from '../../shared/model/transaction.js';
import type { PoolReject } from '../../shared/policy/reject.js';
import { DUST_VALUE, minimumFee } from '../../shared/policy/relay.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import { checkFamily, checkParents } from './family.js';
import type { Pool, PoolEntry } from './pool.js';
import { conflictsOf, judgeReplacement, type Together } from './replacement.js';

/** What a transaction is judged against. */
export interface JudgeContext extends InputContext {
  readonly coins: CoinView;
  readonly pool: Pool;
  /** The least fee rate that gets in, in base units for each byte. */
  readonly floor: number;
  /** Whether what it pays was good enough before: it has waited here, or was in a block. */
  readonly isExempt?: boolean;
  /** What its package has changed so far. */
  readonly together?: Together | undefined;
  /** The height at which a transaction is confirmed, if it is. */
  readonly confirmedAt: (txid: TxId) => number | undefined;
}

/** A transaction that may wait here, once its signatures are checked. */
export interface Admission extends CheckedInputs {
  readonly transaction: Transaction<TransferBody>;
  /** The waiting transactions whose place it takes, parents first. */
  readonly replaces: readonly PoolEntry[];
}

/**
 * Whether a transaction may wait for a block: consensus as if it stood in the next one, then what this node relays.
 * Cheap rules first; signatures are left for last, and for whoever asks.
 */
export function judge(transaction: Transaction, context: JudgeContext): Verdict<Admission, TxReject | PoolReject> {
  const { pool, coins, params, height, floor, isExempt = false } = context;
  const { txid } = transaction;
  if (!isTransfer(transaction)) return refuse({ code: 'tx-coinbase-loose' });
  if (pool.get(txid) !== undefined) return refuse({ code: 'pool-known', txid, confirmedAt: null });
  const confirmedAt = context.confirmedAt(txid);
  if (confirmedAt !== undefined) return refuse({ code: 'pool-known', txid, confirmedAt });
  const rules = checkTransfer(transaction, params, height);
  if (!rules.ok) return rules;
  const dust = isExempt ? accept(undefined) : checkDust(transaction);
  if (!dust.ok) return dust;
  const inputs = checkInputs(transaction, withPool(coins, pool, height), context);
  if (!inputs.ok) return inputs;
  const { fee } = inputs.value;
  // First of all: what is asked after it grows with what it stands on.
  const parents = checkParents(transaction, pool);
  if (!parents.ok) return parents;
  const rival = { transaction, fee, together: context.together };
  const replaced = judgeReplacement(rival, conflictsOf(transaction, pool), pool);
  if (!replaced.ok) return replaced;
  const minimum = minimumFee(transaction.raw.length, floor);
  if (fee < minimum && !isExempt) return refuse({ code: 'pool-fee-too-low', fee, minimum });
  const family = checkFamily(transaction, pool, replaced.value);
  if (!family.ok) return family;
  return accept({ transaction, replaces: replaced.value, ...inputs.value });
}

/** Dust is refused by choice: everybody would have to keep coins for ever that nobody will spend. */
function checkDust({ body }: Transaction<TransferBody>): Verdict<void, PoolReject> {
  for (const [output, { value }] of body.outputs.entries())
    if (value < DUST_VALUE) return refuse({ code: 'pool-dust', output, value, least: DUST_VALUE });
  return accept(undefined);
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
