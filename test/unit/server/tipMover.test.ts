import { describe, expect, test } from 'vitest';
import type { BlockEvent } from '../../../server/chain/events.js';
import { VerifiedSet } from '../../../server/chain/verifiedSet.js';
import type { Signatures } from '../../../server/ports.js';
import { layout } from '../../../server/store/layout.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import { remove } from '../../../server/store/space.js';
import { toAmount } from '../../../shared/model/amount.js';
import { parseId, type Wtxid } from '../../../shared/model/ids.js';
import { sealTransaction, type Transaction } from '../../../shared/model/transaction.js';
import { accept } from '../../../shared/verdict.js';
import { assertOk, assertRefused, present } from '../../kit/assertOk.js';
import { testKey, transfer } from '../../kit/builders.js';
import { TestChain } from '../../kit/testChain.js';
import { failureFrom } from '../../support/failureFrom.js';
import { memoryChain, testSignatures } from '../../support/memoryChain.js';
import { assertStoreEqualsReplay } from '../../support/replay.js';

const bob = testKey(2);

/** Six blocks, the first three of which pay coins that may be spent in the next; and what checks signatures. */
async function scene() {
  const source = new TestChain();
  const blocks = source.grow(source.genesis, 6);
  const genesis = source.genesis.header.hash;
  const pay = (number: number): Transaction =>
    transfer({
      genesis,
      spend: [source.coinOf(present(blocks[number]))],
      outputs: [{ address: bob.address, value: 1_000n }],
    });
  const real = await testSignatures();
  const batches: number[] = [];
  const signatures: Signatures = {
    engine: real.engine,
    check: (checks) => {
      batches.push(checks.length);
      return real.check(checks);
    },
  };
  return { source, blocks, tip: present(blocks.at(-1)), pay, signatures, batches };
}

describe('signatures of a block', () => {
  test('each is checked once, in whatever block it comes, and those that passed before are not checked again', async () => {
    const { source, blocks, tip, pay, signatures, batches } = await scene();
    const verified = new VerifiedSet();
    const chain = await memoryChain({ signatures, verified });
    for (const block of blocks) assertOk(await chain.submitBlock(block));
    const [first, second] = [pay(0), pay(1)];
    verified.add(first.wtxid);
    batches.length = 0;
    assertOk(await chain.submitBlock(source.extend(tip, { transactions: [first, second] })));
    expect(batches).toEqual([1]);
    expect([first, second, pay(2)].map(({ wtxid }) => verified.has(wtxid))).toEqual([true, true, false]);
    // The same two on a branch that takes over.
    const rival = source.extend(tip, { transactions: [second, first] });
    batches.length = 0;
    assertOk(await chain.submitBlock(rival));
    assertOk(await chain.submitBlock(source.extend(rival)));
    expect(chain.tip.header.height).toBe(8);
    expect(batches).toEqual([0, 0]);
  });

  test('one that is bad is named by its place; it is not remembered as good, and those before it are', async () => {
    const { source, blocks, tip, pay, signatures } = await scene();
    const verified = new VerifiedSet();
    const chain = await memoryChain({ signatures, verified });
    for (const block of blocks) assertOk(await chain.submitBlock(block));
    const [good, later] = [pay(0), pay(2)];
    const bad = sealTransaction(pay(1).body, good.signatures);
    const block = source.extend(tip, { transactions: [good, bad, later] });
    expect(assertRefused(await chain.submitBlock(block))).toMatchObject({
      code: 'block-tx',
      position: 2,
      reject: { code: 'tx-signature-owner', signature: 0 },
    });
    expect([good, bad, later].map(({ wtxid }) => verified.has(wtxid))).toEqual([true, false, false]);
    assertStoreEqualsReplay(chain);
  });

  test('checks that come back short are a fault of ours, and the block is neither taken nor marked', async () => {
    const { source, blocks, tip, pay, signatures } = await scene();
    let isShort = false;
    const chain = await memoryChain({
      signatures: {
        engine: 'short',
        check: async (checks) => (isShort ? checks.slice(1).map(() => accept(undefined)) : signatures.check(checks)),
      },
    });
    for (const block of blocks) assertOk(await chain.submitBlock(block));
    const block = source.extend(tip, { transactions: [pay(0), pay(1)] });
    isShort = true;
    await expect(chain.submitBlock(block)).rejects.toThrow('signature checks came back short');
    expect(chain.tip.header.hash).toBe(tip.header.hash);
    isShort = false;
    expect(assertOk(await chain.submitBlock(block)).status).toBe('connected');
  });
});

describe('a block that joins or leaves the chain', () => {
  test('is told with its record, fees and all, and comes back the same', async () => {
    const { source, blocks, tip, pay } = await scene();
    const chain = await memoryChain();
    for (const block of blocks) assertOk(await chain.submitBlock(block));
    const told: [string, BlockEvent][] = [];
    chain.events.on('connected', (event) => told.push(['+', event]));
    chain.events.on('disconnected', (event) => told.push(['-', event]));
    const paid = source.extend(tip, { transactions: [pay(0)] });
    const outcome = assertOk(await chain.submitBlock(paid));
    const record = {
      header: paid.header,
      work: 14n,
      anchorTime: present(blocks[0]).header.timestamp,
      skip: present(blocks[0]).header.hash,
      invalid: false,
      setAside: false,
      body: { size: paid.raw.length, transactions: 2, creator: source.coinOf(paid).coin.address },
      fees: toAmount(source.params.reward - 1_000n),
    };
    expect(outcome.record).toEqual(record);
    const branch = source.grow(tip, 2);
    for (const block of branch) assertOk(await chain.submitBlock(block));
    expect(told.map(([sign, { block }]) => [sign, block.header.hash])).toEqual([
      ['+', paid.header.hash],
      ['-', paid.header.hash],
      ['+', branch[0]?.header.hash],
      ['+', branch[1]?.header.hash],
    ]);
    const [joined, left] = told.map(([, event]) => event);
    const { coin } = source.coinOf(present(blocks[0]));
    const spent = [{ ...coin, height: 1, coinbase: true }];
    expect(joined).toEqual({ block: paid, record: outcome.record, spent });
    expect(left).toEqual({ block: paid, record: outcome.record, spent });
    const [first, second] = source.grow(paid, 2);
    assertOk(await chain.submitBlock(present(first)));
    assertOk(await chain.submitBlock(present(second)));
    expect(chain.headers.require(paid.header.hash)).toEqual(outcome.record);
    assertStoreEqualsReplay(chain);
  });

  test('without its undo record it cannot leave: the store is corrupt, and says of which block', async () => {
    const { source, blocks, tip } = await scene();
    const kv = memoryKv();
    const chain = await memoryChain({ kv });
    for (const block of blocks) assertOk(await chain.submitBlock(block));
    const { hash } = tip.header;
    await kv.commit([remove(layout.undo, hash)]);
    const [rival, above] = source.grow(present(blocks.at(-2)), 2);
    assertOk(await chain.submitBlock(present(rival)));
    const detail = `undo of block ${hash} is missing`;
    expect(await failureFrom(chain.submitBlock(present(above)))).toEqual({ code: 'store-corrupt', detail });
    expect(chain.tip.header.hash).toBe(hash);
  });
});

test('of signed forms that passed, the last hundred thousand are remembered', () => {
  const verified = new VerifiedSet();
  const ids = Array.from({ length: 100_001 }, (_, i) => present(parseId<Wtxid>(i.toString(16).padStart(64, '0'))));
  for (const id of ids) verified.add(id);
  expect([0, 1, 100_000].map((i) => verified.has(present(ids[i])))).toEqual([false, true, true]);
});
