import { checkTransfer } from '../../shared/consensus/checkTransaction.js';
import type { TxReject } from '../../shared/consensus/reject.js';
import { toAmount } from '../../shared/model/amount.js';
import type { TxId } from '../../shared/model/ids.js';
import { type OutPointKey, outPointKey } from '../../shared/model/outpoint.js';
import {
  decodeTransaction,
  inputsOf,
  isTransfer,
  outputValue,
  type Transaction,
} from '../../shared/model/transaction.js';
import type { PoolReject } from '../../shared/policy/reject.js';
import { feeRate } from '../../shared/policy/relay.js';
import { MAX_NAMED, type RuleVerdict, type TransactionExplanation } from '../../shared/rpc/insightSchemas.js';
import { refuse, type Verdict } from '../../shared/verdict.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { Mempool } from './mempool.js';

/** What explaining needs. */
export interface ExplainParts {
  readonly chain: Chainstate;
  readonly mempool: Mempool;
}

/** Why a transaction may be refused. */
type Rejection = TxReject | PoolReject;
type RuleCode = Exclude<Rejection['code'], 'pool-replaced' | 'pool-expired'>;

/**
 * Every rule in the order in which `judge` and `Mempool` check them; a test holds this list to be whole. Signatures are
 * counted twice: roughly before coins are looked up, and exactly once the owners are known.
 */
export const RULE_ORDER = [
  'tx-malformed',
  'tx-coinbase-loose',
  'pool-known',
  'tx-version',
  'tx-too-large',
  'tx-memo-too-long',
  'tx-no-inputs',
  'tx-no-outputs',
  'tx-duplicate-input',
  'tx-value-zero',
  'tx-value-range',
  'tx-signature-count',
  'pool-dust',
  'tx-input-missing',
  'tx-immature',
  'tx-overspend',
  'tx-signature-count',
  'pool-replacement-size',
  'pool-conflict',
  'pool-replacement-fee',
  'pool-replacement-rate',
  'pool-fee-too-low',
  'pool-chain-too-long',
  'pool-chain-too-large',
  'tx-signature-invalid',
  'tx-signature-owner',
  'pool-full',
] as const satisfies readonly RuleCode[];

/** What each rule says to the bytes of a transaction, were they submitted now. Nothing is taken in. */
export async function explain(bytes: Uint8Array, parts: ExplainParts): Promise<TransactionExplanation> {
  const { chain } = parts;
  const decoded = decodeTransaction(bytes);
  if (!decoded.ok) {
    const reject = { code: 'tx-malformed', detail: decoded.detail } as const;
    return {
      ...{ accepted: false, txid: null, wtxid: null, size: bytes.length, fee: null, feeRate: null },
      ...{ missing: [], conflicts: [], rules: rulesOf(refuse(reject), 0) },
    };
  }
  const transaction = decoded.value;
  const verdict = await parts.mempool.dryRun(transaction);
  const { txid, wtxid, raw } = transaction;
  const { missing, conflicts, fee } = lookUp(transaction, parts);
  return {
    ...{ accepted: verdict.ok, txid, wtxid, size: raw.length, fee: fee === null ? null : toAmount(fee) },
    feeRate: fee === null ? null : feeRate(fee, raw.length),
    missing: missing.slice(0, MAX_NAMED),
    conflicts: conflicts.slice(0, MAX_NAMED),
    rules: rulesOf(verdict, verdict.ok ? -1 : placeOf(verdict.reject, transaction, chain)),
  };
}

/** The verdict on each rule, where the one at `failedAt` is the first that failed. */
function rulesOf(verdict: Verdict<unknown, Rejection>, failedAt: number): RuleVerdict[] {
  return RULE_ORDER.map((code, place): RuleVerdict => {
    if (verdict.ok || place < failedAt) return { code, result: 'passed' };
    return place === failedAt ? { code, result: 'failed', reason: verdict.reject } : { code, result: 'not-reached' };
  });
}

/** Where in the order a rule failed. */
function placeOf({ code }: Rejection, transaction: Transaction, { params, tip }: Chainstate): number {
  const first = RULE_ORDER.findIndex((rule) => rule === code);
  if (first < 0) throw new Error(`${code} is no rule of what comes in`);
  if (code !== 'tx-signature-count' || !isTransfer(transaction)) return first;
  const rough = checkTransfer(transaction, params, tip.header.height + 1);
  return rough.ok ? RULE_ORDER.lastIndexOf('tx-signature-count') : first;
}

interface Found {
  readonly missing: readonly OutPointKey[];
  readonly conflicts: readonly TxId[];
  readonly fee: bigint | null;
}

/** What can be said of a transaction's coins, whichever rule it breaks. */
function lookUp(transaction: Transaction, { chain, mempool }: ExplainParts): Found {
  const { pool } = mempool;
  const missing: OutPointKey[] = [];
  const conflicts = new Set<TxId>();
  let value = 0n;
  // Each coin once: who lists one twice has it once.
  const inputs = new Map(inputsOf(transaction).map((input) => [outPointKey(input), input]));
  for (const [key, input] of inputs) {
    const rival = pool.spenderOf(input);
    if (rival !== undefined && rival !== transaction.txid) conflicts.add(rival);
    const coin = pool.get(input.txid)?.transaction.body.outputs[input.index] ?? chain.store.get(input);
    if (coin === undefined) missing.push(key);
    else value += coin.value;
  }
  const fee = value - outputValue(transaction);
  const hasFee = isTransfer(transaction) && missing.length === 0 && fee >= 0n;
  return { missing, conflicts: [...conflicts], fee: hasFee ? fee : null };
}
