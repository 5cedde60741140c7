import type { Chainstate } from '../../../../server/chain/chainstate.js';
import { expectedBits, type ParentContext } from '../../../../shared/consensus/checkHeader.js';
import { spendableAt } from '../../../../shared/consensus/coins.js';
import type { NetworkParams } from '../../../../shared/consensus/params.js';
import { targetFromBits, workOfTarget } from '../../../../shared/consensus/target.js';
import type { Address } from '../../../../shared/model/address.js';
import type { Block } from '../../../../shared/model/block.js';
import type { HeaderFields } from '../../../../shared/model/header.js';
import type { BlockHash } from '../../../../shared/model/ids.js';
import type { CoinbaseBody, Transaction, TransferBody } from '../../../../shared/model/transaction.js';
import { signTransfer } from '../../../../shared/wallet/signTransfer.js';
import { present } from '../../assertOk.js';
import { coinbase, type Spendable, transfer, transferBody } from '../../builders.js';
import { TestChain } from '../../testChain.js';
import type { Dice } from '../dice.js';
import { FeignedChain } from './feignedChain.js';
import type { Liar } from './liar.js';
import type { Telling } from './lie.js';

/** What a forged payment leaves to the miner: above what any node asks for. */
export const FORGED_FEE = 10_000n;
/** The most hashes a forged block may take on average: a lie should cost milliseconds. */
const MOST_WORK = 10_000n;
/** Coins looked through, and owners to take them from. */
const MOST_COINS = 100;
const MOST_OWNERS = 10;

/** Where a liar makes blocks and payments that stand on a victim's own chain: valid ones, but for what it is told to change. */
export class Forge {
  readonly params: NetworkParams;
  readonly genesis: BlockHash;
  readonly dice: Dice;
  /** What the next block stands on. */
  readonly parent: Block;
  /** What the next block's hash must not exceed. */
  readonly target: bigint;
  readonly #liar: Liar;
  readonly #telling: Telling;
  readonly #chain: Chainstate;
  readonly #blocks: TestChain;

  private constructor(chain: Chainstate, { liar, telling }: { liar: Liar; telling: Telling }, context: ParentContext) {
    this.#liar = liar;
    this.#telling = telling;
    this.#chain = chain;
    this.params = chain.params;
    this.genesis = chain.genesis.header.hash;
    this.dice = telling.dice;
    this.parent = chain.store.block(context.hash);
    this.target = present(targetFromBits(expectedBits(chain.params, context)));
    this.#blocks = new TestChain(chain.params, liar.key);
    this.#blocks.stand(context);
  }

  /**
   * A forge on a victim's tip, or so many blocks below it. `undefined` where the victim is down, its chain is too short,
   * or the network has too much difficulty for a test to make blocks.
   */
  static on(liar: Liar, telling: Telling, depth = 0): Forge | undefined {
    const chain = telling.victim.running?.chain;
    if (chain === undefined || chain.tip.header.height < depth) return undefined;
    const parent = chain.headers.ancestor(chain.tip, chain.tip.header.height - depth);
    const context = chain.headers.contextOf(parent);
    const forge = new Forge(chain, { liar, telling }, context);
    return workOfTarget(forge.target) > MOST_WORK ? undefined : forge;
  }

  /** The rules' view of a block's children. */
  contextOf(parent: Block): ParentContext {
    return this.#blocks.contextOf(parent);
  }

  /** A coinbase for the liar, unlike any other: the full reward, and more where `extra` says so. */
  coinbase({ parent = this.parent, extra = 0n }: { parent?: Block; extra?: bigint } = {}): Transaction<CoinbaseBody> {
    const { params, dice } = this;
    const { address } = this.#liar.key;
    return coinbase({ params, height: parent.header.height + 1, address, fees: extra, tag: dice.below(1 << 16) });
  }

  /** A mined block of these transactions, right or wrong. Others may stand on it. */
  block(transactions: readonly Transaction[], plan: { parent?: Block; change?: Partial<HeaderFields> } = {}): Block {
    const { parent = this.parent, change = {} } = plan;
    return this.#blocks.raw(parent, transactions, { change });
  }

  /** Valid blocks with nothing in them, one on the other. */
  emptyBlocks(parent: Block, count: number): Block[] {
    const blocks: Block[] = [];
    for (let at = parent; blocks.length < count; blocks.push(at))
      at = this.block([this.coinbase({ parent: at })], { parent: at });
    return blocks;
  }

  /** The first coin that a transaction pays the liar. */
  coinOf({ txid, body }: Transaction): Spendable {
    return { outpoint: { txid, index: 0 }, coin: present(body.outputs[0]), key: this.#liar.key };
  }

  /** A payment of one coin to the liar itself, less a fee, signed by the coin's owner. */
  pay(coin: Spendable, value = coin.coin.value - FORGED_FEE): Transaction<TransferBody> {
    return this.payAll([coin], value);
  }

  /** The same of several coins, or of one several times. */
  payAll(spend: readonly Spendable[], value: bigint): Transaction<TransferBody> {
    const outputs = [{ address: this.#liar.key.address, value }];
    return transfer({ genesis: this.genesis, spend, outputs });
  }

  /** The same of somebody else's coin, signed by the liar. */
  steal(coin: Spendable): Transaction<TransferBody> {
    const { genesis } = this;
    const { address, secretKey } = this.#liar.key;
    const outputs = [{ address, value: coin.coin.value - FORGED_FEE }];
    const body = transferBody({ genesis, spend: [coin], outputs });
    return signTransfer(body, { genesis, spent: [coin.coin], secretKeyOf: () => secretKey });
  }

  /** A coin of the liar's own that the next block may spend, if it has one. */
  ripeCoin(): Spendable | undefined {
    return this.dice.pick(this.#coinsOf(this.#liar.key.address));
  }

  /** The same, and no waiting transaction spends it. */
  freeCoin(): Spendable | undefined {
    const pools = this.#telling.net.nodes.flatMap(({ running }) => running?.mempool.pool ?? []);
    const isFree = ({ outpoint }: Spendable): boolean => pools.every((pool) => pool.spenderOf(outpoint) === undefined);
    return this.dice.pick(this.#coinsOf(this.#liar.key.address).filter(isFree));
  }

  /** Somebody else's coin that the next block may spend. Its key is the liar's, which does not fit. */
  othersCoin(): Spendable | undefined {
    const owners = this.#chain.store.rich({ limit: MOST_OWNERS }).map(({ key }) => key.address);
    const others = owners.filter((address) => address !== this.#liar.key.address);
    return this.dice.pick(others.flatMap((address) => this.#coinsOf(address)));
  }

  /** The victim's chain up to where the branch leaves it, and on along the branch. */
  feign(branch: readonly Block[]): FeignedChain {
    const { headers, genesis } = this.#chain;
    const [root, fork] = [headers.require(genesis.header.hash), headers.require(this.parent.header.hash)];
    const below = headers.path(root, fork).map(({ header }) => header);
    return new FeignedChain(genesis.header, [...below, ...branch.map(({ header }) => header)]);
  }

  #coinsOf(owner: Address): Spendable[] {
    const next = this.parent.header.height + 1;
    return this.#chain.store
      .coinsOf(owner, { limit: MOST_COINS })
      .filter(({ value: coin }) => spendableAt(coin, this.params) <= next && coin.value > 3n * FORGED_FEE)
      .map(({ key, value }) => ({
        outpoint: key.outpoint,
        coin: { address: owner, value: value.value },
        key: this.#liar.key,
      }));
  }
}
