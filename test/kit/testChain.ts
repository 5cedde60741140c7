import { contextAfter, type ParentContext } from '../../shared/consensus/checkHeader.js';
import { genesisBlock } from '../../shared/consensus/genesis.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import type { NetworkParams } from '../../shared/consensus/params.js';
import type { Block } from '../../shared/model/block.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { Transaction } from '../../shared/model/transaction.js';
import type { Key } from '../../shared/wallet/keys.js';
import { type BlockPlan, block, coinbase, contextAfterGenesis, type Spendable, testKey } from './builders.js';

/** A chain of blocks outside any node: what somebody else might have mined. Blocks can stand on any earlier one. */
export class TestChain {
  readonly params: NetworkParams;
  readonly genesis: Block;
  readonly #contexts = new Map<BlockHash, ParentContext>();
  readonly #miner: Key;
  #tag = 0;

  constructor(params: NetworkParams = NETWORKS.dev, miner: Key = testKey(1)) {
    this.params = params;
    this.#miner = miner;
    this.genesis = genesisBlock(params);
    const { header } = this.genesis;
    this.#contexts.set(header.hash, contextAfterGenesis(header));
  }

  /** What a child of this block is judged against. */
  contextOf(parent: Block): ParentContext {
    const context = this.#contexts.get(parent.header.hash);
    if (context === undefined) throw new Error(`block ${parent.header.hash} is not of this chain`);
    return context;
  }

  /** A valid block on `parent` that holds these transfers. */
  extend(parent: Block, plan: Partial<BlockPlan> & { readonly fees?: bigint; readonly miner?: Key } = {}): Block {
    const context = this.contextOf(parent);
    const { fees = 0n, miner = this.#miner, transactions = [], ...rest } = plan;
    const { params } = this;
    const height = context.height + 1;
    this.#tag += 1;
    const first = coinbase({ params, height, address: miner.address, fees, tag: this.#tag });
    return this.adopt(block({ params, parent: context, transactions: [first, ...transactions], ...rest }));
  }

  /** A block with just these transactions, right or wrong. */
  raw(parent: Block, transactions: readonly Transaction[], plan: Partial<BlockPlan> = {}): Block {
    return this.adopt(block({ params: this.params, parent: this.contextOf(parent), transactions, ...plan }));
  }

  /** `count` empty blocks on `parent`. */
  grow(parent: Block, count: number): Block[] {
    const blocks: Block[] = [];
    for (let tip = parent; blocks.length < count; ) {
      tip = this.extend(tip);
      blocks.push(tip);
    }
    return blocks;
  }

  /** The first coin of a block's coinbase. */
  coinOf({ transactions }: Block, key: Key = this.#miner): Spendable {
    const [first] = transactions;
    const [output] = first?.body.outputs ?? [];
    if (first === undefined || output === undefined) throw new Error('a block without a coin');
    return { outpoint: { txid: first.txid, index: 0 }, coin: output, key };
  }

  /** Lets blocks stand on one of another chain, of which only this is known here. */
  stand(context: ParentContext): void {
    this.#contexts.set(context.hash, context);
  }

  /** Takes a block made elsewhere, so that others can stand on it. */
  adopt(added: Block): Block {
    const { header } = added;
    const parent = this.#contexts.get(header.previous);
    if (parent === undefined) return added;
    this.#contexts.set(header.hash, contextAfter(parent, header));
    return added;
  }
}
