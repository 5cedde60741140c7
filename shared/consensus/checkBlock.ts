import { equalBytes } from '../bytes/compare.js';
import { toHex } from '../bytes/hex.js';
import { type Block, rootOfTransactions } from '../model/block.js';
import type { TxId } from '../model/ids.js';
import { type OutPointKey, outPointKey } from '../model/outpoint.js';
import { inputsOf, isCoinbase, isTransfer, type Transaction } from '../model/transaction.js';
import { accept, refuse, type Verdict } from '../verdict.js';
import { checkCoinbase, checkTransfer } from './checkTransaction.js';
import { MAX_BLOCK_BYTES, type NetworkParams } from './params.js';
import type { BlockReject } from './reject.js';

/**
 * Whether these transactions are the ones the header commits to. A failure here says nothing about the header: somebody
 * else may hold the right body, so it blames the sender alone and must never mark the hash invalid (CVE-2012-2459).
 */
export function checkBody({ header, transactions, raw }: Block): Verdict<void, BlockReject> {
  if (raw.length > MAX_BLOCK_BYTES)
    return refuse({ code: 'block-too-large', size: raw.length, limit: MAX_BLOCK_BYTES });
  const computed = rootOfTransactions(transactions);
  if (!equalBytes(computed, header.merkleRoot))
    return refuse({ code: 'block-root', computed: toHex(computed), claimed: toHex(header.merkleRoot) });
  return accept(undefined);
}

/** The rules of a block that need no coins. The body is the header's own, so a failure marks the header invalid. */
export function checkBlock({ header, transactions }: Block, params: NetworkParams): Verdict<void, BlockReject> {
  const coinbase = checkCoinbasePlace(transactions, header.height);
  if (!coinbase.ok) return coinbase;
  const positions = new Map<TxId, number>();
  for (const [position, { txid }] of transactions.entries()) {
    if (positions.has(txid)) return refuse({ code: 'block-duplicate-tx', position, txid });
    positions.set(txid, position);
  }
  for (const [position, transaction] of transactions.entries()) {
    const verdict = isTransfer(transaction)
      ? checkTransfer(transaction, params, header.height)
      : checkCoinbase(transaction, params, header.height);
    if (!verdict.ok) return refuse({ code: 'block-tx', position, reject: verdict.reject });
  }
  return checkSpending(transactions, positions);
}

function checkCoinbasePlace(transactions: readonly Transaction[], height: number): Verdict<void, BlockReject> {
  const [first, ...rest] = transactions;
  if (first === undefined || !isCoinbase(first)) return refuse({ code: 'block-no-coinbase' });
  const extra = rest.findIndex(isCoinbase);
  if (extra >= 0) return refuse({ code: 'block-extra-coinbase', position: extra + 1 });
  if (first.body.height !== height)
    return refuse({ code: 'block-coinbase-height', height: first.body.height, expected: height });
  if (first.signatures.length > 0)
    return refuse({ code: 'block-coinbase-signatures', signatures: first.signatures.length });
  return accept(undefined);
}

function checkSpending(
  transactions: readonly Transaction[],
  positions: ReadonlyMap<TxId, number>,
): Verdict<void, BlockReject> {
  const spent = new Set<OutPointKey>();
  for (const [position, transaction] of transactions.entries()) {
    for (const input of inputsOf(transaction)) {
      const parent = positions.get(input.txid);
      if (parent !== undefined && parent >= position) return refuse({ code: 'block-order', position, parent });
      const outpoint = outPointKey(input);
      if (spent.has(outpoint)) return refuse({ code: 'block-double-spend', position, outpoint });
      spent.add(outpoint);
    }
  }
  return accept(undefined);
}
