import { expect, test } from 'vitest';
import { SavedPool } from '../../../server/mempool/savedPool.js';
import type { Kv } from '../../../server/store/kv.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import { TrestleError } from '../../../shared/errors.js';
import { assertOk, present } from '../../kit/assertOk.js';
import { testKey, transfer } from '../../kit/builders.js';
import { silentLog } from '../../kit/sim/silentLog.js';
import { TestChain } from '../../kit/testChain.js';
import { failureFrom } from '../../support/failureFrom.js';
import { memoryChain, stillClock } from '../../support/memoryChain.js';
import { memoryMempool } from '../../support/memoryMempool.js';
import { testNode } from '../../support/testNode.js';

const ADDRESS = testKey(1).address;

/** A store whose commits fail from some moment on. */
function failingKv(inner: Kv = memoryKv()): { kv: Kv; failWith(error: Error | undefined): void } {
  let failure: Error | undefined;
  return {
    kv: { ...inner, commit: (batch) => (failure === undefined ? inner.commit(batch) : Promise.reject(failure)) },
    failWith(error) {
      failure = error;
    },
  };
}

test('a node whose disk fails to sync ends, and says why; the same on the store of waiting transactions', async () => {
  for (const which of ['kv', 'poolKv'] as const) {
    const { kv, failWith } = failingKv();
    await using node = await testNode({ ports: { [which]: kv } });
    await node.client.block.generate.mutate({ address: ADDRESS, count: 4 });
    expect(node.running.failure).toBeUndefined();
    const broken = Object.assign(new Error('Input/output error'), { code: 5 });
    failWith(broken);
    const source = new TestChain();
    if (which === 'kv') await expect(node.client.block.generate.mutate({ address: ADDRESS })).rejects.toThrow();
    else {
      const { items } = await node.client.info.utxos.query({ address: ADDRESS, limit: 10 });
      const coin = present(items.find(({ height }) => height === 1));
      const spend = { outpoint: { txid: coin.txid, index: coin.index }, coin: { address: ADDRESS, value: coin.value } };
      const payment = transfer({
        genesis: source.genesis.header.hash,
        spend: [{ ...spend, key: testKey(1) }],
        outputs: [{ address: ADDRESS, value: coin.value - 10_000n }],
      });
      const transaction = Buffer.from(payment.raw).toString('base64');
      await expect(node.client.transaction.submit.mutate({ transaction })).rejects.toThrow();
    }
    await node.running.stopped;
    expect(node.running.failure).toBe(broken);
  }
});

test('a full disk ends nothing', async () => {
  const { kv, failWith } = failingKv();
  await using node = await testNode({ ports: { kv } });
  failWith(new TrestleError({ code: 'store-full', directory: 'here' }));
  expect(await failureFrom(node.client.block.generate.mutate({ address: ADDRESS }))).toMatchObject({
    code: 'store-full',
  });
  failWith(undefined);
  await node.client.block.generate.mutate({ address: ADDRESS });
  expect(node.running.failure).toBeUndefined();
});

test('cut off after any commit of a switch of branches, what the lost blocks paid still waits', async () => {
  const source = new TestChain();
  const base = source.grow(source.genesis, 5);
  const root = present(base.at(-1));
  const payments = base.slice(0, 3).map((block) => {
    const spend = source.coinOf(block);
    const outputs = [{ address: ADDRESS, value: spend.coin.value - 10_000n }];
    return transfer({ genesis: source.genesis.header.hash, spend: [spend], outputs });
  });
  const [first, second, third] = payments.map((each) => [each]);
  const old = source.extend(root, { transactions: present(first), fees: 10_000n });
  const older = source.extend(old, { transactions: present(second), fees: 10_000n });
  const rival = source.extend(root, { transactions: present(third), fees: 10_000n });
  const branch = [rival, ...source.grow(rival, 2)];
  for (let allowed = 0; ; allowed++) {
    const [chainStore, poolStore] = [memoryKv(), memoryKv()];
    let left = Number.POSITIVE_INFINITY;
    const mortal = (inner: Kv): Kv => ({
      ...inner,
      commit: (batch) => (left-- > 0 ? inner.commit(batch) : Promise.reject(new Error('killed'))),
    });
    const open = async (kv: Kv, poolKv: Kv) => {
      const saved = new SavedPool(poolKv, silentLog);
      const chain = await memoryChain({ kv, keep: (block) => saved.keep(block, stillClock().now()) });
      return { chain, mempool: await memoryMempool(chain, { kv: poolKv }) };
    };
    const { chain, mempool } = await open(mortal(chainStore), mortal(poolStore));
    for (const block of base) assertOk(await chain.submitBlock(block));
    for (const payment of payments) assertOk(await mempool.submit(payment, null));
    for (const block of [old, older, ...branch.slice(0, -1)]) assertOk(await chain.submitBlock(block));
    left = allowed;
    const finished = await chain.submitBlock(present(branch.at(-1))).then(
      async () => {
        await mempool.atRest();
        return left >= 0;
      },
      () => false,
    );
    const again = await open(chainStore, poolStore);
    for (const { txid } of payments) {
      const isThere = again.mempool.pool.get(txid) !== undefined || again.chain.store.place(txid) !== undefined;
      expect(isThere, `payment ${payments.findIndex((each) => each.txid === txid)} after ${allowed} commits`).toBe(
        true,
      );
    }
    if (finished) break;
  }
});
