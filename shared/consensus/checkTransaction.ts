import { ZERO_AMOUNT } from '../model/amount.js';
import { type OutPoint, type OutPointKey, outPointKey } from '../model/outpoint.js';
import type { Transaction, TransferBody } from '../model/transaction.js';
import { accept, refuse, type Verdict } from '../verdict.js';
import { MAX_MEMO_BYTES, MAX_TRANSACTION_BYTES, type NetworkParams, versionAt } from './params.js';
import type { TxReject } from './reject.js';

/**
 * The rules that need nothing but the transaction and the height it is meant for. Cheap ones come first and all come
 * before any coin is loaded, so that nonsense costs its sender more than it costs us.
 */
export function checkTransfer(
  transaction: Transaction<TransferBody>,
  params: NetworkParams,
  height: number,
): Verdict<void, TxReject> {
  const { body, signatures } = transaction;
  const common = checkCommon(transaction, params, height);
  if (!common.ok) return common;
  if (body.inputs.length === 0) return refuse({ code: 'tx-no-inputs' });
  if (body.outputs.length === 0) return refuse({ code: 'tx-no-outputs' });
  // CVE-2018-17144: a coin listed twice would be counted twice and spent once.
  const duplicate = firstDuplicate(body.inputs);
  if (duplicate !== undefined) return refuse({ code: 'tx-duplicate-input', outpoint: duplicate });
  const values = checkOutputs(transaction, params);
  if (!values.ok) return values;
  if (signatures.length < 1 || signatures.length > body.inputs.length)
    return refuse({
      code: 'tx-signature-count',
      signatures: signatures.length,
      expected: `1 to ${body.inputs.length}`,
    });
  return accept(undefined);
}

/** The rules that a coinbase shares with transfers. It may have no outputs, where nothing is due. */
export function checkCoinbase(
  transaction: Transaction,
  params: NetworkParams,
  height: number,
): Verdict<void, TxReject> {
  const common = checkCommon(transaction, params, height);
  return common.ok ? checkOutputs(transaction, params) : common;
}

function checkCommon({ body, raw }: Transaction, params: NetworkParams, height: number): Verdict<void, TxReject> {
  const highest = versionAt(params, height);
  if (body.version < 1 || body.version > highest) return refuse({ code: 'tx-version', version: body.version, highest });
  if (raw.length > MAX_TRANSACTION_BYTES)
    return refuse({ code: 'tx-too-large', size: raw.length, limit: MAX_TRANSACTION_BYTES });
  if (body.memo.length > MAX_MEMO_BYTES)
    return refuse({ code: 'tx-memo-too-long', length: body.memo.length, limit: MAX_MEMO_BYTES });
  return accept(undefined);
}

function checkOutputs({ body }: Transaction, params: NetworkParams): Verdict<void, TxReject> {
  let sum = 0n;
  for (const [output, { value }] of body.outputs.entries()) {
    if (value === ZERO_AMOUNT) return refuse({ code: 'tx-value-zero', output });
    // CVE-2010-5139: every partial sum is held against the cap, not the last one only.
    sum += value;
    if (sum > params.maxSupply) return refuse({ code: 'tx-value-range', output });
  }
  return accept(undefined);
}

function firstDuplicate(inputs: readonly OutPoint[]): OutPointKey | undefined {
  if (inputs.length < 2) return undefined;
  const seen = new Set<OutPointKey>();
  for (const input of inputs) {
    const key = outPointKey(input);
    if (seen.has(key)) return key;
    seen.add(key);
  }
  return undefined;
}
