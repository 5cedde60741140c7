import type { TxId } from '../../shared/model/ids.js';
import type { Pool, PoolEntry } from '../mempool/pool.js';

/**
 * Which waiting transactions a block takes, parents before children: those that pay best for their bytes first, each
 * together with the ancestors it cannot do without, so that a child pays for its parent.
 */
export function selectTransactions(pool: Pool, maxBytes: number): PoolEntry[] {
  const packages = Array.from(pool.entries(), (entry) => {
    const members = entry.parents.size === 0 ? [entry] : pool.withAncestors(entry.transaction.txid);
    const size = members.reduce((sum, member) => sum + member.size, 0);
    const fee = members.reduce((sum, member) => sum + member.fee, 0n);
    return { members, rate: Number(fee) / size };
  });
  packages.sort((a, b) => b.rate - a.rate);
  const chosen = new Map<TxId, PoolEntry>();
  let bytes = 0;
  for (const { members } of packages) {
    const missing = members.filter((member) => !chosen.has(member.transaction.txid));
    const size = missing.reduce((sum, member) => sum + member.size, 0);
    if (bytes + size > maxBytes) continue;
    for (const member of missing) chosen.set(member.transaction.txid, member);
    bytes += size;
  }
  return [...chosen.values()];
}
