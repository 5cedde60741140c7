import type { Address } from '../model/address.js';
import type { Amount } from '../model/amount.js';
import { type Height, MAX_HEIGHT, toHeight } from '../model/height.js';
import type { OutPoint } from '../model/outpoint.js';
import type { NetworkParams } from './params.js';

/** An output that is not spent yet. */
export interface Coin {
  readonly address: Address;
  readonly value: Amount;
  /** Height of the block that made it. */
  readonly height: Height;
  /** Whether a coinbase made it, so that it has to ripen. */
  readonly coinbase: boolean;
}

/** Where coins are looked up: the store, or something laid over it. */
export interface CoinView {
  get(outpoint: OutPoint): Coin | undefined;
}

/** A coin and where it is. */
export interface LocatedCoin {
  readonly outpoint: OutPoint;
  readonly coin: Coin;
}

/** The lowest height of a block that may spend a confirmed coin: the next block, or when a coinbase has ripened. */
export function spendableAt(
  { height, coinbase }: Pick<Coin, 'height' | 'coinbase'>,
  { coinbaseMaturity }: Pick<NetworkParams, 'coinbaseMaturity'>,
): Height {
  return toHeight(Math.min(height + (coinbase ? coinbaseMaturity : 1), MAX_HEIGHT));
}
