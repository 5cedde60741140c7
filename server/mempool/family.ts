import type { Transaction, TransferBody } from '../../shared/model/transaction.js';
import type { PoolReject } from '../../shared/policy/reject.js';
import { MAX_CHAIN, MAX_CHAIN_BYTES, MAX_CLUSTER } from '../../shared/policy/relay.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import type { Pool, PoolEntry } from './pool.js';
import { ancestorsOf } from './replacement.js';

/**
 * Whether a transaction may hang together with those that wait: with its ancestors, and any of these with its descendants,
 * few in number and in bytes; and all that hang together by whatever ways not too many, for they are put in order as one.
 * Bounded all ways, so that no single arrival, eviction or block sets off more work than this. `out` leaves for it.
 */
export function checkFamily(
  transaction: Transaction<TransferBody>,
  pool: Pool,
  out: readonly PoolEntry[],
): Verdict<void, PoolReject> {
  const ancestors = ancestorsOf(transaction, pool);
  if (ancestors.size === 0) return accept(undefined);
  const lines: Iterable<PoolEntry>[] = [ancestors];
  const leaving = new Set(out);
  for (const { transaction: ancestor } of ancestors)
    lines.push(pool.withDescendants(ancestor.txid).filter((entry) => !leaving.has(entry)));
  const sizes = lines.map((line) => sizeWith(transaction.raw.length, line));
  const length = Math.max(...sizes.map((size) => size.length));
  if (length > MAX_CHAIN) return refuse({ code: 'pool-chain-too-long', length, limit: MAX_CHAIN });
  const txids = Array.from(ancestors, (entry) => entry.transaction.txid);
  const all = pool.clusterSize(txids, leaving) + 1;
  if (all > MAX_CLUSTER) return refuse({ code: 'pool-chain-too-long', length: all, limit: MAX_CLUSTER });
  const bytes = Math.max(...sizes.map((size) => size.bytes));
  return bytes > MAX_CHAIN_BYTES
    ? refuse({ code: 'pool-chain-too-large', bytes, limit: MAX_CHAIN_BYTES })
    : accept(undefined);
}

/** Whether few enough wait of what it spends from: counted before anybody walks along their ancestors. */
export function checkParents({ body }: Transaction<TransferBody>, pool: Pool): Verdict<void, PoolReject> {
  const parents = new Set(body.inputs.map((input) => input.txid).filter((txid) => pool.get(txid) !== undefined));
  const length = parents.size + 1;
  return length > MAX_CHAIN ? refuse({ code: 'pool-chain-too-long', length, limit: MAX_CHAIN }) : accept(undefined);
}

function sizeWith(own: number, others: Iterable<PoolEntry>): { readonly length: number; readonly bytes: number } {
  let [length, bytes] = [1, own];
  for (const { size } of others) {
    length += 1;
    bytes += size;
  }
  return { length, bytes };
}
