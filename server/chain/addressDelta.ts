import type { Coin } from '../../shared/consensus/coins.js';
import type { Address } from '../../shared/model/address.js';
import { type Amount, toAmount, ZERO_AMOUNT } from '../../shared/model/amount.js';
import type { Block } from '../../shared/model/block.js';
import type { TxId } from '../../shared/model/ids.js';
import { inputsOf } from '../../shared/model/transaction.js';

/** What one transaction did to one address: a row of its history. */
export interface AddressRow {
  readonly address: Address;
  readonly position: number;
  readonly txid: TxId;
  readonly received: Amount;
  readonly spent: Amount;
}

/** What a whole block did to one address. */
export interface AddressSum {
  received: bigint;
  spent: bigint;
  /** Coins it got, less coins it spent. */
  coins: number;
  rows: number;
}

/** What a block does to every address it touches: rows of history, and their sums. */
export interface AddressDelta {
  readonly rows: readonly AddressRow[];
  readonly sums: ReadonlyMap<Address, Readonly<AddressSum>>;
}

/** The effect of a block on addresses, from the block and the coins it spent in order. Reversible: it is only sums. */
export function addressDelta(block: Block, spent: readonly Coin[]): AddressDelta {
  const rows: AddressRow[] = [];
  const sums = new Map<Address, AddressSum>();
  let next = 0;
  for (const [position, transaction] of block.transactions.entries()) {
    const inputs = inputsOf(transaction).length;
    const effects = effectsOf(transaction.body.outputs, spent.slice(next, next + inputs));
    next += inputs;
    for (const [address, effect] of effects) {
      rows.push({ address, position, txid: transaction.txid, ...effect.amounts });
      const sum = sums.get(address) ?? { received: 0n, spent: 0n, coins: 0, rows: 0 };
      sum.received += effect.amounts.received;
      sum.spent += effect.amounts.spent;
      sum.coins += effect.coins;
      sum.rows += 1;
      sums.set(address, sum);
    }
  }
  return { rows, sums };
}

interface Effect {
  amounts: { received: Amount; spent: Amount };
  coins: number;
}

function effectsOf(
  outputs: readonly Pick<Coin, 'address' | 'value'>[],
  spent: readonly Pick<Coin, 'address' | 'value'>[],
): Map<Address, Effect> {
  const effects = new Map<Address, Effect>();
  const effectOn = (address: Address): Effect => {
    const effect = effects.get(address) ?? { amounts: { received: ZERO_AMOUNT, spent: ZERO_AMOUNT }, coins: 0 };
    effects.set(address, effect);
    return effect;
  };
  for (const { address, value } of outputs) {
    const effect = effectOn(address);
    effect.amounts.received = toAmount(effect.amounts.received + value);
    effect.coins += 1;
  }
  for (const { address, value } of spent) {
    const effect = effectOn(address);
    effect.amounts.spent = toAmount(effect.amounts.spent + value);
    effect.coins -= 1;
  }
  return effects;
}
