import { AssertionError } from 'node:assert';
import { join } from 'node:path';
import type { Chainstate } from '../../server/chain/chainstate.js';
import { VerifiedSet } from '../../server/chain/verifiedSet.js';
import { SavedPool } from '../../server/mempool/savedPool.js';
import { lmdbKv } from '../../server/store/lmdbKv.js';
import { lockDirectory } from '../../server/store/lock.js';
import type { Block } from '../../shared/model/block.js';
import { outPointKey } from '../../shared/model/outpoint.js';
import { inputsOf } from '../../shared/model/transaction.js';
import { present } from '../kit/assertOk.js';
import { silentLog } from '../kit/sim/silentLog.js';
import { memoryChain, stillClock, testSignatures } from '../support/memoryChain.js';
import { memoryMempool } from '../support/memoryMempool.js';
import { assertStoreEqualsReplay } from '../support/replay.js';
import type { Acknowledged } from './scenario.js';

/** What a data directory has lost, in words; empty where all is well. */
export interface Damage {
  readonly lost: readonly string[];
  readonly mismatches: readonly string[];
}

/** Opens what a process left behind, as the next one would, and looks for what should be there. */
export async function findDamage(directory: string, acknowledged: Acknowledged): Promise<Damage> {
  const lock = await lockDirectory(directory);
  const kv = lmdbKv({ directory: join(directory, 'chain'), synced: true });
  const poolKv = lmdbKv({ directory: join(directory, 'pool'), synced: false });
  try {
    const [clock, verified, signatures] = [stillClock(), new VerifiedSet(), await testSignatures()];
    const keep = (block: Block): Promise<void> => new SavedPool(poolKv, silentLog).keep(block, clock.now());
    const chain = await memoryChain({ kv, clock, verified, signatures, keep });
    const mempool = await memoryMempool(chain, { kv: poolKv, clock, verified, signatures });
    const blocks = acknowledged.blocks.filter((hash) => {
      const record = chain.store.header(hash);
      if (record === undefined || record.body === null || chain.store.rawBlock(hash) === undefined) return true;
      return !record.invalid && record.work > chain.tip.work;
    });
    const spenders = spendersOn(chain);
    const transactions = acknowledged.transactions.filter((transaction) => {
      const { txid } = transaction;
      if (mempool.pool.get(txid) !== undefined || chain.store.place(txid) !== undefined) return false;
      // A block may confirm another transfer of the same coin: that is no loss.
      return !inputsOf(transaction).some((input) => (spenders.get(outPointKey(input)) ?? txid) !== txid);
    });
    await mempool.close();
    return {
      lost: [...blocks.map((hash) => `block ${hash}`), ...transactions.map(({ txid }) => `transaction ${txid}`)],
      mismatches: mismatchesOf(chain),
    };
  } finally {
    await poolKv.close();
    await kv.close();
    await lock.release();
  }
}

/** Which transaction spends which coin on the active chain. */
function spendersOn({ store, tip }: Chainstate): Map<string, string> {
  const spenders = new Map<string, string>();
  for (let height = 1; height <= tip.header.height; height++)
    for (const transaction of store.block(present(store.hashAt(height))).transactions)
      for (const input of inputsOf(transaction)) spenders.set(outPointKey(input), transaction.txid);
  return spenders;
}

function mismatchesOf(chain: Chainstate): string[] {
  try {
    assertStoreEqualsReplay(chain);
    return [];
  } catch (error) {
    if (error instanceof AssertionError) return [error.message];
    throw error;
  }
}
