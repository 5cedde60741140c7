import { expect, test } from 'vitest';
import { FeeWatch } from '../../../server/mempool/feeWatch.js';
import type { Mempool } from '../../../server/mempool/mempool.js';
import type { Kv } from '../../../server/store/kv.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import { poolLayout, type SavedFees } from '../../../server/store/poolLayout.js';
import { put, read } from '../../../server/store/space.js';
import type { Block } from '../../../shared/model/block.js';
import type { Transaction } from '../../../shared/model/transaction.js';
import { assertOk, present } from '../../kit/assertOk.js';
import { type Spendable, testKey, transfer } from '../../kit/builders.js';
import { silentLog } from '../../kit/sim/silentLog.js';
import { TestChain } from '../../kit/testChain.js';
import { flakyKv } from '../../support/flakyKv.js';
import { memoryChain, stillClock } from '../../support/memoryChain.js';
import { memoryMempool } from '../../support/memoryMempool.js';

const alice = testKey(1);
const COINS = 40;

/** A chain with one coin that was split into many, and a mempool that is watched. */
async function scene() {
  const source = new TestChain();
  const chain = await memoryChain();
  const genesis = source.genesis.header.hash;
  const blocks = source.grow(source.genesis, 4);
  const first = source.coinOf(present(blocks[0]));
  const value = (first.coin.value - 1_000_000n) / BigInt(COINS);
  const outputs = Array.from({ length: COINS }, () => ({ address: alice.address, value }));
  const split = transfer({ genesis, spend: [first], outputs });
  blocks.push(source.extend(present(blocks.at(-1)), { transactions: [split] }));
  for (const block of blocks) assertOk(await chain.submitBlock(block));
  const mempool = await memoryMempool(chain);
  const clock = stillClock();
  const coins = split.body.outputs.map(
    (coin, index): Spendable => ({ outpoint: { txid: split.txid, index }, coin, key: alice }),
  );
  let tip = present(blocks.at(-1));
  return {
    chain,
    mempool,
    clock,
    coins,
    source,
    pay: (spend: Spendable, fee: bigint): Transaction =>
      transfer({ genesis, spend: [spend], outputs: [{ address: alice.address, value: spend.coin.value - fee }] }),
    /** Puts a block on the tip. */
    async mine(transactions: readonly Transaction[] = []): Promise<Block> {
      tip = source.extend(tip, { transactions });
      assertOk(await chain.submitBlock(tip));
      return tip;
    },
    watch: (kv: Kv = memoryKv()) => new FeeWatch({ chain, mempool, kv, clock, log: silentLog }),
  };
}

async function take(mempool: Mempool, transactions: readonly Transaction[]): Promise<void> {
  for (const each of transactions) assertOk(await mempool.submit(each, null));
}

test('what real blocks confirm is learnt, told as a rate that would have done, and known again after a stop', async () => {
  const { mempool, coins, pay, mine, watch } = await scene();
  const kv = memoryKv();
  const fees = watch(kv);
  expect(fees.estimate(2, 1)).toEqual({ feeRate: null, samples: 0, reason: 'too-little-data' });
  const rates: number[] = [];
  for (let i = 0; i < 30; i += 3) {
    const batch = coins.slice(i, i + 3).map((coin) => pay(coin, 2_000n));
    await take(mempool, batch);
    rates.push(...batch.map(({ raw }) => 2_000 / raw.length));
    await mine(batch);
  }
  const lowest = Math.min(...rates);
  const { feeRate, samples } = fees.estimate(2, 1);
  expect(feeRate).toBeGreaterThan(lowest / 1.11);
  expect(feeRate).toBeLessThanOrEqual(lowest);
  expect(samples).toBeGreaterThan(25);
  expect(fees.estimate(2, 100).feeRate).toBe(100);
  await fees.close();
  expect(watch(kv).estimate(2, 1)).toEqual({ feeRate, samples, reason: null });
  // Whoever died before it could save begins with nothing.
  expect(watch().estimate(2, 1).feeRate).toBeNull();
});

test('what was saved by another version, or is not what could have been saved, is left alone', async () => {
  const { watch } = await scene();
  const good = { version: 1, height: 5, confirmed: [{ cell: 300, millionths: 90_000_000 }], left: [] };
  const estimateFrom = async (saved: SavedFees) => {
    const kv = memoryKv();
    await kv.commit([put(poolLayout.fees, null, saved)]);
    return watch(kv).estimate(144, 1);
  };
  expect((await estimateFrom(good)).samples).toBe(90);
  for (const bad of [
    { ...good, version: 2 },
    { ...good, left: [{ cell: 99_999, millionths: 1 }] },
    { ...good, confirmed: [{ cell: 300, millionths: Number.MAX_SAFE_INTEGER }] },
  ])
    expect(await estimateFrom(bad)).toEqual({ feeRate: null, samples: 0, reason: 'too-little-data' });
});

test('a disk that is full keeps nobody from stopping', async () => {
  const { watch } = await scene();
  const flaky = flakyKv(memoryKv());
  const fees = watch(flaky.kv);
  flaky.failAt(0);
  await fees.close();
  expect(flaky.hasFailed()).toBe(true);
  expect(read(flaky.kv, poolLayout.fees, null)).toBeUndefined();
});

test('a child, and a parent that it pays for, are no examples', async () => {
  const { mempool, coins, pay, mine, watch } = await scene();
  const fees = watch();
  const pairs = coins.slice(0, 25).map((coin) => {
    const parent = pay(coin, 200n);
    const output = { outpoint: { txid: parent.txid, index: 0 }, coin: present(parent.body.outputs[0]), key: alice };
    return [parent, pay(output, 20_000n)];
  });
  await take(mempool, pairs.flat());
  await mine(pairs.flat());
  expect(fees.estimate(2, 1)).toEqual({ feeRate: null, samples: 0, reason: 'too-little-data' });
});

test('a block that leaves and comes back, with its payments waiting in between, counts each of them once', async () => {
  const { chain, mempool, coins, pay, mine, watch } = await scene();
  const fees = watch();
  const batch = coins.slice(0, 25).map((coin) => pay(coin, 2_000n));
  await take(mempool, batch);
  const { header } = await mine(batch);
  expect(fees.estimate(1, 1).samples).toBe(25);
  const record = chain.headers.require(header.hash);
  for (let round = 0; round < 3; round++) {
    await chain.setAside(record);
    await mempool.atRest();
    expect(mempool.pool.count).toBe(25);
    await chain.reconsider(record);
    await mempool.atRest();
    expect(mempool.pool.count).toBe(0);
  }
  await mine();
  expect(fees.estimate(1, 1).samples).toBe(25);
});

test('flow tells what came, was confirmed and was lost', async () => {
  const { mempool, coins, pay, mine, watch, clock } = await scene();
  const fees = watch();
  const [lost, kept] = [pay(present(coins[0]), 2_000n), pay(present(coins[1]), 2_000n)];
  await take(mempool, [lost, kept]);
  clock.set(clock.now() + 1_000);
  await mine([pay(present(coins[0]), 3_000n), kept]);
  expect(fees.flow()).toEqual({ windowMs: 1_000, accepted: 2, confirmed: 1, dropped: 1 });
});
