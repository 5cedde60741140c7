import type { Chainstate } from '../../server/chain/chainstate.js';
import { VerifiedSet } from '../../server/chain/verifiedSet.js';
import { Mempool } from '../../server/mempool/mempool.js';
import type { MempoolParts } from '../../server/mempool/mempoolParts.js';
import { memoryKv } from '../../server/store/memoryKv.js';
import { MAX_POOL_BYTES } from '../../shared/policy/relay.js';
import { silentLog } from '../kit/sim/silentLog.js';
import { stillClock, testSignatures } from './memoryChain.js';

/** A real mempool over a store in memory. */
export async function memoryMempool(chain: Chainstate, parts: Partial<MempoolParts> = {}): Promise<Mempool> {
  return Mempool.open({
    chain,
    kv: memoryKv(),
    signatures: await testSignatures(),
    verified: new VerifiedSet(),
    clock: stillClock(),
    log: silentLog,
    maxBytes: MAX_POOL_BYTES,
    ...parts,
  });
}
