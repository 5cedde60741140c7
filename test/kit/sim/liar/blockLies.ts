import type { Block } from '../../../../shared/model/block.js';
import { toHeight } from '../../../../shared/model/height.js';
import { idFromBytes } from '../../../../shared/model/ids.js';
import { sealTransaction, type Transaction } from '../../../../shared/model/transaction.js';
import type { Spendable } from '../../builders.js';
import { announceBlock } from './announce.js';
import { FORGED_FEE, Forge } from './forge.js';
import { underJunk } from './junkSignature.js';
import type { Lie } from './lie.js';

/** Blocks with all the work they need, announced and served as an honest miner would, that break one rule each. */
export const BLOCK_LIES = {
  /** Two transactions of a block spend one coin. */
  'block-double-spend': block((forge) =>
    withCoin(forge, (coin) => [forge.pay(coin), forge.pay(coin, coin.coin.value - 2n * FORGED_FEE)]),
  ),
  /** A transaction lists a coin twice and pays out twice its worth. */
  'block-duplicate-input': block((forge) =>
    withCoin(forge, (coin) => [forge.payAll([coin, coin], 2n * coin.coin.value - FORGED_FEE)]),
  ),
  /** A transaction pays out one unit more than it spends. */
  'block-overspend': block((forge) => withCoin(forge, (coin) => [forge.pay(coin, coin.coin.value + 1n)])),
  /** A transaction spends a coin that nobody ever made. */
  'block-missing-coin': block((forge) => {
    const txid = idFromBytes<Transaction['txid']>(forge.dice.bytes(32));
    const coin = forge.coinOf(forge.coinbase({ extra: 2n * FORGED_FEE }));
    return filled(forge, [forge.pay({ ...coin, outpoint: { txid, index: 0 } })]);
  }),
  /** A transaction spends what the coinbase of its own block has only just made. */
  'block-immature': block((forge) => {
    const coinbase = forge.coinbase();
    const [output] = coinbase.body.outputs;
    // The reward may have halved away.
    if (output === undefined || output.value <= FORGED_FEE) return undefined;
    return forge.block([coinbase, forge.pay(forge.coinOf(coinbase))]);
  }),
  /** A child stands before the parent whose coin it spends. */
  'block-child-first': block((forge) =>
    withCoin(forge, (coin) => {
      const parent = forge.pay(coin);
      return [forge.pay(forge.coinOf(parent)), parent];
    }),
  ),
  /** Somebody else's coin, under the liar's signature. */
  'block-stolen-coin': block((forge) => {
    const coin = forge.othersCoin();
    return coin && filled(forge, [forge.steal(coin)]);
  }),
  /** Somebody else's coin, under a signature that is none. */
  'block-junk-signature': block((forge) => {
    const coin = forge.othersCoin();
    return coin && filled(forge, [underJunk(forge.steal(coin), forge.dice)]);
  }),
  /** The coinbase makes a unit more than the reward. */
  'block-rich-coinbase': block((forge) => forge.block([forge.coinbase({ extra: 1n })])),
  'block-second-coinbase': block((forge) => filled(forge, [forge.coinbase()])),
  'block-no-coinbase': block((forge) => {
    const coin = forge.ripeCoin();
    return coin && forge.block([forge.pay(coin)]);
  }),
  /** The coinbase names another height than its block's, so that its id may come again. */
  'block-coinbase-height': block((forge) => {
    const { body } = forge.coinbase();
    return forge.block([sealTransaction({ ...body, height: toHeight(body.height + 1) }, [])]);
  }),
  /** A header that commits to no body there is, with an honest one. */
  'block-wrong-root': block((forge) =>
    forge.block([forge.coinbase()], { change: { merkleRoot: forge.dice.bytes(32) } }),
  ),
} satisfies Record<string, Lie>;

/** The lie that announces and serves what is forged. */
function block(make: (forge: Forge) => Block | undefined): Lie {
  return async (liar, telling) => {
    const forge = Forge.on(liar, telling);
    const forged = forge && make(forge);
    if (forged === undefined) return false;
    liar.story.serve(forged);
    return announceBlock(liar, telling.victim, forged.header);
  };
}

/** A block of these transfers, where the liar has a coin to spend. */
function withCoin(forge: Forge, spend: (coin: Spendable) => readonly Transaction[]): Block | undefined {
  const coin = forge.ripeCoin();
  return coin && filled(forge, spend(coin));
}

function filled(forge: Forge, transactions: readonly Transaction[]): Block {
  return forge.block([forge.coinbase(), ...transactions]);
}
