import type { Mempool } from '../../server/mempool/mempool.js';
import type { TxReject } from '../../shared/consensus/reject.js';
import type { Transaction } from '../../shared/model/transaction.js';
import type { POOL_CODES, PoolReject } from '../../shared/policy/reject.js';
import { assertOk, assertRefused, present } from '../kit/assertOk.js';
import { type Spendable, testKey, transfer } from '../kit/builders.js';
import { TestChain } from '../kit/testChain.js';
import { memoryChain } from '../support/memoryChain.js';
import { memoryMempool } from '../support/memoryMempool.js';

const alice = testKey(1);

/** A mempool on a chain with ripe coins. */
async function poolWithCoins(maxBytes?: number) {
  const source = new TestChain();
  const chain = await memoryChain();
  const blocks = source.grow(source.genesis, 4);
  for (const block of blocks) assertOk(await chain.submitBlock(block));
  const mempool = await memoryMempool(chain, maxBytes === undefined ? {} : { maxBytes });
  const coins = blocks.slice(0, 3).map((block) => source.coinOf(block));
  const genesis = source.genesis.header.hash;
  const pay = (spend: Spendable, fee: bigint): Transaction =>
    transfer({ genesis, spend: [spend], outputs: [{ address: alice.address, value: spend.coin.value - fee }] });
  return { mempool, pay, first: present(coins[0]), second: present(coins[1]) };
}

async function refused(mempool: Mempool, transaction: Transaction): Promise<TxReject | PoolReject> {
  return assertRefused(await mempool.submit(transaction, null));
}

/** For each reason of the mempool, a transaction that meets it. */
export const poolCases: Record<keyof typeof POOL_CODES, () => Promise<TxReject | PoolReject>> = {
  'pool-known': async () => {
    const { mempool, pay, first } = await poolWithCoins();
    assertOk(await mempool.submit(pay(first, 1_000n), null));
    return refused(mempool, pay(first, 1_000n));
  },
  'pool-conflict': async () => {
    const { mempool, pay, first } = await poolWithCoins();
    assertOk(await mempool.submit(pay(first, 1_000n), null));
    return refused(mempool, pay(first, 2_000n));
  },
  'pool-fee-too-low': async () => {
    const { mempool, pay, first } = await poolWithCoins();
    return refused(mempool, pay(first, 1n));
  },
  'pool-full': async () => {
    const { mempool, pay, first, second } = await poolWithCoins(200);
    assertOk(await mempool.submit(pay(first, 2_000n), null));
    return refused(mempool, pay(second, 1_000n));
  },
  'pool-chain-too-long': async () => {
    const { mempool, pay, first } = await poolWithCoins();
    for (let spend = first; ; ) {
      const transaction = pay(spend, 1_000n);
      const verdict = await mempool.submit(transaction, null);
      if (!verdict.ok) return verdict.reject;
      spend = {
        outpoint: { txid: transaction.txid, index: 0 },
        coin: present(transaction.body.outputs[0]),
        key: alice,
      };
    }
  },
};
