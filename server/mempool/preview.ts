import { checkInputs, type SignatureCheck } from '../../shared/consensus/checkInputs.js';
import { checkTransfer } from '../../shared/consensus/checkTransaction.js';
import type { CoinView } from '../../shared/consensus/coins.js';
import type { TxReject } from '../../shared/consensus/reject.js';
import { toHeight } from '../../shared/model/height.js';
import type { TxId } from '../../shared/model/ids.js';
import { isTransfer, type Transaction } from '../../shared/model/transaction.js';
import type { PoolReject } from '../../shared/policy/reject.js';
import { minimumFee } from '../../shared/policy/relay.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import { type JudgeContext, withPool } from './judge.js';

/** Signatures that have to be checked. */
export interface Signed {
  readonly transaction: Transaction;
  readonly check: () => SignatureCheck;
}

/**
 * What has to be signed for several transactions to be taken in together, parents first: a child's coins may be those of a
 * parent that is not here yet. Looks at consensus and at what they pay in all, which nobody gets checked for nothing;
 * changes nothing, so that junk signatures push nobody out and raise no floor. Those that are known are passed over.
 */
export function preview(
  transactions: readonly Transaction[],
  context: JudgeContext,
): Verdict<readonly Signed[], TxReject | PoolReject> {
  const { pool, coins, params, height, floor, confirmedAt } = context;
  const made = new Map<TxId, Transaction>();
  const below = withPool(coins, pool, height);
  const view: CoinView = {
    get({ txid, index }) {
      const output = made.get(txid)?.body.outputs[index];
      return output === undefined
        ? below.get({ txid, index })
        : { ...output, height: toHeight(height), coinbase: false };
    },
  };
  const signed: Signed[] = [];
  let [fees, bytes] = [0n, 0];
  for (const transaction of transactions) {
    const { txid } = transaction;
    if (pool.get(txid) !== undefined || confirmedAt(txid) !== undefined) continue;
    if (!isTransfer(transaction)) return refuse({ code: 'tx-coinbase-loose' });
    const rules = checkTransfer(transaction, params, height);
    if (!rules.ok) return rules;
    const inputs = checkInputs(transaction, view, context);
    if (!inputs.ok) return inputs;
    made.set(txid, transaction);
    signed.push({ transaction, check: inputs.value.signatures });
    fees += inputs.value.fee;
    bytes += transaction.raw.length;
  }
  const minimum = minimumFee(bytes, floor);
  return fees < minimum ? refuse({ code: 'pool-fee-too-low', fee: fees, minimum }) : accept(signed);
}
