import { expect, test } from 'vitest';
import { Wallet } from '../../client/wallet/wallet.js';
import { statusOf } from '../../server/api/transactionStatus.js';
import { VerifiedSet } from '../../server/chain/verifiedSet.js';
import { Departures } from '../../server/mempool/departures.js';
import type { MempoolEvents } from '../../server/mempool/events.js';
import { memoryKv } from '../../server/store/memoryKv.js';
import { toBase64 } from '../../shared/bytes/base64.js';
import { Emitter } from '../../shared/emitter.js';
import type { Block } from '../../shared/model/block.js';
import type { TxId } from '../../shared/model/ids.js';
import type { Transaction, TransferBody } from '../../shared/model/transaction.js';
import { statusOutput } from '../../shared/rpc/insightSchemas.js';
import { WORDS } from '../codes/walletCases.js';
import { assertOk, present } from '../kit/assertOk.js';
import { type Spendable, testKey, transfer } from '../kit/builders.js';
import { silentLog } from '../kit/sim/silentLog.js';
import { TestChain } from '../kit/testChain.js';
import { memoryChain, stillClock } from '../support/memoryChain.js';
import { memoryMempool } from '../support/memoryMempool.js';
import { type TestNode, testNode } from '../support/testNode.js';

const alice = testKey(1);

/** Blocks with coins, and ways to spend them. */
function source() {
  const chain = new TestChain();
  const blocks = chain.grow(chain.genesis, 6);
  const genesis = chain.genesis.header.hash;
  const pay = (from: Spendable, fee: bigint): Transaction<TransferBody> =>
    transfer({ genesis, spend: [from], outputs: [{ address: alice.address, value: from.coin.value - fee }] });
  const coin = (i: number): Spendable => chain.coinOf(present(blocks[i]));
  const output = (of: Transaction): Spendable => {
    return { outpoint: { txid: of.txid, index: 0 }, coin: present(of.body.outputs[0]), key: alice };
  };
  return { chain, blocks, pay, coin, output };
}

async function give({ client }: TestNode, ...blocks: readonly Block[]): Promise<void> {
  for (const { raw } of blocks) await client.block.submit.mutate({ block: toBase64(raw) });
}

async function send({ client }: TestNode, ...transactions: readonly Transaction[]): Promise<void> {
  for (const { raw } of transactions) await client.transaction.submit.mutate({ transaction: toBase64(raw) });
}

test('a payment waits, is confirmed, and waits again when its block leaves the chain', async () => {
  await using node = await testNode();
  const { client } = node;
  const wallet = new Wallet({ client, words: WORDS });
  await client.block.generate.mutate({ address: wallet.address, count: 3 });
  const { txid, fee, size } = await wallet.send({ recipients: [{ to: wallet.address, amount: 5_000n }] });
  const ask = () => client.transaction.status.query({ txid });
  const pending = { state: 'pending', txid, fee, size, feeRate: Number(fee) / size, ahead: { count: 0, bytes: 0 } };
  expect(await ask()).toMatchObject(pending);
  const { hashes } = await client.block.generate.mutate({ address: wallet.address, count: 2 });
  const [hash] = hashes;
  expect(await ask()).toEqual({ state: 'confirmed', txid, hash, height: 4, position: 1, depth: 2 });
  await client.block.invalidate.mutate({ block: present(hash) });
  expect(await ask()).toMatchObject(pending);
  await client.block.reconsider.mutate({ block: present(hash) });
  expect(await ask()).toMatchObject({ state: 'confirmed', depth: 2 });
  expect(await client.transaction.status.query({ txid: 'ab'.repeat(32) })).toEqual({
    ...{ state: 'unknown', txid: 'ab'.repeat(32) },
  });
});

test('a payment that lost its coin to a block says to which, after restarts and reorganisations, until it waits again', async () => {
  const { chain, blocks, pay, coin, output } = source();
  const [kv, poolKv] = [memoryKv(), memoryKv()];
  const start = () => testNode({ ports: { kv, poolKv } });
  const loser = pay(coin(0), 1_000n);
  const child = pay(output(loser), 1_000n);
  const winner = pay(coin(0), 2_000n);
  const tip = present(blocks.at(-1));
  const taker = chain.extend(tip, { transactions: [winner] });
  const branch = chain.grow(tip, 2);
  const { hash, height } = taker.header;
  const conflicted = (txid: TxId, active: boolean) => ({
    ...{ state: 'conflicted', txid, at: expect.any(Number), code: 'tx-input-missing', block: { hash, height, active } },
  });
  {
    await using node = await start();
    await give(node, ...blocks);
    await send(node, loser, child);
    await give(node, taker);
    for (const { txid } of [loser, child])
      expect(await node.client.transaction.status.query({ txid })).toEqual(conflicted(txid, true));
  }
  {
    await using node = await start();
    for (const { txid } of [loser, child])
      expect(await node.client.transaction.status.query({ txid })).toEqual(conflicted(txid, true));
    // Another branch, without the block that took the coin.
    await give(node, ...branch);
    const { txid } = loser;
    expect(await node.client.transaction.status.query({ txid })).toEqual(conflicted(txid, false));
    // The winner came back from the lost block, and waits.
    expect(await node.client.transaction.status.query({ txid: winner.txid })).toMatchObject({ state: 'pending' });
  }
  await using node = await start();
  const { txid } = loser;
  expect(await node.client.transaction.status.query({ txid })).toEqual(conflicted(txid, false));
  // A block takes it after all.
  const { height: last } = await node.client.block.last.query();
  const { raw } = chain.extend(present(branch.at(-1)), { transactions: [loser] });
  expect((await node.client.block.submit.mutate({ block: toBase64(raw) })).height).toBe(last + 1);
  expect(await node.client.transaction.status.query({ txid })).toMatchObject({ state: 'confirmed', depth: 1 });
  expect(await node.client.transaction.status.query({ txid: winner.txid })).toMatchObject({ state: 'conflicted' });
});

