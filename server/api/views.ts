import { toHex } from '../../shared/bytes/hex.js';
import type { Coin } from '../../shared/consensus/coins.js';
import { subsidyAt } from '../../shared/consensus/subsidy.js';
import { difficultyOf, targetFromBits } from '../../shared/consensus/target.js';
import { formatAddress } from '../../shared/model/address.js';
import { toAmount } from '../../shared/model/amount.js';
import { toHeight } from '../../shared/model/height.js';
import type { OutPoint } from '../../shared/model/outpoint.js';
import { inputsOf, type Output, outputValue, type Transaction } from '../../shared/model/transaction.js';
import type { BlockView, InputView, OutputView, TipView, TransactionView } from '../../shared/rpc/views.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { HeaderRecord } from '../store/layout.js';

/** A block as the contract shows it. */
export function blockView(chain: Chainstate, record: HeaderRecord): BlockView {
  const { header, work, body, fees } = record;
  const active = chain.isActive(record);
  const { hash, height, previous, timestamp, version, bits, nonce } = header;
  return {
    hash,
    height,
    previous,
    merkleRoot: toHex(header.merkleRoot),
    timestamp,
    version,
    bits,
    nonce,
    difficulty: difficulty(chain, bits),
    work,
    size: body?.size ?? 0,
    transactionCount: body?.transactions ?? 0,
    creator: body?.creator == null ? null : formatAddress(body.creator),
    reward: subsidyAt(chain.params, height),
    fees,
    active,
    confirmations: active ? chain.tip.header.height - height + 1 : 0,
  };
}

/** How much harder than the network's easiest target. */
export function difficulty(chain: Chainstate, bits: number): number {
  const target = targetFromBits(bits);
  return target === undefined ? 0 : difficultyOf(target, chain.params.limit);
}

/** The chain's tip, as peers tell each other. */
export function tipView(chain: Chainstate): TipView {
  const { header, work } = chain.tip;
  return { height: header.height, hash: header.hash, work };
}

/** Where a transaction stands. */
export interface Place {
  readonly record: HeaderRecord;
  readonly position: number;
}

/** A transaction as the contract shows it. `spent` are its coins, where they are known here. */
export function transactionView(
  chain: Chainstate,
  transaction: Transaction,
  { spent, place }: { readonly spent: readonly Coin[] | undefined; readonly place: Place | null },
): TransactionView {
  const { body, txid, wtxid, raw, signatures } = transaction;
  const value = outputValue(transaction);
  const spentValue = spent?.reduce((sum, coin) => sum + coin.value, 0n);
  const hasFee = body.kind === 'transfer' && spentValue !== undefined;
  return {
    txid,
    wtxid,
    kind: body.kind,
    version: body.version,
    timestamp: body.timestamp,
    memo: toHex(body.memo),
    size: raw.length,
    value: toAmount(value),
    fee: hasFee ? toAmount(spentValue - value) : null,
    inputs: spentInputs(transaction, spent).map(inputView),
    outputs: body.outputs.map(outputView),
    signatures: signatures.map(toHex),
    block: place === null ? null : placeView(chain, place),
  };
}

/** An input with the coin it spends, if that is known here. */
export interface SpentInput {
  readonly outpoint: OutPoint;
  readonly coin: Coin | undefined;
}

/** The inputs of a transaction with their coins. */
export function spentInputs(transaction: Transaction, spent: readonly Coin[] | undefined): SpentInput[] {
  return inputsOf(transaction).map((outpoint, position) => ({ outpoint, coin: spent?.[position] }));
}

/** What a transaction spends, as the contract shows it. */
export function inputView({ outpoint, coin }: SpentInput, position: number): InputView {
  const address = coin === undefined ? null : formatAddress(coin.address);
  return { position, ...outpoint, address, value: coin?.value ?? null };
}

/** Whom it pays, as the contract shows it. */
export function outputView({ address, value }: Output, position: number): OutputView {
  return { position, address: formatAddress(address), value };
}

function placeView(chain: Chainstate, { record, position }: Place): NonNullable<TransactionView['block']> {
  const { hash, height } = record.header;
  const confirmations = chain.isActive(record) ? chain.tip.header.height - height + 1 : 0;
  return { hash, height: toHeight(height), position, confirmations };
}
