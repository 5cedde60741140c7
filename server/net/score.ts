import type { Reason, ReasonCode } from '../../shared/reasons.js';

/**
 * What a failure means for the peer it came from.
 *
 * - `none`: nobody's fault, or ours: the peer may know other blocks and coins, another time, other limits.
 * - `missed`: no answer worth having. Whoever goes on like this is left, and never banned for it: a partition, a restart
 *   and a full disk look the same from here.
 * - `renew`: the peer does not know our session any more, and is met anew.
 * - `unfit`: no peer of ours, through no fault of its own: it is left.
 * - `lie`: an answer that breaks the contract. It is left, and banned where it does so again.
 * - `fatal`: what no honest node sends, whatever it knows: it is banned at once.
 */
export type Penalty = 'none' | 'missed' | 'renew' | 'unfit' | 'lie' | 'fatal';

/** A new code has to be placed here before it compiles. */
const PENALTIES: Readonly<Record<ReasonCode, Penalty>> = {
  // An honest node checks what it passes on. Whatever depends on what a node knows (coins, heights, upgrades) is excused.
  'tx-malformed': 'fatal',
  'tx-coinbase-loose': 'fatal',
  'tx-version': 'none',
  'tx-too-large': 'fatal',
  'tx-memo-too-long': 'fatal',
  'tx-no-inputs': 'fatal',
  'tx-no-outputs': 'fatal',
  'tx-duplicate-input': 'fatal',
  'tx-value-zero': 'fatal',
  'tx-value-range': 'fatal',
  'tx-signature-count': 'fatal',
  'tx-input-missing': 'none',
  'tx-immature': 'none',
  'tx-overspend': 'fatal',
  'tx-signature-invalid': 'fatal',
  'tx-signature-owner': 'fatal',
  'header-malformed': 'fatal',
  'header-version': 'fatal',
  'header-parent-unknown': 'none',
  'header-parent-invalid': 'fatal',
  // Our operator's decision. The peer knows nothing of it.
  'header-set-aside': 'none',
  'header-height': 'fatal',
  'header-time-old': 'fatal',
  'header-time-future': 'none',
  'header-bits': 'fatal',
  'header-work': 'fatal',
  'header-minimum-work': 'none',
  'block-malformed': 'fatal',
  'block-known-invalid': 'fatal',
  'block-too-large': 'fatal',
  'block-root': 'fatal',
  'block-no-coinbase': 'fatal',
  'block-extra-coinbase': 'fatal',
  'block-coinbase-height': 'fatal',
  'block-coinbase-signatures': 'fatal',
  'block-duplicate-tx': 'fatal',
  'block-tx': 'fatal',
  'block-order': 'fatal',
  'block-double-spend': 'fatal',
  'block-coinbase-value': 'fatal',
  'pool-known': 'none',
  'pool-conflict': 'none',
  'pool-fee-too-low': 'none',
  'pool-full': 'none',
  'pool-chain-too-long': 'none',
  'pool-chain-too-large': 'none',
  'pool-dust': 'none',
  'pool-replacement-size': 'none',
  'pool-replacement-fee': 'none',
  'pool-replacement-rate': 'none',
  'pool-replaced': 'none',
  'pool-expired': 'none',
  'peer-network': 'unfit',
  'peer-version': 'unfit',
  'peer-self': 'unfit',
  'peer-unreachable': 'missed',
  'peer-address': 'unfit',
  'peer-protocol': 'lie',
  // It will not have us: no lie, but no use either.
  'peer-banned': 'unfit',
  'peer-quota': 'missed',
  'bad-request': 'missed',
  'not-found': 'none',
  unauthorized: 'renew',
  'too-large': 'lie',
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

/** What follows from something a peer sent, or from its silence; a failure without a reason is a broken machine there. */
export function penaltyOf(reason: Reason | null): Penalty {
  return reason === null ? 'missed' : PENALTIES[reason.code];
}

/**
 * The same for a call that failed, whatever the peer gave as its reason. Its word that something of ours is bad proves
 * nothing, about us or about it: such a call has brought nothing, and that is all.
 */
export function penaltyOfAnswer(reason: Reason | null): Penalty {
  const penalty = penaltyOf(reason);
  return penalty === 'fatal' ? 'missed' : penalty;
}

/** What only a look at the whole block, or at the one below it, can show; sizes, encodings and the root are seen by whoever passes it on. */
const CONTENTS: readonly ReasonCode[] = [
  'header-parent-invalid',
  'block-known-invalid',
  'block-no-coinbase',
  'block-extra-coinbase',
  'block-coinbase-height',
  'block-coinbase-signatures',
  'block-duplicate-tx',
  'block-tx',
  'block-order',
  'block-double-spend',
  'block-coinbase-value',
];

/**
 * Whether a block is bad for what it contains. Nodes pass a block on as soon as its header, work and root hold, before
 * they have judged the rest (BIP 152): whoever relayed it so is not to blame, and must not be charged with it.
 */
export function isBadContents(reason: Reason): boolean {
  return CONTENTS.includes(reason.code);
}
