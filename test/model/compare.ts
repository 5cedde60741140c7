import { byRate } from '../../server/mempool/clusters.js';
import type { Mempool } from '../../server/mempool/mempool.js';
import type { Pool } from '../../server/mempool/pool.js';
import { outPointKey } from '../../shared/model/outpoint.js';
import type { NaivePool } from './naivePool.js';

/** Two ways to compute a power of two may differ in the last digits. */
const EXACTNESS = 1e-9;

/** In what the real pool differs from the naive one; `undefined`: in nothing. */
export function differenceOf(mempool: Mempool, naive: NaivePool, now: number): string | undefined {
  const { pool } = mempool;
  const broken = brokenInvariantOf(pool);
  if (broken !== undefined) return `invariant: ${broken}`;
  const real = Array.from(
    pool.entries(),
    ({ transaction, fee, firstSeen }) => `${transaction.txid} ${fee} ${firstSeen}`,
  );
  const plain = naive.waiting.map(({ tx, fee, firstSeen }) => `${tx.txid} ${fee} ${firstSeen}`);
  const waiting = differ('waiting', real.sort(), plain.sort());
  if (waiting !== undefined) return waiting;
  const order = differ(
    'chunks',
    pool.chunks().map(({ entries, fee }) => `${fee} ${entries.map(({ transaction }) => transaction.txid).sort()}`),
    naive.chunks().map(({ members, fee }) => `${fee} ${members.map(({ tx }) => tx.txid).sort()}`),
  );
  if (order !== undefined) return order;
  if (pool.usage !== naive.usage) return `usage ${pool.usage}, not ${naive.usage}`;
  const [mine, other] = [mempool.minFeeRate, naive.floor(now)];
  return Math.abs(mine / other - 1) > EXACTNESS ? `floor ${mine}, not ${other}` : undefined;
}

export function differ(what: string, real: readonly string[], plain: readonly string[]): string | undefined {
  const at = [...real, ...plain].findIndex((_, i) => real[i] !== plain[i]);
  return at < 0 ? undefined : `${what}: ${real[at]} at ${at}, not ${plain[at]} (of ${real.length} and ${plain.length})`;
}

/** What must hold of a pool whatever is in it. */
export function brokenInvariantOf(pool: Pool): string | undefined {
  const spent = new Set<string>();
  const sums = { count: 0, bytes: 0, usage: 0, fees: 0n };
  for (const { transaction, parents, size, usage, fee } of pool.entries()) {
    const { txid, wtxid, body } = transaction;
    if (pool.byWtxid(wtxid)?.transaction.txid !== txid) return `${txid} is not found by its wtxid`;
    const expected = new Set<string>();
    for (const input of body.inputs) {
      const key = outPointKey(input);
      if (spent.has(key)) return `${key} is spent twice`;
      spent.add(key);
      if (pool.spenderOf(input) !== txid) return `${key} is not known to be spent by ${txid}`;
      if (pool.get(input.txid) !== undefined) expected.add(input.txid);
    }
    if ([...parents].sort().join() !== [...expected].sort().join()) return `${txid} has other parents`;
    for (const parent of parents) if (![...pool.childrenOf(parent)].includes(txid)) return `${txid} is no child`;
    for (const child of pool.childrenOf(txid)) if (!pool.get(child)?.parents.has(txid)) return `${child} is no child`;
    for (const address of new Set(body.outputs.map((output) => output.address)))
      if (!pool.touching(address).some((each) => each.transaction.txid === txid)) return `${txid} touches nobody`;
    sums.count += 1;
    sums.bytes += size;
    sums.usage += usage;
    sums.fees += fee;
  }
  for (const key of ['count', 'bytes', 'usage', 'fees'] as const)
    if (pool[key] !== sums[key]) return `${key} ${pool[key]}, not ${sums[key]}`;
  return brokenOrderOf(pool);
}

/** Each entry in one chunk; chunks best first; what is taken in this order finds its parents taken. */
function brokenOrderOf(pool: Pool): string | undefined {
  const taken = new Set<string>();
  const chunks = pool.chunks();
  for (const [i, chunk] of chunks.entries()) {
    const before = chunks[i - 1];
    if (before !== undefined && byRate(before, chunk) >= 0) return `chunk ${i} is out of order`;
    if (chunk.after !== undefined && !chunks.slice(0, i).includes(chunk.after)) return `chunk ${i} comes too early`;
    for (const { transaction, parents } of chunk.entries) {
      if (pool.chunkOf(transaction.txid) !== chunk) return `${transaction.txid} is in another chunk`;
      for (const parent of parents) if (!taken.has(parent)) return `${transaction.txid} comes before its parent`;
      if (taken.has(transaction.txid)) return `${transaction.txid} is in two chunks`;
      taken.add(transaction.txid);
    }
  }
  return taken.size === pool.count ? undefined : `${pool.count - taken.size} are in no chunk`;
}
