import type { Address } from '../model/address.js';
import type { Height } from '../model/height.js';
import type { BlockHash, TxId } from '../model/ids.js';
import type { OutPointKey } from '../model/outpoint.js';

/** Turns a table of code to details into the union of `{code, ...details}`. */
export type Coded<Details> = {
  [Code in keyof Details]: { readonly code: Code } & Readonly<Details[Code]>;
}[keyof Details];

interface TxRejects {
  'tx-malformed': { detail: string };
  'tx-version': { version: number; highest: number };
  'tx-too-large': { size: number; limit: number };
  'tx-no-inputs': object;
  'tx-no-outputs': object;
  'tx-memo-too-long': { length: number; limit: number };
  'tx-duplicate-input': { outpoint: OutPointKey };
  'tx-value-zero': { output: number };
  'tx-value-range': { output: number };
  'tx-signature-count': { signatures: number; expected: string };
  'tx-signature-invalid': { signature: number };
  'tx-signature-owner': { signature: number; owner: Address; signer: Address };
  'tx-input-missing': { outpoint: OutPointKey };
  'tx-immature': { outpoint: OutPointKey; spendableAt: Height };
  'tx-overspend': { inputs: bigint; outputs: bigint };
  'tx-coinbase-loose': object;
}

interface HeaderRejects {
  'header-malformed': { detail: string };
  'header-version': { version: number; expected: number };
  'header-parent-unknown': { previous: BlockHash };
  'header-parent-invalid': { previous: BlockHash };
  'header-set-aside': { hash: BlockHash };
  'header-height': { height: number; expected: number };
  'header-time-old': { timestamp: number; median: number };
  'header-time-future': { timestamp: number; latest: number };
  'header-bits': { bits: number; expected: number };
  'header-work': { hash: BlockHash; target: bigint };
  'header-minimum-work': { work: bigint; minimum: bigint };
}

interface BlockRejects {
  'block-malformed': { detail: string };
  'block-too-large': { size: number; limit: number };
  'block-root': { computed: string; claimed: string };
  'block-no-coinbase': object;
  'block-extra-coinbase': { position: number };
  'block-coinbase-height': { height: number; expected: number };
  'block-coinbase-signatures': { signatures: number };
  'block-coinbase-value': { claimed: bigint; allowed: bigint };
  'block-duplicate-tx': { position: number; txid: TxId };
  'block-order': { position: number; parent: number };
  'block-double-spend': { position: number; outpoint: OutPointKey };
  'block-tx': { position: number; reject: TxReject };
  'block-known-invalid': { hash: BlockHash };
}

/** Why a transaction is refused. */
export type TxReject = Coded<TxRejects>;
/** Why a header is refused. */
export type HeaderReject = Coded<HeaderRejects>;
/** Why a block is refused, its header aside. */
export type BlockReject = Coded<BlockRejects>;
/** Why consensus refuses something. */
export type Reject = TxReject | HeaderReject | BlockReject;

/** The rules of a transaction, in the order they are checked. `docs/PROTOCOL.md` says the same at more length. */
export const TX_CODES = {
  'tx-malformed': 'the bytes are not a transaction in its canonical form',
  'tx-coinbase-loose': 'a coinbase stands outside the first place of a block',
  'tx-version': 'the transaction version is not allowed at this height',
  'tx-too-large': 'the transaction is above 100,000 bytes',
  'tx-memo-too-long': 'the memo is above 80 bytes',
  'tx-no-inputs': 'a transfer spends nothing',
  'tx-no-outputs': 'a transfer pays nobody',
  'tx-duplicate-input': 'the same coin is spent twice in one transaction',
  'tx-value-zero': 'an output is worth nothing',
  'tx-value-range': 'the outputs add up to more than can exist',
  'tx-signature-count': 'there is not one signature for each distinct owner of the inputs',
  'tx-input-missing': 'a coin to be spent does not exist, or is spent already',
  'tx-immature': 'a coinbase is spent too soon',
  'tx-overspend': 'the outputs are worth more than the inputs',
  'tx-signature-invalid': 'a signature is malformed or recovers no key',
  'tx-signature-owner': 'a signature is not from the owner of the coins',
} as const satisfies Record<keyof TxRejects, string>;

/** The rules of a header, in the order they are checked. */
export const HEADER_CODES = {
  'header-malformed': 'the bytes are not a header',
  'header-version': 'the header version is not the one asked for at this height',
  'header-parent-unknown': 'the previous block is not known here',
  'header-parent-invalid': 'the previous block is invalid',
  'header-set-aside': 'the operator of this node has set the block, or one below it, aside',
  'header-height': 'the height is not the parent’s plus one',
  'header-time-old': 'the timestamp is not past the median of the blocks before',
  'header-time-future': 'the timestamp is too far ahead of this clock; try again later',
  'header-bits': 'the target is not the one the difficulty rule asks for',
  'header-work': 'the hash does not meet the target',
  'header-minimum-work': 'the branch has too little work to be stored',
} as const satisfies Record<keyof HeaderRejects, string>;

/** The rules of a block, in the order they are checked. */
export const BLOCK_CODES = {
  'block-malformed': 'the bytes are not a block in its canonical form',
  'block-known-invalid': 'the block, or one below it, was found invalid before',
  'block-too-large': 'the block is above 2,000,000 bytes',
  'block-root': 'the transactions are not the ones the header commits to',
  'block-no-coinbase': 'the first transaction is not a coinbase',
  'block-extra-coinbase': 'a coinbase stands after the first place',
  'block-coinbase-height': 'the coinbase does not name the height of its block',
  'block-coinbase-signatures': 'the coinbase has signatures',
  'block-duplicate-tx': 'the same transaction stands in the block twice',
  'block-tx': 'a transaction of the block breaks a rule of its own',
  'block-order': 'a transaction stands before one whose coins it spends',
  'block-double-spend': 'two transactions of the block spend the same coin',
  'block-coinbase-value': 'the coinbase makes more than the reward and the fees',
} as const satisfies Record<keyof BlockRejects, string>;
