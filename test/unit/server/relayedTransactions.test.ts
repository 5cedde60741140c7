import { describe, expect, test } from 'vitest';
import type { Mempool } from '../../../server/mempool/mempool.js';
import type { Peer, PeerEvents } from '../../../server/net/peer.js';
import { PoorParents } from '../../../server/sync/poorParents.js';
import { RelayedTransactions } from '../../../server/sync/relayedTransactions.js';
import { Turns } from '../../../server/sync/turns.js';
import { Emitter } from '../../../shared/emitter.js';
import { toAmount } from '../../../shared/model/amount.js';
import { parseId, type TxId } from '../../../shared/model/ids.js';
import type { Transaction } from '../../../shared/model/transaction.js';
import { sealTransaction } from '../../../shared/model/transaction.js';
import type { Reason } from '../../../shared/reasons.js';
import { refuse } from '../../../shared/verdict.js';
import { assertOk, present } from '../../kit/assertOk.js';
import { type Spendable, testKey, transfer } from '../../kit/builders.js';
import { silentLog } from '../../kit/sim/silentLog.js';
import { TestChain } from '../../kit/testChain.js';
import { idlePeer } from '../../support/idlePeer.js';
import { memoryChain } from '../../support/memoryChain.js';
import { memoryMempool } from '../../support/memoryMempool.js';

const alice = testKey(1);
const FEE = 100_000n;

/** Peers that are there, and what is held against them. */
function company(count: number) {
  const all = Array.from({ length: count }, (_, i) => idlePeer(i + 1));
  const charges: { readonly peer: Peer; readonly code: string | undefined }[] = [];
  const peers = {
    events: new Emitter<PeerEvents>(),
    get: (url: string) => all.find((peer) => peer.url === url),
    brought: () => {},
    charge: (peer: Peer, reason: Reason | null) => void charges.push({ peer, code: reason?.code }),
  };
  return { all, peers, charges };
}

