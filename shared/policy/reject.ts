import type { Coded } from '../consensus/reject.js';
import type { TxId } from '../model/ids.js';
import type { OutPointKey } from '../model/outpoint.js';

interface PoolRejects {
  'pool-known': { txid: TxId; confirmedAt: number | null };
  'pool-conflict': { outpoint: OutPointKey; spender: TxId };
  'pool-fee-too-low': { fee: bigint; minimum: bigint };
  'pool-full': { bytes: number; limit: number };
  'pool-chain-too-long': { length: number; limit: number };
}

/** Why a valid transaction is not taken into the waiting transactions. */
export type PoolReject = Coded<PoolRejects>;

/** The reasons for which a valid transaction has to stay outside. */
export const POOL_CODES = {
  'pool-known': 'the transaction is waiting here already, or is confirmed',
  'pool-conflict': 'a waiting transaction spends the same coin',
  'pool-fee-too-low': 'the fee is below the least this node relays',
  'pool-full': 'too many transactions wait, all paying at least as much',
  'pool-chain-too-long': 'too many waiting transactions would hang together',
} as const satisfies Record<keyof PoolRejects, string>;
