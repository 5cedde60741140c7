import type { TxReject } from './consensus/reject.js';
import { isReasonCode, type Reason, type ReasonCode } from './reasons.js';

/** The most characters one figure of a reason may have. */
export const MAX_TEXT = 1_000;

/** What kind of value a figure is, as far as it can be told at run time. */
type KindOf<T> = [T] extends [bigint]
  ? 'bigint'
  : [T] extends [string]
    ? 'text'
    : [T] extends [number]
      ? 'number'
      : [T] extends [number | null]
        ? 'number or null'
        : [T] extends [TxReject]
          ? 'transaction reason'
          : never;
type Kind = 'bigint' | 'text' | 'number' | 'number or null' | 'transaction reason';

type ShapeOf<R extends Reason> = { readonly [Name in Exclude<keyof R, 'code'>]: KindOf<R[Name]> };
type Shapes = { readonly [Code in ReasonCode]: ShapeOf<Extract<Reason, { readonly code: Code }>> };

/** The figures of every reason. The types hold this table and the reasons together: neither compiles without the other. */
const SHAPES: Shapes = {
  'tx-malformed': { detail: 'text' },
  'tx-coinbase-loose': {},
  'tx-version': { version: 'number', highest: 'number' },
  'tx-too-large': { size: 'number', limit: 'number' },
  'tx-memo-too-long': { length: 'number', limit: 'number' },
  'tx-no-inputs': {},
  'tx-no-outputs': {},
  'tx-duplicate-input': { outpoint: 'text' },
  'tx-value-zero': { output: 'number' },
  'tx-value-range': { output: 'number' },
  'tx-signature-count': { signatures: 'number', expected: 'text' },
  'tx-input-missing': { outpoint: 'text' },
  'tx-immature': { outpoint: 'text', spendableAt: 'number' },
  'tx-overspend': { inputs: 'bigint', outputs: 'bigint' },
  'tx-signature-invalid': { signature: 'number' },
  'tx-signature-owner': { signature: 'number', owner: 'text', signer: 'text' },
  'header-malformed': { detail: 'text' },
  'header-version': { version: 'number', expected: 'number' },
  'header-parent-unknown': { previous: 'text' },
  'header-parent-invalid': { previous: 'text' },
  'header-set-aside': { hash: 'text' },
  'header-height': { height: 'number', expected: 'number' },
  'header-time-old': { timestamp: 'number', median: 'number' },
  'header-time-future': { timestamp: 'number', latest: 'number' },
  'header-bits': { bits: 'number', expected: 'number' },
  'header-work': { hash: 'text', target: 'bigint' },
  'header-minimum-work': { work: 'bigint', minimum: 'bigint' },
  'block-malformed': { detail: 'text' },
  'block-known-invalid': { hash: 'text' },
  'block-too-large': { size: 'number', limit: 'number' },
  'block-root': { computed: 'text', claimed: 'text' },
  'block-no-coinbase': {},
  'block-extra-coinbase': { position: 'number' },
  'block-coinbase-height': { height: 'number', expected: 'number' },
  'block-coinbase-signatures': { signatures: 'number' },
  'block-duplicate-tx': { position: 'number', txid: 'text' },
  'block-tx': { position: 'number', reject: 'transaction reason' },
  'block-order': { position: 'number', parent: 'number' },
  'block-double-spend': { position: 'number', outpoint: 'text' },
  'block-coinbase-value': { claimed: 'bigint', allowed: 'bigint' },
  'pool-known': { txid: 'text', confirmedAt: 'number or null' },
  'pool-conflict': { outpoint: 'text', spender: 'text' },
  'pool-fee-too-low': { fee: 'bigint', minimum: 'bigint' },
  'pool-full': { bytes: 'number', limit: 'number' },
  'pool-chain-too-long': { length: 'number', limit: 'number' },
  'pool-chain-too-large': { bytes: 'number', limit: 'number' },
  'pool-dust': { output: 'number', value: 'bigint', least: 'bigint' },
  'pool-replacement-size': { count: 'number', limit: 'number' },
  'pool-replacement-fee': { fee: 'bigint', needed: 'bigint' },
  'pool-replacement-rate': { rate: 'number', needed: 'number' },
  'pool-replaced': { by: 'text' },
  'pool-expired': {},
  'peer-network': { genesis: 'text', expected: 'text' },
  'peer-version': { version: 'number', supported: 'number' },
  'peer-self': {},
  'peer-unreachable': { url: 'text', detail: 'text' },
  'peer-address': { url: 'text', detail: 'text' },
  'peer-protocol': { url: 'text', detail: 'text' },
  'peer-banned': { target: 'text', until: 'number' },
  'peer-quota': { retryMs: 'number' },
  'bad-request': { detail: 'text' },
  'not-found': { detail: 'text' },
  unauthorized: { detail: 'text' },
  'too-large': { limit: 'number' },
  timeout: { limitMs: 'number' },
  busy: { detail: 'text' },
  'address-in-use': { host: 'text', port: 'number' },
  'address-unusable': { host: 'text', detail: 'text' },
  'engine-unavailable': { engine: 'text', detail: 'text' },
  'store-locked': { directory: 'text' },
  'store-corrupt': { detail: 'text' },
  'store-full': { directory: 'text' },
  'store-readonly': { directory: 'text' },
  'store-network': { directory: 'text', found: 'text', expected: 'text' },
  'store-version': { directory: 'text', found: 'number', expected: 'number' },
  'wallet-words': { detail: 'text' },
  'wallet-passphrase': { file: 'text' },
  'wallet-file': { file: 'text', detail: 'text' },
  'wallet-funds': { needed: 'bigint', available: 'bigint' },
  'wallet-fee': { feeRate: 'number', limit: 'number' },
};

/**
 * The reason that the other side of a call gave, or `null` where it is not one of ours in its whole form. Figures that
 * this version does not know are left out, so that a later one may add some.
 */
export function parseReason(value: unknown): Reason | null {
  if (!isRecord(value) || typeof value['code'] !== 'string' || !isReasonCode(value['code'])) return null;
  const { code } = value;
  const reason: Record<string, unknown> = { code };
  for (const [name, kind] of Object.entries<Kind>(SHAPES[code])) {
    const figure = kind === 'transaction reason' ? parseTransactionReason(value[name]) : value[name];
    if (!isOfKind(figure, kind)) return null;
    reason[name] = figure;
  }
  // What was just put together has every figure that the code's shape names; brands are the other side's word.
  return reason as Reason;
}

function parseTransactionReason(value: unknown): Reason | null {
  // Looked at before parsing: a reason within a reason within a reason would make this run as deep as its sender likes.
  if (!isRecord(value) || typeof value['code'] !== 'string' || !value['code'].startsWith('tx-')) return null;
  return parseReason(value);
}

function isOfKind(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string' && value.length <= MAX_TEXT;
    case 'number or null':
      return value === null || typeof value === 'number';
    case 'transaction reason':
      return value !== null;
    case 'bigint':
    case 'number':
      return typeof value === kind;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
