import type { LocatedCoin } from '../consensus/coins.js';
import { HASH_BYTES } from '../crypto/hash.js';
import { SIGNATURE_BYTES } from '../crypto/signature.js';
import { ADDRESS_BYTES } from '../model/address.js';
import { accept, refuse, type Verdict } from '../verdict.js';

const FIXED_BYTES = 1 + 1 + 8 + 3 + 3 + 1 + 3;
const INPUT_BYTES = HASH_BYTES + 3;
const OUTPUT_BYTES = ADDRESS_BYTES + 8;

/** What is to be paid, and at which price. */
export interface Payment {
  /** Sum of the outputs, in base units. */
  readonly amount: bigint;
  /** How many outputs there are, change aside. */
  readonly outputs: number;
  readonly memoBytes: number;
  /** Base units for each byte. */
  readonly feeRate: number;
}

/** Coins that cover a payment. */
export interface Selection {
  readonly coins: readonly LocatedCoin[];
  readonly fee: bigint;
  /** What comes back; 0 where it is not worth an output, and then part of the fee. */
  readonly change: bigint;
}

/**
 * Chooses coins, the most valuable first: few inputs, so a small fee now. `refuse` tells how much would have been needed.
 * Sizes are upper bounds, so the fee paid is never below the rate asked for.
 */
export function selectCoins(
  available: readonly LocatedCoin[],
  payment: Payment,
): Verdict<Selection, { readonly needed: bigint; readonly available: bigint }> {
  const byValue = available.toSorted((a, b) =>
    a.coin.value < b.coin.value ? 1 : a.coin.value > b.coin.value ? -1 : 0,
  );
  const coins: LocatedCoin[] = [];
  const owners = new Set<string>();
  let sum = 0n;
  for (const located of byValue) {
    coins.push(located);
    owners.add(located.coin.address);
    sum += located.coin.value;
    const bare = feeFor(payment, { inputs: coins.length, owners: owners.size, outputs: payment.outputs });
    if (sum < payment.amount + bare) continue;
    const full = feeFor(payment, { inputs: coins.length, owners: owners.size, outputs: payment.outputs + 1 });
    const change = sum - payment.amount - full;
    // Change is worth making when spending it later costs less than it holds.
    const worthMaking = change > costOf(INPUT_BYTES + SIGNATURE_BYTES, payment.feeRate);
    return accept(worthMaking ? { coins, fee: full, change } : { coins, fee: sum - payment.amount, change: 0n });
  }
  const least = feeFor(payment, {
    inputs: Math.max(coins.length, 1),
    owners: Math.max(owners.size, 1),
    outputs: payment.outputs,
  });
  return refuse({ needed: payment.amount + least, available: sum });
}

function feeFor(
  { memoBytes, feeRate }: Payment,
  { inputs, owners, outputs }: { inputs: number; owners: number; outputs: number },
): bigint {
  const size = FIXED_BYTES + inputs * INPUT_BYTES + outputs * OUTPUT_BYTES + memoBytes + owners * SIGNATURE_BYTES;
  return costOf(size, feeRate);
}

function costOf(bytes: number, feeRate: number): bigint {
  return BigInt(Math.ceil(bytes * feeRate));
}
