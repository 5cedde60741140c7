import type { Coded } from '../consensus/reject.js';
import type { TxId } from '../model/ids.js';
import type { OutPointKey } from '../model/outpoint.js';

interface PoolRejects {
  'pool-known': { txid: TxId; confirmedAt: number | null };
  'pool-conflict': { outpoint: OutPointKey; spender: TxId };
  'pool-fee-too-low': { fee: bigint; minimum: bigint };
  'pool-full': { bytes: number; limit: number };
  'pool-chain-too-long': { length: number; limit: number };
  'pool-chain-too-large': { bytes: number; limit: number };
  'pool-dust': { output: number; value: bigint; least: bigint };
  'pool-replacement-size': { count: number; limit: number };
  'pool-replacement-fee': { fee: bigint; needed: bigint };
  'pool-replacement-rate': { rate: number; needed: number };
  'pool-replaced': { by: TxId };
  'pool-expired': object;
}

/** Why a valid transaction is not taken into the waiting transactions, or does not stay there. */
export type PoolReject = Coded<PoolRejects>;

/** The reasons for which a valid transaction has to stay outside, in the order they are checked, or has to leave. */
export const POOL_CODES = {
  'pool-known': 'the transaction is waiting here already, or is confirmed',
  'pool-dust': 'an output is worth less than it costs to spend it',
  'pool-replacement-size': 'it would take the place of too many waiting transactions',
  'pool-conflict': 'it spends the same coin as a waiting transaction that it depends on',
  'pool-replacement-fee':
    'it conflicts with waiting transactions and does not pay for all it would push out and itself',
  'pool-replacement-rate': 'it conflicts with a waiting transaction and does not pay a better rate',
  'pool-fee-too-low': 'the fee is below the least this node relays',
  'pool-chain-too-long': 'too many waiting transactions would hang together',
  'pool-chain-too-large': 'the waiting transactions that would hang together have too many bytes',
  'pool-full': 'too many transactions wait, all paying at least as much',
  'pool-replaced': 'another transaction that spends the same coin and pays more has taken its place',
  'pool-expired': 'it has waited for three days',
} as const satisfies Record<keyof PoolRejects, string>;
