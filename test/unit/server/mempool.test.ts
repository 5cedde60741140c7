import { describe, expect, test } from 'vitest';
import { VerifiedSet } from '../../../server/chain/verifiedSet.js';
import type { Mempool } from '../../../server/mempool/mempool.js';
import { usageOf } from '../../../server/mempool/usage.js';
import type { Write } from '../../../server/store/kv.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import { sealTransaction, type Transaction } from '../../../shared/model/transaction.js';
import { MAX_WAIT_MS } from '../../../shared/policy/relay.js';
import { assertOk, assertRefused, present } from '../../kit/assertOk.js';
import { coinbase, testKey, transfer } from '../../kit/builders.js';
import { flakyKv } from '../../support/flakyKv.js';
import { memoryChain, stillClock, testSignatures } from '../../support/memoryChain.js';
import { memoryMempool } from '../../support/memoryMempool.js';
import { paymentScene as scene } from '../../support/paymentScene.js';
import { assertStoreEqualsReplay } from '../../support/replay.js';

const bob = testKey(2);

function waiting(mempool: Mempool): string[] {
  return Array.from(mempool.pool.entries(), ({ transaction }) => transaction.txid);
}

describe('mempool', () => {
  test('what a block takes, or whose coin it takes, while it is being saved is never told of as waiting', async () => {
    const { source, chain, blocks, pay } = await scene();
    const kv = memoryKv();
    const commits: (() => void)[] = [];
    const slow = { ...kv, commit: () => new Promise<void>((resolve) => commits.push(resolve)) };
    const mempool = await memoryMempool(chain, { kv: slow });
    const accepted: string[] = [];
    mempool.events.on('accepted', ({ entry }) => accepted.push(entry.transaction.txid));
    const [first, second, third] = [0, 1, 2].map((i) => source.coinOf(present(blocks[i])));
    const [confirmed, loser, other] = [first, second, third].map((coin) => pay(present(coin), 1_000n));
    const verdicts = [confirmed, loser, other].map((each) => mempool.submit(present(each), null));
    await expect.poll(() => mempool.pool.count).toBe(3);
    const winner = pay(present(second), 5_000n);
    const transactions = [present(confirmed), winner];
    assertOk(await chain.submitBlock(source.extend(present(blocks.at(-1)), { transactions })));
    let isDone = false;
    const all = Promise.all(verdicts).finally(() => {
      isDone = true;
    });
    await expect
      .poll(() => {
        for (const commit of commits) commit();
        return isDone;
      })
      .toBe(true);
    const [taken, lost, waits] = await all;
    assertOk(present(taken));
    expect(present(lost)).toMatchObject({ ok: false, reject: { code: 'tx-input-missing' } });
    assertOk(present(waits));
    expect(accepted).toEqual([other?.txid]);
    expect(waiting(mempool)).toEqual([other?.txid]);
  });

  test('a block takes out what it confirms, and what loses its coin with all that hangs on it', async () => {
    const { source, chain, blocks, pay, output } = await scene();
    const mempool = await memoryMempool(chain);
    const [first, second] = [source.coinOf(present(blocks[0])), source.coinOf(present(blocks[1]))];
    const confirmed = pay(first, 1_000n);
    const loser = pay(second, 1_000n);
    const child = pay(output(loser), 1_000n);
    for (const each of [confirmed, loser, child]) assertOk(await mempool.submit(each, null));
    const winner = pay(second, 5_000n);
    assertOk(await chain.submitBlock(source.extend(present(blocks.at(-1)), { transactions: [confirmed, winner] })));
    expect(waiting(mempool)).toEqual([]);
    expect(mempool.pool.bytes).toBe(0);
  });

  test('a child of what was confirmed goes on waiting', async () => {
    const { source, chain, blocks, pay, output } = await scene();
    const mempool = await memoryMempool(chain);
    const parent = pay(source.coinOf(present(blocks[0])), 1_000n);
    const child = pay(output(parent), 1_000n);
    for (const each of [parent, child]) assertOk(await mempool.submit(each, null));
    assertOk(await chain.submitBlock(source.extend(present(blocks.at(-1)), { transactions: [parent] })));
    expect(waiting(mempool)).toEqual([child.txid]);
    expect(present(mempool.pool.get(child.txid)).parents.size).toBe(0);
  });

  test('after a reorganisation the transfers of lost blocks wait again, parents first, and what no longer stands is gone', async () => {
    const { source, chain, blocks, pay, output } = await scene();
    const mempool = await memoryMempool(chain);
    const tip = present(blocks.at(-1));
    const parent = pay(source.coinOf(present(blocks[0])), 1_000n);
    const child = pay(output(parent), 1_000n);
    const lost = [source.extend(tip, { transactions: [parent] })];
    lost.push(source.extend(present(lost[0]), { transactions: [child] }));
    for (const block of lost) assertOk(await chain.submitBlock(block));
    // It spends a coinbase that only the lost branch has.
    const orphaned = transfer({
      genesis: source.genesis.header.hash,
      spend: [source.coinOf(present(lost[0]))],
      outputs: [{ address: bob.address, value: 1_000n }],
    });
    const ripen = source.extend(present(lost[1]));
    assertOk(await chain.submitBlock(ripen));
    assertOk(await mempool.submit(orphaned, null));
    for (const block of source.grow(tip, 4)) assertOk(await chain.submitBlock(block));
    const grandchild = pay(output(child), 1_000n);
    assertOk(await mempool.submit(grandchild, null));
    expect(waiting(mempool)).toEqual([parent.txid, child.txid, grandchild.txid]);
  });

  test('of a switch that takes off more than may wait, the lowest blocks are kept, for the others stand on them', async () => {
    const { source, chain, blocks, pay, output } = await scene();
    const tip = present(blocks.at(-1));
    const parent = pay(source.coinOf(present(blocks[0])), 1_000n);
    const child = pay(output(parent), 1_000n);
    const first = source.extend(tip, { transactions: [parent] });
    const second = source.extend(first, { transactions: [child] });
    const mempool = await memoryMempool(chain, { maxBytes: usageOf(parent) + usageOf(child) - 1 });
    for (const block of [first, second]) assertOk(await chain.submitBlock(block));
    for (const block of source.grow(tip, 3)) assertOk(await chain.submitBlock(block));
    await mempool.atRest();
    expect(waiting(mempool)).toEqual([parent.txid]);
  });

  test('whatever leaves without being confirmed is told of, with the reason and the coins it would have spent', async () => {
    const { source, chain, blocks, pay, output } = await scene();
    const tip = present(blocks.at(-1));
    const mempool = await memoryMempool(chain);
    const told: string[] = [];
    mempool.events.on('dropped', ({ transaction, spent, code }) =>
      told.push(`${code} ${transaction.txid} ${present(spent).map(({ address }) => address)}`),
    );
    const coin = source.coinOf(present(blocks[1]));
    const loser = pay(coin, 1_000n);
    const child = pay(output(loser), 1_000n);
    for (const each of [loser, child]) assertOk(await mempool.submit(each, null));
    const winner = pay(coin, 5_000n);
    const [lost, rival] = [source.extend(tip, { transactions: [winner] }), source.extend(tip)];
    assertOk(await chain.submitBlock(lost));
    const owner = coin.coin.address;
    expect(told).toEqual([`tx-input-missing ${child.txid} ${owner}`, `tx-input-missing ${loser.txid} ${owner}`]);
    told.length = 0;
    const other = pay(coin, 2_000n);
    for (const block of [rival, source.extend(rival, { transactions: [other] })])
      assertOk(await chain.submitBlock(block));
    await mempool.atRest();
    expect(told).toEqual([`tx-input-missing ${winner.txid} ${owner}`]);
  });

  test('what loses its coin to a block while it is saved is not told of as waiting after it was told of as gone', async () => {
    const { source, chain, blocks, pay } = await scene();
    const kv = memoryKv();
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const mempool = await memoryMempool(chain, { kv: { ...kv, commit: (batch) => gate.then(() => kv.commit(batch)) } });
    const told: string[] = [];
    mempool.events.on('accepted', () => told.push('accepted'));
    mempool.events.on('dropped', () => told.push('dropped'));
    const coin = source.coinOf(present(blocks[0]));
    const loser = pay(coin, 1_000n);
    const submitted = mempool.submit(loser, null);
    while (waiting(mempool).length === 0) await Promise.resolve();
    assertOk(await chain.submitBlock(source.extend(present(blocks.at(-1)), { transactions: [pay(coin, 5_000n)] })));
    release();
    await submitted;
    expect(told).toEqual(['dropped']);
  });

  test('what waits is saved, and judged again when the node starts', async () => {
    const { source, chain, blocks, pay, output } = await scene();
    const kv = memoryKv();
    const before = await memoryMempool(chain, { kv });
    const parent = pay(source.coinOf(present(blocks[0])), 1_000n);
    const child = pay(output(parent), 1_000n);
    const rival = pay(source.coinOf(present(blocks[1])), 1_000n);
    for (const each of [parent, child, rival]) assertOk(await before.submit(each, null));
    await before.close();
    const winner = pay(source.coinOf(present(blocks[1])), 9_000n);
    assertOk(await chain.submitBlock(source.extend(present(blocks.at(-1)), { transactions: [winner] })));
    const after = await memoryMempool(chain, { kv });
    expect(waiting(after).sort()).toEqual([parent.txid, child.txid].sort());
    await after.close();
    expect(waiting(await memoryMempool(chain, { kv }))).toHaveLength(2);
  });

  test('a confirmed transaction is known, with its height', async () => {
    const { source, chain, blocks, pay } = await scene();
    const mempool = await memoryMempool(chain);
    const paid = pay(source.coinOf(present(blocks[0])), 1_000n);
    const block = source.extend(present(blocks.at(-1)), { transactions: [paid] });
    assertOk(await chain.submitBlock(block));
    const reject = assertRefused(await mempool.submit(paid, null));
    expect(reject).toEqual({ code: 'pool-known', txid: paid.txid, confirmedAt: block.header.height });
  });

  test('junk signatures are refused each time and do not censor the real ones', async () => {
    const { source, chain, blocks, pay } = await scene();
    const mempool = await memoryMempool(chain);
    const real = pay(source.coinOf(present(blocks[0])), 1_000n);
    const junk = sealTransaction(real.body, [new Uint8Array(65).fill(1)]);
    for (let i = 0; i < 2; i++) expect(assertRefused(await mempool.submit(junk, null)).code).toMatch(/^tx-signature-/);
    assertOk(await mempool.submit(real, null));
  });

  test('of two that spend the same coin at the same moment one gets in', async () => {
    const { source, chain, blocks, pay } = await scene();
    const mempool = await memoryMempool(chain);
    const coin = source.coinOf(present(blocks[0]));
    const verdicts = await Promise.all(
      [pay(coin, 1_000n), pay(coin, 2_000n)].map((each) => mempool.submit(each, null)),
    );
    expect(verdicts.filter(({ ok }) => ok)).toHaveLength(1);
    expect(mempool.pool.count).toBe(1);
  });

  test('when full, the cheapest make room for what pays better, and what pays less stays outside', async () => {
    const { source, chain, blocks, pay } = await scene();
    const coins = blocks.slice(0, 4).map((block) => source.coinOf(block));
    const [cheap, middling, dear, cheapest] = [2_000n, 3_000n, 4_000n, 1_000n].map((fee, i) =>
      pay(present(coins[i]), fee),
    );
    const mempool = await memoryMempool(chain, { maxBytes: 2 * usageOf(present(cheap)) });
    for (const each of [cheap, middling, dear]) assertOk(await mempool.submit(present(each), null));
    expect(waiting(mempool)).toEqual([middling?.txid, dear?.txid]);
    // What had to leave paid more than this: the floor is above it by now.
    expect(assertRefused(await mempool.submit(present(cheapest), null)).code).toBe('pool-fee-too-low');
  });

  test('a transaction takes the place of those it conflicts with where it pays for all of them, and they are told of', async () => {
    const { source, chain, blocks, pay, output } = await scene();
    const mempool = await memoryMempool(chain);
    const coin = source.coinOf(present(blocks[0]));
    const [parent, child] = [pay(coin, 1_000n), pay(output(pay(coin, 1_000n)), 2_000n)];
    for (const each of [parent, child]) assertOk(await mempool.submit(each, null));
    const gone: unknown[] = [];
    mempool.events.on('dropped', ({ transaction, code, by }) => gone.push({ txid: transaction.txid, code, by }));
    // More than the parent paid, and less than both.
    expect(assertRefused(await mempool.submit(pay(coin, 2_900n), null)).code).toBe('pool-replacement-fee');
    expect(waiting(mempool)).toEqual([parent.txid, child.txid]);
    const rival = pay(coin, 4_000n);
    assertOk(await mempool.submit(rival, null));
    expect(waiting(mempool)).toEqual([rival.txid]);
    expect(gone).toEqual([parent, child].map(({ txid }) => ({ txid, code: 'pool-replaced', by: rival.txid })));
  });

  test('what would have been replaced stays where the newcomer cannot be saved or does not fit', async () => {
    const { source, chain, blocks, pay, output } = await scene();
    const inner = memoryKv();
    let isFull = false;
    const commit = (batch: readonly Write[]): Promise<void> =>
      isFull ? Promise.reject(new Error('disk full')) : inner.commit(batch);
    const mempool = await memoryMempool(chain, { kv: { ...inner, commit } });
    const coin = source.coinOf(present(blocks[0]));
    const parent = pay(coin, 1_000n);
    const child = pay(output(parent), 1_000n);
    for (const each of [parent, child]) assertOk(await mempool.submit(each, null));
    const [usage, fees] = [mempool.pool.usage, mempool.pool.fees];
    isFull = true;
    await expect(mempool.submit(pay(coin, 9_000n), null)).rejects.toThrow('disk full');
    expect(waiting(mempool)).toEqual([parent.txid, child.txid]);
    expect([mempool.pool.usage, mempool.pool.fees]).toEqual([usage, fees]);
    expect(mempool.pool.chunks().flatMap(({ entries }) => entries)).toHaveLength(2);
  });

  describe('transactions that are handed in together', () => {
    test('are judged by what they pay together: a child pays for its parent', async () => {
      const { source, chain, blocks, pay, output } = await scene();
      const mempool = await memoryMempool(chain);
      const parent = pay(source.coinOf(present(blocks[0])), 1n);
      const child = pay(output(parent), 1_000n);
      expect(assertRefused(await mempool.submit(parent, null)).code).toBe('pool-fee-too-low');
      expect(assertRefused(await mempool.submit(child, null)).code).toBe('tx-input-missing');
      const entries = assertOk(await mempool.submitPackage([parent, child], null));
      expect(entries.map(({ transaction }) => transaction.txid)).toEqual([parent.txid, child.txid]);
      // A miner takes both or none.
      expect(mempool.pool.chunks()).toHaveLength(1);
      expect(mempool.pool.chunks()[0]).toMatchObject({ fee: 1_001n, size: parent.raw.length + child.raw.length });
    });

    test('get in all or not at all', async () => {
      const { source, chain, blocks, pay, output } = await scene();
      const mempool = await memoryMempool(chain);
      const coin = source.coinOf(present(blocks[0]));
      const parent = pay(coin, 1n);
      const together = async (...package_: Transaction[]) => assertRefused(await mempool.submitPackage(package_, null));
      // Too little for both, though enough for itself.
      expect((await together(parent, pay(output(parent), 150n))).code).toBe('pool-fee-too-low');
      // A parent that pays well for itself does not pay for its child.
      const rich = pay(coin, 50_000n);
      expect((await together(rich, pay(output(rich), 1n))).code).toBe('pool-fee-too-low');
      // Children first.
      expect((await together(pay(output(parent), 1_000n), parent)).code).toBe('tx-input-missing');
      const forged = sealTransaction(pay(output(parent), 1_000n).body, [new Uint8Array(65).fill(1)]);
      expect((await together(parent, forged)).code).toBe('tx-signature-owner');
      expect(mempool.pool.count).toBe(0);
      expect(mempool.pool.usage).toBe(0);
      assertOk(await mempool.submitPackage([parent, pay(output(parent), 1_000n)], null));
    });

    test('may stand on what waits already, which stays as it is', async () => {
      const { source, chain, blocks, pay, output } = await scene();
      const mempool = await memoryMempool(chain);
      const parent = pay(source.coinOf(present(blocks[0])), 1_000n);
      assertOk(await mempool.submit(parent, null));
      const child = pay(output(parent), 1_000n);
      const entries = assertOk(await mempool.submitPackage([parent, child], null));
      expect(entries.map(({ transaction }) => transaction.txid)).toEqual([child.txid]);
      expect(waiting(mempool)).toEqual([parent.txid, child.txid]);
    });

    test('come back together after a restart and after a reorganisation, though the parent alone would not get in', async () => {
      const { source, chain, blocks, pay, output } = await scene();
      const kv = memoryKv();
      const mempool = await memoryMempool(chain, { kv });
      const parent = pay(source.coinOf(present(blocks[0])), 1n);
      const child = pay(output(parent), 1_000n);
      assertOk(await mempool.submitPackage([parent, child], null));
      const tip = present(blocks.at(-1));
      assertOk(await chain.submitBlock(source.extend(tip, { transactions: [] })));
      for (const block of source.grow(tip, 2)) assertOk(await chain.submitBlock(block));
      await mempool.atRest();
      expect(waiting(mempool)).toEqual([parent.txid, child.txid]);
      await mempool.close();
      expect(waiting(await memoryMempool(chain, { kv }))).toEqual([parent.txid, child.txid]);
    });
  });

  test('what has waited for three days leaves with all that hangs on it, and a wrong clock at a start changes nothing in that', async () => {
    const { source, chain, blocks, pay, output } = await scene();
    const still = stillClock();
    const rings: (() => void)[] = [];
    const clock = {
      ...still,
      after: (_: number, ring: () => void) => {
        rings.push(ring);
        return () => {};
      },
    };
    const kv = memoryKv();
    const ahead = await memoryMempool(chain, { kv, clock: { ...clock, now: () => still.now() + 10 * MAX_WAIT_MS } });
    const parent = pay(source.coinOf(present(blocks[0])), 1_000n);
    assertOk(await ahead.submit(parent, null));
    await ahead.close();
    const mempool = await memoryMempool(chain, { kv, clock });
    still.set(still.now() + MAX_WAIT_MS - 1);
    const [child, other] = [pay(output(parent), 1_000n), pay(source.coinOf(present(blocks[1])), 1_000n)];
    for (const each of [child, other]) assertOk(await mempool.submit(each, null));
    for (const ring of rings.splice(0)) ring();
    expect(mempool.pool.count).toBe(3);
    still.set(still.now() + 2);
    for (const ring of rings.splice(0)) ring();
    expect(waiting(mempool)).toEqual([other.txid]);
  });

  test('a transaction that could not be saved is not taken in', async () => {
    const { source, chain, blocks, pay } = await scene();
    const inner = memoryKv();
    const mempool = await memoryMempool(chain, {
      kv: { ...inner, commit: () => Promise.reject(new Error('disk full')) },
    });
    await expect(mempool.submit(pay(source.coinOf(present(blocks[0])), 1_000n), null)).rejects.toThrow('disk full');
    expect(mempool.pool.count).toBe(0);
  });

  test('signatures that passed once are not checked again when the block comes, and skip no other rule', async () => {
    const { source, blocks, pay } = await scene();
    const verified = new VerifiedSet();
    const real = await testSignatures();
    let checked = 0;
    const signatures = {
      engine: real.engine,
      check: (checks: Parameters<typeof real.check>[0]) => {
        checked += checks.length;
        return real.check(checks);
      },
    };
    const chain = await memoryChain({ verified, signatures });
    for (const block of blocks) assertOk(await chain.submitBlock(block));
    const mempool = await memoryMempool(chain, { verified, signatures });
    const paid = pay(source.coinOf(present(blocks[0])), 1_000n);
    assertOk(await mempool.submit(paid, null));
    const confirming = source.extend(present(blocks.at(-1)), { transactions: [paid] });
    assertOk(await chain.submitBlock(confirming));
    expect(checked).toBe(1);
    const again = assertRefused(await chain.submitBlock(source.extend(confirming, { transactions: [paid] })));
    expect(again).toMatchObject({ code: 'block-tx', reject: { code: 'tx-input-missing' } });
  });
});

