import type { Chainstate } from '../../server/chain/chainstate.js';
import type { Block } from '../../shared/model/block.js';
import type { Transaction } from '../../shared/model/transaction.js';
import { assertOk, present } from '../kit/assertOk.js';
import { type Spendable, testKey, transfer } from '../kit/builders.js';
import { TestChain } from '../kit/testChain.js';
import { memoryChain } from './memoryChain.js';

const owner = testKey(1);

/** A chain with coins of one owner, and how to spend them. */
export interface PaymentScene {
  readonly source: TestChain;
  readonly chain: Chainstate;
  readonly blocks: readonly Block[];
  /** A transfer of everything a coin holds, less the fee, to one or more outputs of equal worth. */
  pay(spend: Spendable, fee: bigint, outputs?: number): Transaction;
  /** An output of a transfer of ours, to be spent on. */
  output(of: Transaction, index?: number): Spendable;
}

/** A chain in memory of so many blocks, whose coinbases are there to be spent. */
export async function paymentScene(length = 6): Promise<PaymentScene> {
  const source = new TestChain();
  const chain = await memoryChain();
  const blocks = source.grow(source.genesis, length);
  for (const block of blocks) assertOk(await chain.submitBlock(block));
  const genesis = source.genesis.header.hash;
  return {
    source,
    chain,
    blocks,
    pay(spend, fee, count = 1) {
      const value = (spend.coin.value - fee) / BigInt(count);
      const outputs = Array.from({ length: count }, () => ({ address: owner.address, value }));
      return transfer({ genesis, spend: [spend], outputs });
    },
    output(of, index = 0) {
      return { outpoint: { txid: of.txid, index }, coin: present(of.body.outputs[index]), key: owner };
    },
  };
}
