import type { Reason, ReasonCode } from '../../shared/reasons.js';

/**
 * What a failure means for the session with the peer it came from.
 *
 * - `none`: nobody's fault, or ours: the peer may know other blocks and coins, another time, other limits.
 * - `missed`: no answer worth having; a peer that goes on like this is given up.
 * - `renew`: the peer does not know our session any more, and is met anew.
 * - `drop`: what no honest node sends, whatever it knows.
 */
export type Consequence = 'none' | 'missed' | 'renew' | 'drop';

/** A new code has to be placed here before it compiles. */
const CONSEQUENCES: Readonly<Record<ReasonCode, Consequence>> = {
  // An honest node checks what it passes on. Whatever depends on what a node knows (coins, heights, upgrades) is excused.
  'tx-malformed': 'drop',
  'tx-coinbase-loose': 'drop',
  'tx-version': 'none',
  'tx-too-large': 'drop',
  'tx-memo-too-long': 'drop',
  'tx-no-inputs': 'drop',
  'tx-no-outputs': 'drop',
  'tx-duplicate-input': 'drop',
  'tx-value-zero': 'drop',
  'tx-value-range': 'drop',
  'tx-signature-count': 'drop',
  'tx-input-missing': 'none',
  'tx-immature': 'none',
  'tx-overspend': 'drop',
  'tx-signature-invalid': 'drop',
  'tx-signature-owner': 'drop',
  'header-malformed': 'drop',
  'header-version': 'drop',
  'header-parent-unknown': 'none',
  'header-parent-invalid': 'drop',
  // Our operator's decision. The peer knows nothing of it.
  'header-set-aside': 'none',
  'header-height': 'drop',
  'header-time-old': 'drop',
  'header-time-future': 'none',
  'header-bits': 'drop',
  'header-work': 'drop',
  'header-minimum-work': 'none',
  'block-malformed': 'drop',
  'block-known-invalid': 'drop',
  'block-too-large': 'drop',
  'block-root': 'drop',
  'block-no-coinbase': 'drop',
  'block-extra-coinbase': 'drop',
  'block-coinbase-height': 'drop',
  'block-coinbase-signatures': 'drop',
  'block-duplicate-tx': 'drop',
  'block-tx': 'drop',
  'block-order': 'drop',
  'block-double-spend': 'drop',
  'block-coinbase-value': 'drop',
  'pool-known': 'none',
  'pool-conflict': 'none',
  'pool-fee-too-low': 'none',
  'pool-full': 'none',
  'pool-chain-too-long': 'none',
  'peer-network': 'drop',
  'peer-version': 'drop',
  'peer-self': 'drop',
  'peer-unreachable': 'missed',
  'peer-address': 'drop',
  'peer-protocol': 'drop',
  'bad-request': 'missed',
  'not-found': 'none',
  unauthorized: 'renew',
  'too-large': 'drop',
  timeout: 'missed',
  busy: 'missed',
  'address-in-use': 'missed',
  'address-unusable': 'missed',
  'engine-unavailable': 'missed',
  'store-locked': 'missed',
  'store-corrupt': 'missed',
  'store-full': 'missed',
  'store-readonly': 'missed',
  'store-network': 'missed',
  'store-version': 'missed',
  'wallet-words': 'missed',
  'wallet-passphrase': 'missed',
  'wallet-file': 'missed',
  'wallet-funds': 'missed',
  'wallet-fee': 'missed',
};

/** What follows from a failure; one without a reason is a broken machine on the other side. */
export function consequenceOf(reason: Reason | null): Consequence {
  return reason === null ? 'missed' : CONSEQUENCES[reason.code];
}
