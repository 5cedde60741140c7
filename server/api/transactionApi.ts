import { toBase64 } from '../../shared/bytes/base64.js';
import { TrestleError } from '../../shared/errors.js';
import { toAmount } from '../../shared/model/amount.js';
import type { TxId } from '../../shared/model/ids.js';
import { decodeTransaction, outputValue, type Transaction } from '../../shared/model/transaction.js';
import {
  MAX_BODIES_BYTES,
  MAX_IDS,
  type SubmittedTransaction,
  type TransactionApi,
  type WaitingTransaction,
} from '../../shared/rpc/transactionSchemas.js';
import { followTransactions } from '../events/followTransactions.js';
import type { Subscriptions } from '../events/subscriptions.js';
import { type ExplainParts, explain } from '../mempool/explain.js';
import type { FeeWatch } from '../mempool/feeWatch.js';
import type { Mempool } from '../mempool/mempool.js';
import type { PoolEntry } from '../mempool/pool.js';
import type { Clock } from '../ports.js';
import type { Relay } from '../relay/relay.js';
import { notFound } from './lookup.js';
import { parseCursor } from './pages.js';
import { type StatusParts, statusOf } from './transactionStatus.js';
import { transactionView } from './views.js';

/** What the `transaction` router works on. */
export interface TransactionApiParts extends StatusParts, ExplainParts {
  readonly fees: FeeWatch;
  readonly relay: Relay;
  readonly subscriptions: Subscriptions;
  readonly clock: Pick<Clock, 'yield'>;
}

/** Answers the `transaction` router. */
export function createTransactionApi(parts: TransactionApiParts): TransactionApi {
  const { chain, mempool, fees, relay, subscriptions, clock } = parts;
  return {
    get: async ({ txid }) => {
      const waiting = mempool.pool.get(txid);
      if (waiting !== undefined)
        return transactionView(chain, waiting.transaction, { spent: waiting.spent, place: null });
      const confirmed = chain.store.confirmed(txid);
      if (confirmed === undefined) throw notFound(`transaction ${txid}`);
      const { transaction, spent, hash, place } = confirmed;
      const record = chain.headers.require(hash);
      return transactionView(chain, transaction, { spent, place: { record, position: place.position } });
    },
    list: async (input) => {
      // By order of arrival, not by position: what comes or goes between two pages shifts nothing.
      const before = input.cursor === undefined ? Number.POSITIVE_INFINITY : parseCursor(input.cursor);
      const entries = [...mempool.pool.entries()]
        .filter(({ arrival }) => arrival < before)
        .sort((a, b) => b.arrival - a.arrival);
      const items = entries.slice(0, input.limit);
      const last = items.at(-1);
      return { items: items.map(summary), next: last && entries.length > items.length ? String(last.arrival) : null };
    },
    ids: async ({ cursor = '' }) => {
      const sorted = [...mempool.pool.wtxids()].filter((wtxid) => wtxid > cursor).sort();
      const items = sorted.slice(0, MAX_IDS);
      return { items, next: sorted.length > items.length ? (items.at(-1) ?? null) : null };
    },
    raw: async ({ wtxids, txids = [] }) => {
      const { pool } = mempool;
      const wanted = new Map<TxId, PoolEntry>();
      for (const entry of [...wtxids.map((id) => pool.byWtxid(id)), ...txids.map((id) => pool.get(id))])
        if (entry !== undefined) wanted.set(entry.transaction.txid, entry);
      let bytes = 0;
      const transactions: string[] = [];
      for (const { transaction } of parentsFirst(wanted, mempool)) {
        bytes += transaction.raw.length;
        if (bytes > MAX_BODIES_BYTES) break;
        transactions.push(toBase64(transaction.raw));
      }
      return { transactions };
    },
    submit: async (input) => {
      if ('transaction' in input) {
        const verdict = await mempool.submit(decode(input.transaction), null);
        if (!verdict.ok) throw new TrestleError(verdict.reject);
        return submitted(verdict.value);
      }
      return submitTogether(parts, input.transactions.map(decode));
    },
    status: async ({ txid }) => {
      // Amid a switch of branches the answer would be that of neither.
      await mempool.atRest();
      return statusOf(txid, parts);
    },
    explain: ({ transaction }) => explain(transaction, parts),
    estimateFee: async ({ blocks }) => ({ blocks, ...fees.estimate(blocks, mempool.minFeeRate) }),
    onChange: ({ after, lastEventId, ...watched }, { remoteAddress }, signal) => {
      const options = { ...watched, after: lastEventId ?? after, signal };
      return subscriptions.open({ remoteAddress, signal }, followTransactions({ chain, mempool, clock }, options));
    },
    announce: async ({ wtxids }, session) => ({ wanted: relay.transactionsAnnounced(wtxids, session.url) }),
  };
}

/** Parents before children, so that whoever takes them in one by one finds each one's inputs. */
function parentsFirst(wanted: ReadonlyMap<TxId, PoolEntry>, mempool: Mempool): Iterable<PoolEntry> {
  const ordered = new Map<TxId, PoolEntry>();
  for (const { transaction } of wanted.values()) {
    for (const entry of mempool.pool.withAncestors(transaction.txid))
      if (wanted.has(entry.transaction.txid)) ordered.set(entry.transaction.txid, entry);
  }
  return ordered.values();
}

function decode(bytes: Uint8Array): Transaction {
  const transaction = decodeTransaction(bytes);
  if (!transaction.ok) throw new TrestleError({ code: 'tx-malformed', detail: transaction.detail });
  return transaction.value;
}

/** All or none. Parents that wait already or are confirmed are passed over; the last one has to be waiting in the end. */
async function submitTogether(
  { chain, mempool }: Pick<TransactionApiParts, 'chain' | 'mempool'>,
  transactions: readonly Transaction[],
): Promise<SubmittedTransaction> {
  if (transactions.some(({ txid }) => mempool.pool.get(txid) === undefined)) {
    const verdict = await mempool.submitPackage(transactions, null);
    if (!verdict.ok) throw new TrestleError(verdict.reject);
  }
  const entries = transactions.flatMap(({ txid }) => mempool.pool.get(txid) ?? []);
  const last = entries.at(-1);
  const child = transactions.at(-1);
  if (child === undefined) throw new Error('a list of transactions has none');
  if (last?.transaction.txid !== child.txid)
    throw new TrestleError({
      code: 'pool-known',
      txid: child.txid,
      confirmedAt: chain.store.place(child.txid)?.height ?? null,
    });
  return { ...submitted(last), parents: entries.slice(0, -1).map(submitted) };
}

function submitted({ transaction: { txid, wtxid }, fee, size }: PoolEntry): SubmittedTransaction {
  return { txid, wtxid, fee: toAmount(fee), size };
}

function summary({ transaction, size, fee, firstSeen }: PoolEntry): WaitingTransaction {
  const { txid, wtxid } = transaction;
  const value = toAmount(outputValue(transaction));
  return { txid, wtxid, size, value, fee: toAmount(fee), firstSeen };
}
