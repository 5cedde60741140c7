import { type Amount, toAmount } from '../model/amount.js';
import type { Block } from '../model/block.js';
import type { BlockHash } from '../model/ids.js';
import { isTransfer, outputValue } from '../model/transaction.js';
import { accept, refuse, type Verdict } from '../verdict.js';
import { type CoinDelta, DeltaBuilder } from './blockDelta.js';
import { checkInputs, type SignatureCheck } from './checkInputs.js';
import type { Coin, CoinView } from './coins.js';
import type { NetworkParams } from './params.js';
import type { BlockReject } from './reject.js';
import { subsidyAt } from './subsidy.js';

/** What a block does to the chain, once its signatures are checked too. */
export interface Connection {
  /** Every coin the block spends, in order: the undo record. */
  readonly spent: readonly Coin[];
  readonly delta: CoinDelta;
  /** What the block's transfers leave to the miner. */
  readonly fees: Amount;
  /** Signature checks still to do, with the place of their transaction in the block. */
  readonly checks: readonly { readonly position: number; readonly check: () => SignatureCheck }[];
}

/**
 * The rules of a block that need the coins below it. The view is asked for each coin once; coins the block itself makes
 * lie over it. Signatures are collected, not checked: they cost the most, run elsewhere, and are judged last.
 */
export function connectBlock(
  block: Block,
  view: CoinView,
  { params, genesis }: { readonly params: NetworkParams; readonly genesis: BlockHash },
): Verdict<Connection, BlockReject> {
  const { height } = block.header;
  const changes = new DeltaBuilder(block);
  const overlay: CoinView = { get: (outpoint) => changes.get(outpoint) ?? view.get(outpoint) };
  const spent: Coin[] = [];
  const checks: { position: number; check: () => SignatureCheck }[] = [];
  let fees = 0n;
  for (const [position, transaction] of block.transactions.entries()) {
    if (isTransfer(transaction)) {
      const inputs = checkInputs(transaction, overlay, { params, genesis, height });
      if (!inputs.ok) return refuse({ code: 'block-tx', position, reject: inputs.reject });
      for (const [i, coin] of inputs.value.spent.entries()) {
        const outpoint = transaction.body.inputs[i];
        if (outpoint === undefined) throw new RangeError(`transaction ${transaction.txid} spends more than its inputs`);
        changes.spend(outpoint, coin);
        spent.push(coin);
      }
      checks.push({ position, check: inputs.value.signatures });
      fees += inputs.value.fee;
    }
    changes.make(transaction);
  }
  const claimed = coinbaseValue(block);
  const allowed = subsidyAt(params, height) + fees;
  if (claimed > allowed) return refuse({ code: 'block-coinbase-value', claimed, allowed });
  return accept({ spent, delta: changes.delta(), fees: toAmount(fees), checks });
}

/** What a block's coinbase pays out. */
export function coinbaseValue(block: Block): bigint {
  const [coinbase] = block.transactions;
  return coinbase === undefined ? 0n : outputValue(coinbase);
}
