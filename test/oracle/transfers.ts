import { toHex } from '../kit/model/bytes.js';
import type { Coin, Ledger } from '../kit/model/ledger.js';
import { txidOf } from '../kit/model/model.js';
import { type Network, rewardAt, versionAt } from '../kit/model/network.js';
import { sumOf } from '../kit/model/transactionRules.js';
import { coinsSpent, KEYS, plainDraft, type TransactionDraft } from './draft.js';
import type { Dice } from './random.js';

/** Where the block stands that transactions are made for. */
export interface Site {
  readonly dice: Dice;
  readonly network: Network;
  readonly genesis: string;
  readonly height: number;
  /** The coins below. */
  readonly ledger: Ledger;
}

/** A coinbase that claims what it is given. */
export function coinbaseFor({ dice, network, height }: Site, claim: bigint): TransactionDraft {
  const split = claim > 3n && dice.chance(0.2) ? claim / 3n : 0n;
  const values = claim === 0n ? [] : split > 0n ? [claim - split, split] : [claim];
  const name = dice.bytes(dice.pick([1, 4, 20]));
  return plainDraft({
    version: dice.between(1, versionAt(network, height)),
    kind: 'coinbase',
    timestamp: BigInt(dice.below(2 ** 31)),
    height,
    extra: Uint8Array.of(dice.pick([1, 2, 77]), name.length, ...name, ...dice.pick([[], [9, 0], [0, 1, 7]])),
    outputs: values.map((value) => ({ address: someAddress(dice), value })),
    memo: dice.bytes(dice.pick([0, 0, 3, 80])),
  });
}

/** An owner among ours, mostly: what strangers get is never spent. */
export function someAddress(dice: Dice): string {
  return dice.chance(0.06) ? toHex(dice.bytes(20)) : dice.pick(KEYS).address;
}

/** The coins that may be spent at this height by a key of ours, those among `made` too, without those in `spent`. */
export function spendable({ ledger, network, height }: Site, block: readonly TransactionDraft[]): Coin[] {
  const spent = block.flatMap(({ inputs }) => inputs.map(({ txid, index }) => `${txid}:${index}`));
  const made = block.flatMap((draft): Coin[] => {
    if (draft.kind === 'coinbase') return [];
    const txid = txidOf(draft);
    return draft.outputs.map((output, index) => ({ ...output, txid, index, height, coinbase: false }));
  });
  return [...ledger.coins, ...made].filter(
    (coin) =>
      (!coin.coinbase || height - coin.height >= network.maturity) &&
      !spent.includes(`${coin.txid}:${coin.index}`) &&
      KEYS.some(({ address }) => address === coin.address),
  );
}

/** A transfer that is right at this place; `undefined` where there is nothing to spend. */
export function transferOf(site: Site, block: readonly TransactionDraft[]): TransactionDraft | undefined {
  const { dice, network, height } = site;
  const coins = spendable(site, block);
  if (coins.length === 0) return undefined;
  // The newest coins are taken more often than chance would have it: those that a reorganisation takes away.
  const from = dice.chance(0.5) ? coins.slice(-3) : coins;
  const inputs = dice.shuffled(from.slice(0, 40)).slice(0, dice.pick([1, 1, 1, 2, 2, 3]));
  const draft = plainDraft({
    version: dice.between(1, versionAt(network, height)),
    timestamp: dice.pick([0n, BigInt(dice.below(2 ** 31)), 8_640_000_000_000_000n]),
    inputs: inputs.map(({ txid, index }) => ({ txid, index })),
    memo: dice.bytes(dice.pick([0, 0, 0, 5, 80])),
  });
  draft.outputs = shares(dice, sumOf(inputs));
  return draft;
}

/** An amount in one to four parts; equal parts make rich lists with ties. What is left over is the fee. */
function shares(dice: Dice, total: bigint): { address: string; value: bigint }[] {
  const parts = BigInt(dice.pick([1, 2, 2, 3, 4]));
  const fee = dice.chance(0.5) ? 0n : BigInt(dice.below(5_000));
  const left = total - fee;
  if (left < parts) return [{ address: someAddress(dice), value: total }];
  const share = left / parts;
  const values = Array.from({ length: Number(parts) }, () => share);
  if (dice.chance(0.5)) values[0] = left - share * (parts - 1n);
  return values.map((value) => ({ address: someAddress(dice), value }));
}

/** What the miner of a block may claim. */
export function claimable(site: Site, block: readonly TransactionDraft[]): bigint {
  const fees = block.map((draft, position) => {
    const spent = coinsSpent(draft, site.ledger, block.slice(0, position));
    return draft.kind === 'coinbase' ? 0n : sumOf(spent) - sumOf(draft.outputs);
  });
  return rewardAt(site.network, site.height) + fees.reduce((sum, fee) => sum + fee, 0n);
}
