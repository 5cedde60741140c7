import { toAmount } from '../../shared/model/amount.js';
import { toHeight } from '../../shared/model/height.js';
import { type BlockHash, parseId, type TxId } from '../../shared/model/ids.js';
import type { TransactionStatus } from '../../shared/rpc/insightSchemas.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { Departure, Departures } from '../mempool/departures.js';
import type { Mempool } from '../mempool/mempool.js';

/** Who knows what has become of a transaction. */
export interface StatusParts {
  readonly chain: Chainstate;
  readonly mempool: Mempool;
  readonly departures: Departures;
}

/**
 * What has become of a transaction. The chain is asked first, then the waiting transactions, then those that left: what
 * is confirmed or waits again has no departure that counts, so that no reorganisation leaves a wrong answer.
 */
export function statusOf(txid: TxId, { chain, mempool, departures }: StatusParts): TransactionStatus {
  const place = chain.store.place(txid);
  const record = place === undefined ? undefined : chain.at(place.height);
  if (place !== undefined && record !== undefined) {
    const { height, hash } = record.header;
    const depth = chain.tip.header.height - height + 1;
    return { state: 'confirmed', txid, hash, height: toHeight(height), position: place.position, depth };
  }
  const waiting = mempool.pool.get(txid);
  if (waiting !== undefined) {
    const { firstSeen, fee, size, rate } = waiting;
    const ahead = mempool.pool.histogram.above(rate);
    return { state: 'pending', txid, firstSeen, fee: toAmount(fee), size, feeRate: rate, ahead };
  }
  const departure = departures.get(txid);
  return departure === undefined ? { state: 'unknown', txid } : goneStatus(txid, departure, chain);
}

function goneStatus(txid: TxId, { at, code, by }: Departure, chain: Chainstate): TransactionStatus {
  const gone = { txid, at, code };
  switch (code) {
    case 'pool-replaced':
      return { state: 'replaced', ...gone, by: parseId<TxId>(by ?? '') ?? null };
    case 'tx-input-missing': {
      const record = chain.headers.get(parseId<BlockHash>(by ?? '') ?? chain.genesis.header.hash);
      if (by === null || record === undefined) return { state: 'conflicted', ...gone, block: null };
      const { hash, height } = record.header;
      return {
        state: 'conflicted',
        ...gone,
        block: { hash, height: toHeight(height), active: chain.isActive(record) },
      };
    }
    case 'pool-expired':
      return { state: 'expired', ...gone };
    case 'pool-full':
      return { state: 'evicted', ...gone };
    default:
      return { state: 'refused', ...gone };
  }
}
