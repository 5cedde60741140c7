import * as z from 'zod';
import {
  address,
  amount,
  blockHash,
  count,
  height,
  hex,
  hex32,
  nonce,
  outputIndex,
  timestamp,
  txid,
  work,
  wtxid,
} from './fields.js';

export const tipView = z.strictObject({ height, hash: blockHash, work });
/** Where a chain ends: height, hash, and the work of the whole branch. */
export type TipView = z.output<typeof tipView>;

/** A block without its transactions, as explorers show it. */
export const blockView = z.strictObject({
  hash: blockHash,
  height,
  previous: blockHash,
  merkleRoot: hex32,
  timestamp,
  version: z.int().min(0),
  /** The target in compact form. */
  bits: z.int().min(0),
  nonce,
  /** How many times harder than the network's easiest target. */
  difficulty: z.number().min(0),
  /** Hashes it took on average to build the chain up to and with this block. */
  work,
  /** Bytes of the whole block. */
  size: count,
  transactionCount: count,
  /** Who the coinbase pays first; `null` where it pays nobody. */
  creator: address.nullable(),
  /** New coins the block may make. */
  reward: amount,
  /** What its transfers left to the miner; `null` for a block that never was on the active chain. */
  fees: amount.nullable(),
  /** Whether the block is on the active chain. */
  active: z.boolean(),
  /** Blocks from this one to the tip, both counted; 0 off the active chain. */
  confirmations: count,
});
/** A block as the contract shows it. */
export type BlockView = z.output<typeof blockView>;

/** One input: which coin it spends, and what that coin was. */
export const inputView = z.strictObject({
  position: count,
  txid,
  index: outputIndex,
  /** `null` where the coin is not known here: in a block that never was on the active chain. */
  address: address.nullable(),
  value: amount.nullable(),
});
/** What a transaction spends; owner and value are `null` where the coin is not known here. */
export type InputView = z.output<typeof inputView>;

/** One output: who is paid how much. */
export const outputView = z.strictObject({ position: count, address, value: amount });
/** Whom a transaction pays. */
export type OutputView = z.output<typeof outputView>;

/** Where a transaction is confirmed. */
export const placeView = z.strictObject({
  hash: blockHash,
  height,
  /** Position in the block, from 0. */
  position: count,
  confirmations: count,
});

/** A whole transaction. */
export const transactionView = z.strictObject({
  txid,
  wtxid,
  kind: z.enum(['transfer', 'coinbase']),
  version: z.int().min(0),
  timestamp,
  memo: hex,
  /** Bytes. */
  size: count,
  /** Sum of the outputs. */
  value: amount,
  /** Inputs less outputs; `null` for a coinbase, or where the coins are not known here. */
  fee: amount.nullable(),
  inputs: z.array(inputView),
  outputs: z.array(outputView),
  signatures: z.array(hex),
  /** `null` while it waits. */
  block: placeView.nullable(),
});
/** A transaction as the contract shows it, waiting or confirmed. */
export type TransactionView = z.output<typeof transactionView>;