/** A chain and a mempool in memory, with peers, and a clock that moves on with every transaction that is submitted. */
async function scene(count = 2) {
  const source = new TestChain();
  const chain = await memoryChain();
  const blocks = source.grow(source.genesis, 6);
  for (const block of blocks) assertOk(await chain.submitBlock(block));
  const mempool = await memoryMempool(chain);
  const { all, peers, charges } = company(count);
  let now = 0;
  const yields: number[] = [];
  const log: string[] = [];
  /** What happens before each submission, and after it before anybody learns of its verdict. */
  const beforehand: (() => Promise<unknown>)[] = [];
  const meanwhile: (() => Promise<unknown>)[] = [];
  const clock = {
    monotonic: () => now,
    yield: async () => {
      yields.push(log.length);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  const slow: Pick<Mempool, 'events' | 'pool' | 'submit' | 'submitPackage'> = {
    events: mempool.events,
    get pool() {
      return mempool.pool;
    },
    submit: async (transaction, from) => {
      now += 1;
      log.push(present(from));
      await beforehand.shift()?.();
      const verdict = await mempool.submit(transaction, from);
      await meanwhile.shift()?.();
      return verdict;
    },
    submitPackage: (transactions, from) => mempool.submitPackage(transactions, from),
  };
  const { signal } = new AbortController();
  const relayed = new RelayedTransactions({ chain, mempool: slow, peers, clock, log: silentLog, signal });
  const genesis = source.genesis.header.hash;
  const pay = (coin: Spendable, outputs = 1, fee = FEE): Transaction => {
    const value = (coin.coin.value - fee) / BigInt(outputs);
    return transfer({ genesis, spend: [coin], outputs: Array(outputs).fill({ address: alice.address, value }) });
  };
  const output = (of: Transaction, index = 0): Spendable => ({
    ...{ outpoint: { txid: of.txid, index }, coin: present(of.body.outputs[index]), key: alice },
  });
  const coins = blocks.slice(0, 4).map((block) => source.coinOf(block));
  return {
    relayed,
    mempool,
    source,
    chain,
    blocks,
    all,
    peers,
    charges,
    yields,
    log,
    pay,
    output,
    coins,
    beforehand,
    meanwhile,
  };
}

describe('a fan of hundreds that waits for one parent', () => {
  test('is taken in slice by slice, and in turns of those that sent it', async () => {
    const { relayed, source, chain, blocks, all, yields, log, pay, output, coins } = await scene(2);
    const [flooder, honest] = [present(all[0]), present(all[1])];
    const parent = pay(present(coins[0]), 200);
    const children = parent.body.outputs.map((_, index) => pay(output(parent, index)));
    for (const child of children.slice(1)) expect(await relayed.take(child, flooder)).toBe('waits');
    expect(await relayed.take(present(children[0]), honest)).toBe('waits');
    log.length = 0;
    yields.length = 0;
    assertOk(await chain.submitBlock(source.extend(present(blocks.at(-1)), { transactions: [parent] })));
    await expect.poll(() => relayed.orphans).toBe(0);
    expect(log).toHaveLength(200);
    expect(log.indexOf(honest.url)).toBeLessThan(2);
    // Before the first, and after every eight that take a millisecond each.
    expect(yields.length).toBeGreaterThanOrEqual(25);
    await relayed.close();
  });

  test('of which a block spends half otherwise leaves the other half', async () => {
    const { relayed, mempool, source, chain, blocks, all, pay, output, coins } = await scene(1);
    const parent = pay(present(coins[0]), 40);
    const children = parent.body.outputs.map((_, index) => pay(output(parent, index)));
    for (const child of children) await relayed.take(child, present(all[0]));
    const rivals = children.slice(20).map((_, index) => pay(output(parent, 20 + index), 1, 2n * FEE));
    const transactions = [parent, ...rivals];
    assertOk(await chain.submitBlock(source.extend(present(blocks.at(-1)), { transactions })));
    expect(relayed.orphans).toBe(20);
    await expect.poll(() => mempool.pool.count).toBe(20);
    expect(relayed.orphans).toBe(0);
    for (const child of children.slice(0, 20)) expect(mempool.pool.get(child.txid)).toBeDefined();
    await relayed.close();
  });
});

test('what waits need not be fetched, and what waits in vain does not wait', async () => {
  const { relayed, source, chain, blocks, all, charges, pay, output, coins } = await scene(1);
  const peer = present(all[0]);
  const parent = pay(present(coins[0]));
  const child = pay(output(parent));
  expect(relayed.lacks(child.wtxid)).toBe(true);
  expect(await relayed.take(child, peer)).toBe('waits');
  expect(relayed.lacks(child.wtxid)).toBe(false);
  expect(relayed.seeks(parent.txid)).toBe(true);
  const rival = pay(present(coins[0]), 1, 2n * FEE);
  const block = source.extend(present(blocks.at(-1)), { transactions: [rival] });
  assertOk(await chain.submitBlock(block));
  // Its coin is spent, and the block that did so is known: it would wait for nothing.
  expect(await relayed.take(parent, peer)).toBe('refused');
  expect(relayed.lacks(parent.wtxid)).toBe(false);
  const none = pay({ ...output(rival), outpoint: { txid: rival.txid, index: 7 } });
  expect(await relayed.take(none, peer)).toBe('refused');
  // What depends on the tip is judged anew on the next.
  assertOk(await chain.submitBlock(source.extend(block)));
  expect(relayed.lacks(none.wtxid)).toBe(true);
  expect(charges.every(({ code }) => code === 'tx-input-missing')).toBe(true);
  await relayed.close();
});

test('what a peer hands over that is gone by then does not wait, nor what all have left that named it', async () => {
  const { relayed, all, peers, pay, output, coins } = await scene(2);
  const [first, second] = [present(all[0]), present(all[1])];
  const child = pay(output(pay(present(coins[0]))));
  expect(await relayed.take(child, idlePeer(9))).toBe('refused');
  expect(await relayed.take(child, first)).toBe('waits');
  relayed.named(child.wtxid, second);
  relayed.named(child.wtxid, idlePeer(9));
  peers.events.emit('dropped', first);
  expect(relayed.orphans).toBe(1);
  peers.events.emit('dropped', second);
  expect(relayed.orphans).toBe(0);
  await relayed.close();
});

test('a parent that is here is not asked for: while it is judged, while it waits itself, when it was refused for good', async () => {
  const { relayed, all, pay, output, coins, beforehand } = await scene(1);
  const peer = present(all[0]);
  const asked: string[] = [];
  relayed.events.on('missing', ({ parents }) => asked.push(...parents));
  const family = (coin: Spendable | undefined, fee = FEE) => {
    const parent = pay(present(coin), 1, fee);
    return [parent, pay(output(parent)), pay(output(parent), 1, 2n * FEE)] as const;
  };
  const [judged, child] = family(coins[0]);
  let judge = (): void => {};
  beforehand.push(
    () =>
      new Promise<void>((resolve) => {
        judge = resolve;
      }),
  );
  const verdict = relayed.take(judged, peer);
  expect(await relayed.take(child, peer)).toBe('waits');
  expect(asked).toEqual([]);
  judge();
  expect(await verdict).toBe('taken');

  const [orphan, its] = family(output(pay(present(coins[1]))));
  await relayed.take(orphan, peer);
  const { length } = asked;
  expect(await relayed.take(its, peer)).toBe('waits');
  expect(asked).toHaveLength(length);

  const [bad, first, second] = family(coins[2], -1n);
  await relayed.take(first, peer);
  expect(asked).toContain(bad.txid);
  expect(await relayed.takeParent(bad, peer)).toBe('refused');
  asked.length = 0;
  await relayed.take(second, peer);
  expect(asked).toEqual([]);
  await relayed.close();
});

test('what is refused for a parent that comes in that very moment is taken in all the same', async () => {
  const { relayed, mempool, all, pay, output, coins, meanwhile } = await scene(1);
  const parent = pay(present(coins[0]));
  const child = pay(output(parent));
  meanwhile.push(() => mempool.submit(parent, null));
  expect(await relayed.take(child, present(all[0]))).toBe('taken');
  await relayed.close();
});

test('a form with junk signatures that is sent beside the right one keeps it from nothing', async () => {
  const { relayed, mempool, all, charges, pay, output, coins } = await scene(2);
  const [liar, honest] = [present(all[0]), present(all[1])];
  const parent = pay(present(coins[0]));
  const child = pay(output(parent));
  const junk = sealTransaction(child.body, [new Uint8Array(65)]);
  expect(await relayed.take(junk, liar)).toBe('waits');
  expect(await relayed.take(child, honest)).toBe('waits');
  expect(charges).toEqual([]);
  expect(await relayed.take(parent, honest)).toBe('taken');
  await expect.poll(() => relayed.orphans).toBe(0);
  expect(mempool.pool.byWtxid(child.wtxid)).toBeDefined();
  expect(charges).toEqual([{ peer: liar, code: 'tx-signature-invalid' }]);
  await relayed.close();
});

describe('a parent and its child that are bad together', () => {
  const genesis = new TestChain().genesis.header.hash;
  const coin = { address: alice.address, value: toAmount(FEE) };
  const [parent, child] = ['11', '22'].map((id) => {
    const outpoint = { txid: present(parseId<TxId>(id.repeat(32))), index: 0 };
    return transfer({ genesis, spend: [{ outpoint, coin, key: alice }], outputs: [coin] });
  });

  test.each([
    ['charged to the peer that sent both', true, 1],
    ['charged to nobody where two sent them', false, 0],
  ])('are %s', async (_name, isOne, count) => {
    const { all, peers, charges } = company(2);
    const mempool = { submitPackage: async () => refuse({ code: 'tx-signature-invalid', signature: 0 } as const) };
    const poor = new PoorParents({ mempool, peers, log: silentLog });
    const [first, second] = [present(all[0]), present(all[isOne ? 0 : 1])];
    const trial = poor.try(
      { transaction: present(parent), sender: first },
      { transaction: present(child), sender: second },
    );
    expect(await trial).toBe('bad');
    expect(charges).toHaveLength(count);
  });
});

test('turns go round, whoever has how much', () => {
  const turns = new Turns<string, number>();
  for (let item = 0; item < 100; item++) turns.add(item, 'flooder');
  turns.add(1_000, 'honest');
  turns.add(1_001, 'honest');
  turns.add(1_001, 'honest');
  expect([turns.next(), turns.next(), turns.next(), turns.next(), turns.next()]).toEqual([0, 1_000, 1, 1_001, 2]);
  while (!turns.isEmpty) turns.next();
  expect(turns.next()).toBeUndefined();
});