describe('whatever goes wrong on the way', () => {
  test('any one failure of the store, in a reorganisation or before, loses no block and no payment', async () => {
    const { source, blocks, pay, output } = await scene();
    const tip = present(blocks.at(-1));
    const parent = pay(source.coinOf(present(blocks[0])), 1_000n);
    const child = pay(output(parent), 1_000n);
    const other = pay(source.coinOf(present(blocks[1])), 1_000n);
    const lost = source.extend(tip, { transactions: [parent] });
    const branch = source.grow(tip, 2);
    let runs = 0;
    for (let failing = true; failing; runs++) {
      const store = memoryKv();
      const { kv, failAt, hasFailed } = flakyKv(store);
      const chain = await memoryChain({ kv });
      for (const block of blocks) assertOk(await chain.submitBlock(block));
      const mempool = await memoryMempool(chain);
      // Whoever is told of a failure tries again.
      const insist = async (attempt: () => Promise<unknown>): Promise<void> => {
        await attempt().catch(attempt);
      };
      failAt(runs);
      await insist(() => chain.submitBlock(lost));
      for (const each of [child, other]) await insist(() => mempool.submit(each, null));
      for (const block of branch) await insist(() => chain.submitBlock(block));
      await insist(() => mempool.atRest());
      failing = hasFailed();
      failAt(Number.POSITIVE_INFINITY);
      // The last word: a block that is known already still brings a cut short switch to its end.
      assertOk(await chain.submitBlock(present(branch.at(-1))));
      await mempool.atRest();
      expect(chain.tip.header.hash, `failure ${runs}`).toBe(branch.at(-1)?.header.hash);
      expect(waiting(mempool).sort(), `failure ${runs}`).toEqual([parent, child, other].map(({ txid }) => txid).sort());
      assertStoreEqualsReplay(chain);
      const reopened = await memoryChain({ kv: store });
      expect(reopened.tip.header.hash).toBe(chain.tip.header.hash);
    }
    expect(runs).toBeGreaterThan(30);
  });

  test('a better branch that proves bad takes no payment with it', async () => {
    const { source, chain, blocks, pay } = await scene();
    const mempool = await memoryMempool(chain);
    const [tip, below] = [present(blocks.at(-1)), present(blocks.at(-2))];
    const coin = source.coinOf(present(blocks[0]));
    const honest = pay(coin, 1_000n);
    assertOk(await mempool.submit(honest, null));
    // The branch confirms a rival of the payment, and then breaks a rule.
    const first = source.extend(below, { transactions: [pay(coin, 9_000n)] });
    const height = first.header.height + 1;
    const greedy = coinbase({ params: source.params, height, address: bob.address, fees: 1n });
    assertOk(await chain.submitBlock(first));
    assertRefused(await chain.submitBlock(source.raw(first, [greedy])));
    await mempool.atRest();
    expect(chain.tip.header.hash).toBe(tip.header.hash);
    expect(waiting(mempool)).toEqual([honest.txid]);
  });

  test('a newcomer that does not get in pushes nobody out', async () => {
    const { source, chain, blocks, pay } = await scene(8);
    const coins = blocks.slice(0, 6).map((block) => source.coinOf(block));
    const cheap = coins.slice(0, 2).map((coin) => pay(coin, 1_000n));
    const dear = coins.slice(2, 5).map((coin) => pay(coin, 50_000n));
    const size = usageOf(present(cheap[0]));
    const mempool = await memoryMempool(chain, { maxBytes: 5 * size });
    for (const each of [...cheap, ...dear]) assertOk(await mempool.submit(each, null));
    // It pays more for its bytes than the cheap ones, but needs more room than they take.
    const large = pay(present(coins[5]), 20_000n, 10);
    expect(usageOf(large)).toBeGreaterThan(2 * size);
    expect(assertRefused(await mempool.submit(large, null)).code).toBe('pool-full');
    expect(mempool.pool.count).toBe(5);
    // Dearer than all of them, and larger than the whole pool may be.
    const huge = pay(present(coins[5]), 90_000_000n, 60);
    expect(usageOf(huge)).toBeGreaterThan(5 * size);
    expect(assertRefused(await mempool.submit(huge, null)).code).toBe('pool-full');
    expect(mempool.pool.count).toBe(5);
  });
});
