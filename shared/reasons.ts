import { BLOCK_CODES, type Coded, HEADER_CODES, type Reject, TX_CODES } from './consensus/reject.js';
import { POOL_CODES, type PoolReject } from './policy/reject.js';

interface PeerFailures {
  'peer-network': { genesis: string; expected: string };
  'peer-version': { version: number; supported: number };
  'peer-self': object;
  'peer-unreachable': { url: string; detail: string };
  'peer-address': { url: string; detail: string };
  'peer-protocol': { url: string; detail: string };
  'peer-banned': { target: string; until: number };
  'peer-quota': { retryMs: number };
}

interface NodeFailures {
  'bad-request': { detail: string };
  'not-found': { detail: string };
  unauthorized: { detail: string };
  'too-large': { limit: number };
  timeout: { limitMs: number };
  busy: { detail: string };
  'address-in-use': { host: string; port: number };
  'address-unusable': { host: string; detail: string };
  'engine-unavailable': { engine: string; detail: string };
  'store-locked': { directory: string };
  'store-corrupt': { detail: string };
  'store-full': { directory: string };
  'store-readonly': { directory: string };
  'store-network': { directory: string; found: string; expected: string };
  'store-version': { directory: string; found: number; expected: number };
}

interface WalletFailures {
  'wallet-words': { detail: string };
  'wallet-passphrase': { file: string };
  'wallet-file': { file: string; detail: string };
  'wallet-funds': { needed: bigint; available: bigint };
  'wallet-fee': { feeRate: number; limit: number };
}

/** Why a peer, or what it said, was not accepted. */
export type PeerFailure = Coded<PeerFailures>;
/** Why a node could not do what it was asked. */
export type NodeFailure = Coded<NodeFailures>;
/** Why a wallet could not do what it was asked. */
export type WalletFailure = Coded<WalletFailures>;

/** Every expected failure of the whole system: a code that stays, and the figures that belong to it. */
export type Reason = Reject | PoolReject | PeerFailure | NodeFailure | WalletFailure;
/** The code of a failure. */
export type ReasonCode = Reason['code'];

const PEER_CODES = {
  'peer-network': 'the peer belongs to another network',
  'peer-version': 'the peer speaks another version of the protocol',
  'peer-self': 'the peer is this very node',
  'peer-unreachable': 'the address does not answer',
  'peer-address': 'the address is not one to be called',
  'peer-protocol': 'the answer is not what the contract promises',
  'peer-banned': 'the peer is banned here',
  'peer-quota': 'the caller asks for more than its share',
} as const satisfies Record<keyof PeerFailures, string>;

const NODE_CODES = {
  'bad-request': 'the request is not in the form this procedure asks for',
  'not-found': 'there is no such thing here',
  unauthorized: 'the caller may not do this',
  'too-large': 'the request is too large',
  timeout: 'the answer took too long',
  busy: 'the node has too much to do; try again later',
  'address-in-use': 'another process listens on this port',
  'address-unusable': 'nothing can listen at this address',
  'engine-unavailable': 'signatures cannot be checked here as they should',
  'store-locked': 'another process uses this data directory',
  'store-corrupt': 'the stored data is damaged',
  'store-full': 'the disk is full',
  'store-readonly': 'the data directory cannot be written to',
  'store-network': 'the data directory belongs to another network',
  'store-version': 'the data directory has another format',
} as const satisfies Record<keyof NodeFailures, string>;

const WALLET_CODES = {
  'wallet-words': 'the words are no valid phrase',
  'wallet-passphrase': 'the passphrase does not open the key file',
  'wallet-file': 'the key file cannot be used',
  'wallet-funds': 'there is not enough money to spend',
  'wallet-fee': 'the node asks for more than a wallet pays without being told to',
} as const satisfies Record<keyof WalletFailures, string>;

/** Every code with its meaning, in one sentence. `docs/PROTOCOL.md` lists the same, and a test holds the two together. */
export const MEANINGS: Readonly<Record<ReasonCode, string>> = {
  ...TX_CODES,
  ...HEADER_CODES,
  ...BLOCK_CODES,
  ...POOL_CODES,
  ...PEER_CODES,
  ...NODE_CODES,
  ...WALLET_CODES,
};

const HINTS: Partial<Readonly<Record<ReasonCode, string>>> = {
  'tx-immature': 'Wait until the height named above.',
  'pool-conflict': 'Wait for the other transaction, or spend other coins.',
  'pool-replacement-fee': 'Pay at least the fee named above to replace it, or spend other coins.',
  'pool-replacement-rate': 'Pay a higher fee to replace it, or spend other coins.',
  'pool-dust': 'Send more, or leave the output out.',
  'pool-fee-too-low': 'Pay a higher fee.',
  'pool-full': 'Pay a higher fee, or try again later.',
  'pool-chain-too-long': 'Wait until some of what it depends on has been confirmed.',
  'pool-expired': 'Send it again, with a higher fee.',
  'peer-network': 'Check --network on both sides.',
  'peer-unreachable': 'Check that a node runs there and that the address is right.',
  'peer-address': 'Use http or https with host and port only; private addresses need --allow-private.',
  'peer-banned': 'A ban ends by itself at the time named above; an operator ends one with trestle peers unban.',
  'peer-quota': 'Ask less often; what was refused now is answered again in a moment.',
  unauthorized: 'Operator calls need the token from <data-dir>/operator-token.',
  busy: 'Try again in a moment.',
  timeout: 'Try again in a moment.',
  'address-in-use': 'Stop the other process, or choose another --port (0 takes any free one).',
  'address-unusable': 'Choose another --host, one of this machine, or a --port above 1023.',
  'engine-unavailable':
    'Choose another --signature-engine; noble runs everywhere, and is too slow to keep up with a busy network.',
  'store-locked': 'Stop the other process, or choose another --data-dir.',
  'store-corrupt': 'Stop the node; "trestle chain verify" says what is damaged, "trestle chain reindex" repairs it.',
  'store-full': 'Free some space: a node that runs goes on by itself. Nothing that was acknowledged is lost.',
  'store-readonly': 'Make the directory writable, or choose another --data-dir.',
  'store-network': 'Choose another --data-dir, or the --network it was made for.',
  'store-version': 'Use the version that wrote it, or "trestle chain reindex" to make it anew from its blocks.',
  'wallet-words': 'Check the spelling and the order of the 12, 15, 18, 21 or 24 words.',
  'wallet-passphrase': 'Try again; a forgotten passphrase needs the words: trestle wallet restore.',
  'wallet-funds': 'Send less, or wait until what is under way has been confirmed.',
  'wallet-fee': 'Ask another node, or name the rate yourself with --fee-rate.',
};

/** Whether a string is one of our codes. */
export function isReasonCode(code: string): code is ReasonCode {
  return Object.hasOwn(MEANINGS, code);
}

/** What a failure means, with its figures, for people. */
export function describeReason(reason: Reason): string {
  if (reason.code === 'block-tx')
    return `transaction ${reason.position} of the block: ${describeReason(reason.reject)}`;
  const { code, ...details } = reason;
  const figures = Object.entries(details).flatMap(([name, value]) => {
    if (value === null || value === '') return [];
    return [name === 'detail' ? String(value) : `${name} ${value}`];
  });
  return figures.length === 0 ? MEANINGS[code] : `${MEANINGS[code]} (${figures.join(', ')})`;
}

/** What to do about a failure, where there is something to say. */
export function hintFor(code: ReasonCode): string | undefined {
  return HINTS[code];
}
