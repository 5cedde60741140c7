import { describe, expect, test } from 'vitest';
import type { Chainstate } from '../../../server/chain/chainstate.js';
import type { Mempool } from '../../../server/mempool/mempool.js';
import { usageOf } from '../../../server/mempool/usage.js';
import type { Block } from '../../../shared/model/block.js';
import { sealTransaction, type Transaction, type TransferBody } from '../../../shared/model/transaction.js';
import { MAX_REPLACED } from '../../../shared/policy/relay.js';
import { assertOk, assertRefused, present } from '../../kit/assertOk.js';
import { type Spendable, testKey, transfer, transferBody } from '../../kit/builders.js';
import { TestChain } from '../../kit/testChain.js';
import { memoryChain } from '../../support/memoryChain.js';
import { memoryMempool } from '../../support/memoryMempool.js';

const alice = testKey(1);

interface Scene {
  readonly chain: Chainstate;
  readonly tip: Block;
  readonly source: TestChain;
  /** Ripe coins, each another's. */
  readonly coins: readonly Spendable[];
  pay(spend: readonly Spendable[], fee: bigint, outputs?: number): Transaction<TransferBody>;
  /** The same, by somebody who has no key for these coins. */
  forge(spend: readonly Spendable[], fee: bigint, outputs?: number): Transaction<TransferBody>;
}

/** A chain with a block that divides its first coin into many. */
async function scene(many = 8): Promise<Scene> {
  const source = new TestChain();
  const chain = await memoryChain();
  const blocks = source.grow(source.genesis, 3);
  const genesis = source.genesis.header.hash;
  const plan = (spend: readonly Spendable[], fee: bigint, count: number) => {
    const value = (spend.reduce((sum, { coin }) => sum + coin.value, 0n) - fee) / BigInt(count);
    return { genesis, spend, outputs: Array.from({ length: count }, () => ({ address: alice.address, value })) };
  };
  const pay: Scene['pay'] = (spend, fee, count = 1) => transfer(plan(spend, fee, count));
  const forge: Scene['forge'] = (spend, fee, count = 1) =>
    sealTransaction(transferBody(plan(spend, fee, count)), [new Uint8Array(65).fill(1)]);
  const coins: Spendable[] = [];
  let tip = present(blocks.at(-1));
  const divided = pay([source.coinOf(present(blocks[0]))], 0n, many);
  tip = source.extend(tip, { transactions: [divided] });
  coins.push(...outputsOf(divided));
  for (const each of [...blocks, tip]) assertOk(await chain.submitBlock(each));
  return { chain, tip, source, coins, pay, forge };
}

function outputsOf({ txid, body }: Transaction): Spendable[] {
  return body.outputs.map((coin, index) => ({ outpoint: { txid, index }, coin, key: alice }));
}

/** All that can be told of a pool from outside. */
function picture({ pool, minFeeRate }: Mempool): unknown {
  return {
    floor: minFeeRate,
    sums: [pool.count, pool.bytes, pool.usage, pool.fees],
    entries: Array.from(pool.entries(), ({ transaction, arrival, parents, firstSeen }) => ({
      ...{ txid: transaction.txid, arrival, firstSeen, parents: [...parents] },
      children: [...pool.childrenOf(transaction.txid)].sort(),
    })).sort((a, b) => a.arrival - b.arrival),
    chunks: pool.chunks().map(({ entries, rate }) => [rate, ...entries.map(({ transaction }) => transaction.txid)]),
  };
}

describe('a package', () => {
  test("whose transactions take each other's coin is refused, and nothing of it waits unsigned", async () => {
    const { chain, coins, pay, forge } = await scene();
    const mempool = await memoryMempool(chain);
    const [coin] = coins;
    const waits = pay([present(coins[1])], 1_000n);
    assertOk(await mempool.submit(waits, null));
    const before = picture(mempool);
    const rivals = [forge([present(coin)], 2_000n), forge([present(coin)], 8_000n)];
    expect(assertRefused(await mempool.submitPackage(rivals, null)).code).toBe('pool-conflict');
    expect(picture(mempool)).toEqual(before);
  });

  test('whose later transaction takes the coin of what an earlier one stands on is refused whole', async () => {
    const { chain, coins, pay } = await scene();
    const mempool = await memoryMempool(chain);
    const parent = pay([present(coins[0])], 1_000n);
    assertOk(await mempool.submit(parent, null));
    const before = picture(mempool);
    const child = pay([present(outputsOf(parent)[0])], 1_000n);
    const rival = pay([present(coins[0])], 20_000n);
    expect(assertRefused(await mempool.submitPackage([child, rival], null)).code).toBe('pool-conflict');
    expect(picture(mempool)).toEqual(before);
  });

  test('with junk signatures leaves pool, order and floor as they were, though it would have pushed others out', async () => {
    const { chain, coins, pay, forge } = await scene(16);
    const waits = coins.slice(0, 6).map((coin, i) => pay([coin], BigInt(1_000 + 1_000 * (i >> 1))));
    const mempool = await memoryMempool(chain, { maxBytes: waits.reduce((sum, each) => sum + usageOf(each), 0) });
    for (const each of waits) assertOk(await mempool.submit(each, null));
    const before = picture(mempool);
    // It spends coins of others, replaces one that waits, and claims to pay a lot.
    const parent = forge([present(coins[0])], 100_000n, 4);
    const children = outputsOf(parent)
      .slice(0, 3)
      .map((coin) => forge([coin], 100_000n));
    expect(assertRefused(await mempool.submitPackage([parent, ...children], null)).code).toMatch(/^tx-signature-/);
    expect(picture(mempool)).toEqual(before);
  });

  test('that is refused in the end leaves everything as it was', async () => {
    const { chain, coins, pay } = await scene(16);
    const mempool = await memoryMempool(chain);
    const [first, second] = [pay([present(coins[0])], 1_000n, 2), pay([present(coins[1])], 1_000n)];
    const child = pay([present(outputsOf(first)[0])], 1_000n);
    for (const each of [first, second, child]) assertOk(await mempool.submit(each, null));
    const before = picture(mempool);
    const rival = pay([present(coins[0])], 50_000n);
    const unpaid = pay([present(coins[5])], 0n);
    expect(assertRefused(await mempool.submitPackage([rival, unpaid], null)).code).toBe('pool-fee-too-low');
    expect(picture(mempool)).toEqual(before);
  });

  test('takes the place of no more than one transaction may', async () => {
    const { chain, coins, pay } = await scene(MAX_REPLACED + 2);
    const mempool = await memoryMempool(chain);
    const spent = coins.slice(0, MAX_REPLACED + 2);
    for (const coin of spent) assertOk(await mempool.submit(pay([coin], 200n), null));
    const halves = [spent.slice(0, spent.length / 2), spent.slice(spent.length / 2)];
    const rivals = halves.map((half) => pay(half, 500_000n));
    expect(assertRefused(await mempool.submitPackage(rivals, null)).code).toBe('pool-replacement-size');
    expect(mempool.pool.count).toBe(spent.length);
  });
});
