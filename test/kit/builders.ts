import { expectedBits, medianTime, type ParentContext } from '../../shared/consensus/checkHeader.js';
import type { Coin } from '../../shared/consensus/coins.js';
import { type NetworkParams, versionAt } from '../../shared/consensus/params.js';
import { subsidyAt } from '../../shared/consensus/subsidy.js';
import { hashAsNumber, targetFromBits, workOfTarget } from '../../shared/consensus/target.js';
import type { Address } from '../../shared/model/address.js';
import { toAmount } from '../../shared/model/amount.js';
import { type Block, rootOfTransactions, sealBlock } from '../../shared/model/block.js';
import { EXTRA_TAGS, encodeExtra } from '../../shared/model/extra.js';
import { type Header, type HeaderFields, sealHeader } from '../../shared/model/header.js';
import { toHeight } from '../../shared/model/height.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { OutPoint } from '../../shared/model/outpoint.js';
import {
  type CoinbaseBody,
  type Output,
  sealTransaction,
  type Transaction,
  type TransferBody,
} from '../../shared/model/transaction.js';
import { type Key, keyFromSecret } from '../../shared/wallet/keys.js';
import { signTransfer } from '../../shared/wallet/signTransfer.js';
import { present } from './assertOk.js';

/** The key whose secret is a small number: the same in every run. Number 1 and up. */
export function testKey(number: number): Key {
  const secret = new Uint8Array(32);
  new DataView(secret.buffer).setUint32(28, number);
  return keyFromSecret(secret, `test/${number}`);
}

/** A coin to spend and the key that may. */
export interface Spendable {
  readonly outpoint: OutPoint;
  readonly coin: Pick<Coin, 'address' | 'value'>;
  readonly key: Key;
}

/** What a transfer does; what is left out is plain. */
export interface TransferPlan {
  readonly genesis: BlockHash;
  readonly spend: readonly Spendable[];
  readonly outputs: readonly { readonly address: Address; readonly value: bigint }[];
  readonly timestamp?: number;
  readonly memo?: Uint8Array;
  readonly version?: number;
}

/** The body of a transfer. */
export function transferBody({ spend, outputs, timestamp = 0, memo, version = 1 }: TransferPlan): TransferBody {
  return {
    kind: 'transfer',
    version,
    timestamp,
    inputs: spend.map(({ outpoint }) => outpoint),
    outputs: outputs.map(({ address, value }): Output => ({ address, value: toAmount(value) })),
    memo: memo ?? new Uint8Array(0),
  };
}

/** A signed transfer. */
export function transfer(plan: TransferPlan): Transaction<TransferBody> {
  const secrets = new Map(plan.spend.map(({ key }) => [key.address, key.secretKey]));
  const spent = plan.spend.map(({ coin }) => coin);
  return signTransfer(transferBody(plan), {
    genesis: plan.genesis,
    spent,
    secretKeyOf: (owner) => secrets.get(owner),
  });
}

/** What a coinbase does; what is left out is plain. */
export interface CoinbasePlan {
  readonly params: NetworkParams;
  readonly height: number;
  readonly address: Address;
  readonly fees?: bigint;
  /** Sets it apart from others of the same height. */
  readonly tag?: number;
}

/** A coinbase that claims all it may. */
export function coinbase({ params, height, address, fees = 0n, tag = 0 }: CoinbasePlan): Transaction<CoinbaseBody> {
  const value = subsidyAt(params, height) + fees;
  const body: CoinbaseBody = {
    kind: 'coinbase',
    version: 1,
    timestamp: 0,
    height: toHeight(height),
    extra: encodeExtra([{ tag: EXTRA_TAGS.nonce, value: Uint8Array.of(tag & 255, (tag >> 8) & 255) }]),
    outputs: value > 0n ? [{ address, value: toAmount(value) }] : [],
    memo: new Uint8Array(0),
  };
  return sealTransaction(body, []);
}

/** Finds a nonce that meets the header's own bits. Gives up where one should have been found long before. */
export function mine(fields: HeaderFields): Header {
  const target = present(targetFromBits(fields.bits));
  const last = fields.nonce + 64n * workOfTarget(target);
  for (let nonce = fields.nonce; nonce <= last; nonce++) {
    const header = sealHeader({ ...fields, nonce });
    if (hashAsNumber(header.hash) <= target) return header;
  }
  throw new Error(`no nonce for a target of ${target}`);
}

/** What a block holds; what is left out is as the rules ask. */
export interface BlockPlan {
  readonly params: NetworkParams;
  readonly parent: ParentContext;
  readonly transactions: readonly Transaction[];
  readonly timestamp?: number;
  /** Changes to the header before it is mined. */
  readonly change?: Partial<HeaderFields>;
}

/** A mined block on a parent. */
export function block({ params, parent, transactions, timestamp, change }: BlockPlan): Block {
  const height = toHeight(parent.height + 1);
  const header = mine({
    version: versionAt(params, height),
    height,
    previous: parent.hash,
    merkleRoot: rootOfTransactions(transactions),
    timestamp: timestamp ?? medianTime(parent.recentTimes) + 1,
    bits: expectedBits(params, parent),
    nonce: 0n,
    ...change,
  });
  return sealBlock(header, transactions);
}

/** What a child of genesis is judged against. */
export function contextAfterGenesis({ hash, height, timestamp }: Header): ParentContext {
  const nothing = { work: 0n, anchorTime: undefined, invalid: false };
  return { ...{ hash, height, timestamp }, ...nothing, recentTimes: [timestamp] };
}