test('a payment sent before a reorganisation, a crash and a restart is confirmed in the end, or its status says why not', async () => {
  const { chain, blocks, pay, coin } = source();
  const tip = present(blocks.at(-1));
  const [kv, poolKv] = [memoryKv(), memoryKv()];
  const [lucky, unlucky] = [pay(coin(0), 1_000n), pay(coin(1), 1_000n)];
  const rival = pay(coin(1), 9_000n);
  const branch = [chain.extend(tip), chain.extend(tip, { transactions: [rival] })];
  const longer = chain.extend(present(branch[1]));
  const first = await testNode({ ports: { kv, poolKv } });
  await give(first, ...blocks);
  await send(first, lucky, unlucky);
  await give(first, present(branch[0]));
  // What is on the disk now is what a crash leaves: the other node goes on with it, and the first writes no more.
  const [crashedKv, crashedPool] = [memoryKv(), memoryKv()];
  for (const [from, to] of [[kv, crashedKv] as const, [poolKv, crashedPool] as const]) {
    const rows = [...from.range({ gte: Uint8Array.of(0), lt: Uint8Array.of(255) })];
    await to.commit(rows.map(([key, value]) => ({ kind: 'put', key, value })));
  }
  await first[Symbol.asyncDispose]();
  {
    // The rival branch comes while nobody has said a word of it to the pool.
    await using node = await testNode({ ports: { kv: crashedKv, poolKv: memoryKv() } });
    await give(node, present(branch[1]), longer);
  }
  await using node = await testNode({ ports: { kv: crashedKv, poolKv: crashedPool } });
  const statusNow = (txid: TxId) => node.client.transaction.status.query({ txid });
  expect(await statusNow(lucky.txid)).toMatchObject({ state: 'pending' });
  expect(await statusNow(unlucky.txid)).toMatchObject({ state: 'conflicted', code: 'tx-input-missing' });
  await give(node, chain.extend(longer, { transactions: [lucky] }));
  expect(await statusNow(lucky.txid)).toMatchObject({ state: 'confirmed', depth: 1 });
});

test('every code by which a transaction can leave has its state', async () => {
  const { chain: blocksOf, blocks, pay, coin } = source();
  const chain = await memoryChain();
  for (const block of blocks) assertOk(await chain.submitBlock(block));
  const events = new Emitter<MempoolEvents>();
  const kv = memoryKv();
  const mempool = await memoryMempool(chain, { kv, events, verified: new VerifiedSet(), maxBytes: 7_000 });
  const departures = new Departures({ kv, events, clock: stillClock(), log: silentLog });
  const status = (txid: TxId) => statusOutput.parse(statusOf(txid, { chain, mempool, departures }));
  const transaction = pay(coin(0), 1_000n);
  const { txid } = transaction;
  const dearer = pay(coin(1), 2_000n);
  const told = (by?: TxId) => (code: MempoolEvents['dropped']['code']) => {
    events.emit('dropped', { transaction, spent: [], code, by });
    return status(txid);
  };
  const gone = { txid, at: stillClock().now() };
  expect(told(dearer.txid)('pool-replaced')).toEqual({
    state: 'replaced',
    ...gone,
    code: 'pool-replaced',
    by: dearer.txid,
  });
  expect(told()('pool-replaced')).toMatchObject({ state: 'replaced', by: null });
  expect(told()('tx-input-missing')).toEqual({ state: 'conflicted', ...gone, code: 'tx-input-missing', block: null });
  // No block has this name.
  expect(told(dearer.txid)('tx-input-missing')).toMatchObject({ state: 'conflicted', block: null });
  expect(told()('tx-immature')).toEqual({ state: 'refused', ...gone, code: 'tx-immature' });
  // Real evictions: there is room for two.
  assertOk(await mempool.submit(transaction, null));
  expect(status(txid)).toMatchObject({ state: 'pending', ahead: { count: 0 } });
  assertOk(await mempool.submit(dearer, null));
  const ahead = { count: 1, bytes: dearer.raw.length };
  expect(status(txid)).toMatchObject({ state: 'pending', ahead });
  assertOk(await mempool.submit(pay(coin(2), 3_000n), null));
  expect(status(txid)).toEqual({ state: 'evicted', ...gone, code: 'pool-full' });
  assertOk(await chain.submitBlock(blocksOf.extend(present(blocks.at(-1)), { transactions: [transaction] })));
  expect(status(txid)).toMatchObject({ state: 'confirmed', height: 7, depth: 1 });
});
