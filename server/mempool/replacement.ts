import { outPointKey } from '../../shared/model/outpoint.js';
import type { Transaction, TransferBody } from '../../shared/model/transaction.js';
import type { PoolReject } from '../../shared/policy/reject.js';
import { feeRate, MAX_REPLACED, minimumFee } from '../../shared/policy/relay.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import type { Pool, PoolEntry } from './pool.js';

/** A transaction that would take the place of others, and what it pays. */
export interface Rival {
  readonly transaction: Transaction<TransferBody>;
  readonly fee: bigint;
  readonly together?: Together | undefined;
}

const ALONE: Together = { added: [], replaced: 0 };

/** What the transactions handed in with it have changed before it: one message is one cause, however many it brings. */
export interface Together {
  readonly added: readonly PoolEntry[];
  /** How many had to leave. */
  readonly replaced: number;
}

/** The waiting transactions that spend a coin which this one spends, each once. */
export function conflictsOf({ body }: Transaction<TransferBody>, pool: Pool): PoolEntry[] {
  const conflicts = new Map<string, PoolEntry>();
  for (const input of body.inputs) {
    const spender = pool.spenderOf(input);
    const entry = spender === undefined ? undefined : pool.get(spender);
    if (entry !== undefined) conflicts.set(entry.transaction.txid, entry);
  }
  return [...conflicts.values()];
}

/**
 * Whether a transaction may take the place of those it conflicts with, and which go with them: parents first. Everybody
 * may be replaced, marked or not; the economics are those of BIP 125. It pays for all that it pushes out and for its own
 * relay on top, so that replacing costs as much as sending anew; it pays a better rate than each that it conflicts with,
 * together with whatever unconfirmed it stands on, so that miners never lose by it; and it pushes out few enough for one
 * message not to set off a lot of work, even to find out how many. Nothing takes the place of what came with it.
 */
export function judgeReplacement(
  { transaction, fee, together = ALONE }: Rival,
  conflicts: readonly PoolEntry[],
  pool: Pool,
): Verdict<readonly PoolEntry[], PoolReject> {
  if (conflicts.length === 0) return accept([]);
  const before = together.replaced;
  if (conflicts.length + before > MAX_REPLACED) return tooMany(conflicts.length + before);
  const out = pool.familyBelow(conflicts.map((each) => each.transaction.txid));
  if (out.length + before > MAX_REPLACED) return tooMany(out.length + before);
  const ancestors = ancestorsOf(transaction, pool);
  for (const each of out) {
    // It would stand on what it pushes out, or push out what has come in for its sake.
    if (!ancestors.has(each) && !together.added.includes(each)) continue;
    const outpoint = transaction.body.inputs.find((input) => pool.spenderOf(input) !== undefined);
    const spender = outpoint && pool.spenderOf(outpoint);
    if (outpoint === undefined || spender === undefined) throw new Error('a conflict has no coin that it is about');
    return refuse({ code: 'pool-conflict', outpoint: outPointKey(outpoint), spender });
  }
  const paid = out.reduce((sum, each) => sum + each.fee, 0n);
  const needed = paid + minimumFee(transaction.raw.length);
  if (fee < needed) return refuse({ code: 'pool-replacement-fee', fee, needed });
  const rate = leastRate({ transaction, fee }, ancestors);
  const best = conflicts.reduce((most, each) => Math.max(most, each.rate), 0);
  if (rate <= best) return refuse({ code: 'pool-replacement-rate', rate, needed: best });
  return accept(out);
}

function tooMany(count: number): Verdict<never, PoolReject> {
  return refuse({ code: 'pool-replacement-size', count, limit: MAX_REPLACED });
}

/** Its own rate, or that together with all it stands on where that is less: what a miner would earn with it. */
function leastRate({ transaction, fee }: Rival, ancestors: ReadonlySet<PoolEntry>): number {
  let [fees, bytes] = [fee, transaction.raw.length];
  for (const each of ancestors) {
    fees += each.fee;
    bytes += each.size;
  }
  return Math.min(feeRate(fee, transaction.raw.length), feeRate(fees, bytes));
}

/** The waiting transactions that one cannot do without. */
export function ancestorsOf({ body }: Transaction<TransferBody>, pool: Pool): Set<PoolEntry> {
  const ancestors = new Set<PoolEntry>();
  for (const txid of new Set(body.inputs.map((input) => input.txid)))
    for (const entry of pool.withAncestors(txid)) ancestors.add(entry);
  return ancestors;
}
