import type { TxReject } from '../../shared/consensus/reject.js';
import type { Transaction } from '../../shared/model/transaction.js';
import type { PoolReject } from '../../shared/policy/reject.js';
import { feeRate } from '../../shared/policy/relay.js';
import { refuse, type Verdict } from '../../shared/verdict.js';
import { chooseVictims } from './eviction.js';
import { type Admission, judge } from './judge.js';
import type { Mempool } from './mempool.js';
import type { MempoolParts } from './mempoolParts.js';

/** What a dry run needs: the mempool itself, and what it judges with. */
export interface DryRunParts extends Pick<MempoolParts, 'chain' | 'signatures' | 'verified'> {
  readonly mempool: Mempool;
}

/**
 * What `Mempool.submit` would answer now, by the same rules in the same order, with nothing taken in, given up or told.
 * Signatures that pass are remembered as they are there: whoever asks first and then submits has them checked once.
 */
export async function dryRun(
  transaction: Transaction,
  parts: DryRunParts,
): Promise<Verdict<Admission, TxReject | PoolReject>> {
  const { mempool, signatures, verified } = parts;
  await mempool.atRest();
  const first = judgeNow(transaction, parts);
  if (!first.ok) return first;
  const { wtxid, raw } = transaction;
  if (!verified.has(wtxid)) {
    const [passed] = await signatures.check([first.value.signatures()]);
    if (passed === undefined) throw new Error('a signature check came back without a verdict');
    if (!passed.ok) return passed;
    verified.add(wtxid);
    await mempool.atRest();
  }
  const verdict = judgeNow(transaction, parts);
  if (!verdict.ok) return verdict;
  const { pool, maxBytes } = mempool;
  const excess = pool.bytes + raw.length - maxBytes;
  const newcomer = { newcomer: transaction, rate: feeRate(verdict.value.fee, raw.length), excess };
  if (excess <= 0 || chooseVictims(pool, newcomer) !== undefined) return verdict;
  return refuse({ code: 'pool-full', bytes: pool.bytes, limit: maxBytes });
}

function judgeNow(transaction: Transaction, { chain, mempool }: DryRunParts): ReturnType<typeof judge> {
  return judge(transaction, {
    params: chain.params,
    genesis: chain.genesis.header.hash,
    height: chain.tip.header.height + 1,
    coins: chain.store,
    pool: mempool.pool,
    confirmedAt: (txid) => chain.store.place(txid)?.height,
  });
}
