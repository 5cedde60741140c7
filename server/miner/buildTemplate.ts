import { expectedBits, medianTime, type ParentContext } from '../../shared/consensus/checkHeader.js';
import { type NetworkParams, versionAt } from '../../shared/consensus/params.js';
import { subsidyAt } from '../../shared/consensus/subsidy.js';
import { targetFromBits } from '../../shared/consensus/target.js';
import type { Address } from '../../shared/model/address.js';
import { type Amount, toAmount } from '../../shared/model/amount.js';
import { EXTRA_TAGS, encodeExtra } from '../../shared/model/extra.js';
import type { HeaderFields } from '../../shared/model/header.js';
import { toHeight } from '../../shared/model/height.js';
import {
  type CoinbaseBody,
  sealTransaction,
  TRANSACTION_VERSION,
  type Transaction,
} from '../../shared/model/transaction.js';
import type { BlockDraft } from './blockDraft.js';
import type { Snapshot } from './pagedList.js';

/** A block that lacks only its proof of work. */
export interface Template {
  /** Timestamp and nonce may be changed. */
  readonly header: HeaderFields;
  /** The coinbase first. */
  readonly transactions: Snapshot<Transaction>;
  readonly target: bigint;
  readonly minTime: number;
  readonly fees: Amount;
  readonly reward: Amount;
}

/** What a template is built from. */
export interface TemplateInput {
  readonly params: NetworkParams;
  readonly parent: ParentContext;
  /** What the block holds beside its coinbase. */
  readonly draft: BlockDraft;
  /** Whom the coinbase pays. */
  readonly address: Address;
  readonly now: number;
  /** Random bytes that set this coinbase apart from other miners' on the same tip. */
  readonly nonce: Uint8Array;
}

/** Builds the block that comes after `parent`. */
export function buildTemplate({ params, parent, draft, address, now, nonce }: TemplateInput): Template {
  const height = toHeight(parent.height + 1);
  const minTime = medianTime(parent.recentTimes) + 1;
  const timestamp = Math.max(now, minTime);
  const fees = toAmount(draft.fees);
  const reward = subsidyAt(params, height);
  const value = toAmount(reward + fees);
  const coinbase: CoinbaseBody = {
    kind: 'coinbase',
    version: TRANSACTION_VERSION,
    timestamp,
    height,
    extra: encodeExtra([{ tag: EXTRA_TAGS.nonce, value: nonce }]),
    // An output must be worth something: where nothing is due, the coinbase pays nobody.
    outputs: value > 0n ? [{ address, value }] : [],
    memo: new Uint8Array(0),
  };
  const { transactions, merkleRoot } = draft.finish(sealTransaction(coinbase, []));
  const bits = expectedBits(params, parent);
  const target = targetFromBits(bits);
  if (target === undefined) throw new Error(`the difficulty rule asks for bits ${bits}, which spell no target`);
  const version = versionAt(params, height);
  const header = { version, height, previous: parent.hash, merkleRoot, timestamp, bits, nonce: 0n };
  return { header, transactions, target, minTime, fees, reward };
}
