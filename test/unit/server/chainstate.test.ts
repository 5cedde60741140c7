import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PATH_WINDOW } from '../../../server/chain/branchSwitch.js';
import type { Kv } from '../../../server/store/kv.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import type { Block } from '../../../shared/model/block.js';
import { sealBlock } from '../../../shared/model/block.js';
import { assertOk, assertRefused, present } from '../../kit/assertOk.js';
import { coinbase, testKey, transfer } from '../../kit/builders.js';
import { TestChain } from '../../kit/testChain.js';
import { flakyKv } from '../../support/flakyKv.js';
import { memoryChain, stillClock, testSignatures } from '../../support/memoryChain.js';
import { assertStoreEqualsReplay } from '../../support/replay.js';

const bob = testKey(2);

async function feed(chain: Awaited<ReturnType<typeof memoryChain>>, blocks: readonly Block[]): Promise<string[]> {
  const statuses: string[] = [];
  for (const block of blocks) statuses.push(assertOk(await chain.submitBlock(block)).status);
  return statuses;
}

/** A block whose coinbase claims too much: its header is fine, and only its coins show that it is not. */
function greedy(source: TestChain, parent: Block): Block {
  const height = parent.header.height + 1;
  return source.raw(parent, [coinbase({ params: source.params, height, address: bob.address, fees: 1n })]);
}

describe('chainstate', () => {
  test('a fork of any depth is followed to the branch with more work, headers first', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const main = source.grow(source.genesis, 160);
    await feed(chain, main);
    const rival = source.grow(source.genesis, 170);
    assertOk(await chain.submitHeaders(rival.map(({ header }) => header)));
    await feed(chain, rival);
    expect(chain.tip.header.hash).toBe(rival.at(-1)?.header.hash);
  });

  test('a switch longer than the window of headers it holds is made whole', async () => {
    const source = new TestChain();
    const store = memoryKv();
    const chain = await memoryChain({ kv: store });
    const low = source.grow(source.genesis, 2);
    const high = source.grow(source.genesis, PATH_WINDOW + 20);
    await feed(chain, [...low, ...high]);
    await chain.setAside(chain.headers.require(present(high[0]).header.hash));
    expect(chain.tip.header.height).toBe(2);
    await chain.reconsider(chain.headers.require(present(high[0]).header.hash));
    expect(chain.tip.header.hash).toBe(high.at(-1)?.header.hash);
    assertStoreEqualsReplay(chain);
  });

  test('a network with a minimum of work is synchronized from its first block on', async () => {
    const params = { ...NETWORKS.dev, minimumWork: 20n };
    const source = new TestChain(params);
    const chain = await memoryChain({ params });
    const blocks = source.grow(source.genesis, 30);
    expect(assertRefused(await chain.submitBlock(present(blocks[0]))).code).toBe('header-minimum-work');
    assertOk(await chain.submitHeaders(blocks.map(({ header }) => header)));
    await feed(chain, blocks);
    expect(chain.tip.header.height).toBe(30);
  });

  test('a header that breaks a rule is told as such, however little work stands below it, and none is kept', async () => {
    const params = { ...NETWORKS.dev, minimumWork: 20n };
    const source = new TestChain(params);
    const chain = await memoryChain({ params });
    const [first, second] = source.grow(source.genesis, 2);
    const bad = source.raw(present(second), [], { change: { version: 9 } });
    const headers = [present(first), present(second), bad].map(({ header }) => header);
    expect(assertRefused(await chain.submitHeaders(headers)).code).toBe('header-version');
    expect(headers.map(({ hash }) => chain.headers.get(hash))).toEqual([undefined, undefined, undefined]);
    expect(assertRefused(await chain.submitHeaders(headers.slice(0, 2))).code).toBe('header-minimum-work');
  });

  test('headers that were only staged when the store failed are not taken for stored', async () => {
    const source = new TestChain();
    const blocks = source.grow(source.genesis, 20);
    for (let failing = true, run = 0; failing; run++) {
      const store = memoryKv();
      await feed(await memoryChain({ kv: store }), blocks.slice(0, 14));
      const { kv, failAt, hasFailed } = flakyKv(store);
      const chain = await memoryChain({ kv });
      failAt(run);
      const headers = blocks.slice(14).map(({ header }) => header);
      await chain.submitHeaders(headers).catch(() => undefined);
      failing = hasFailed();
      failAt(Number.POSITIVE_INFINITY);
      for (const block of blocks.slice(14)) assertOk(await chain.submitBlock(block));
      const reopened = await memoryChain({ kv: store });
      expect(reopened.tip.header.hash, `failure ${run}`).toBe(blocks.at(-1)?.header.hash);
      for (const { header } of blocks) expect(reopened.headers.require(header.hash).body).not.toBeNull();
    }
  });

  test('while its signatures are checked, nobody sees a block as stored', async () => {
    const source = new TestChain();
    const real = await testSignatures();
    const seen: unknown[] = [];
    const signatures = {
      engine: real.engine,
      check: async (checks: Parameters<typeof real.check>[0]) => {
        seen.push(chain.headers.get(block.header.hash)?.body);
        return real.check(checks);
      },
    };
    const chain = await memoryChain({ signatures });
    const block = source.extend(source.genesis);
    assertOk(await chain.submitBlock(block));
    expect(seen).toEqual([undefined]);
  });

  test('a new store begins with genesis', async () => {
    const chain = await memoryChain();
    expect(chain.tip.header.hash).toBe(chain.genesis.header.hash);
    expect(chain.totals).toEqual({ transactions: 1, addresses: 0, supply: 0n });
    assertStoreEqualsReplay(chain);
  });

  test('blocks are connected one after the other, and the same block again changes nothing', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const blocks = source.grow(source.genesis, 5);
    expect(await feed(chain, blocks)).toEqual(Array(5).fill('connected'));
    expect(await feed(chain, blocks.slice(1, 3))).toEqual(['known', 'known']);
    expect(chain.tip.header.hash).toBe(blocks.at(-1)?.header.hash);
    assertStoreEqualsReplay(chain);
  });

  test('a rival of equal work stays aside; the branch that gets more work takes over', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const [first, second] = source.grow(source.genesis, 2);
    const rivals = source.grow(present(first), 2);
    await feed(chain, [present(first), present(second)]);
    expect(await feed(chain, rivals.slice(0, 1))).toEqual(['side']);
    expect(chain.tip.header.hash).toBe(second?.header.hash);
    expect(await feed(chain, rivals.slice(1))).toEqual(['connected']);
    expect(chain.tip.header.hash).toBe(rivals.at(-1)?.header.hash);
    assertStoreEqualsReplay(chain);
  });

  test('events tell each block that left and each that came, and one end', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const told: string[] = [];
    chain.events.on('connected', ({ block }) => told.push(`+${block.header.hash}`));
    chain.events.on('disconnected', ({ block }) => told.push(`-${block.header.hash}`));
    chain.events.on('settled', ({ tip, reorganized }) => told.push(`=${tip.header.hash} ${reorganized}`));
    const [a] = source.grow(source.genesis, 1);
    const branch = source.grow(source.genesis, 2);
    await feed(chain, [present(a), ...branch]);
    const [b, c] = branch.map(({ header }) => header.hash);
    const first = present(a).header.hash;
    expect(told).toEqual([`+${first}`, `=${first} false`, `-${first}`, `+${b}`, `+${c}`, `=${c} true`]);
  });

  test('a heavier branch that proves invalid half-way leaves the old one in place, and is never tried again', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const main = source.grow(source.genesis, 3);
    await feed(chain, main);
    const side = source.grow(source.genesis, 2);
    const bad = greedy(source, present(side[1]));
    const onBad = source.grow(bad, 2);
    expect(await feed(chain, side)).toEqual(['side', 'side']);
    expect(assertOk(await chain.submitBlock(bad)).status).toBe('side');
    const reject = assertRefused(await chain.submitBlock(present(onBad[0])));
    expect(reject.code).toBe('header-parent-invalid');
    expect(chain.tip.header.hash).toBe(main.at(-1)?.header.hash);
    assertStoreEqualsReplay(chain);
    expect(assertRefused(await chain.submitBlock(bad)).code).toBe('block-known-invalid');
    expect(assertRefused(await chain.submitBlock(present(onBad[1]))).code).toBe('header-parent-invalid');
    expect(chain.bestHeader.header.hash).toBe(main.at(-1)?.header.hash);
    // The good part of that branch may still be built upon.
    const better = source.grow(present(side[1]), 2);
    expect(await feed(chain, better)).toEqual(['side', 'connected']);
    assertStoreEqualsReplay(chain);
  });

  test('an invalid block on the tip is refused with its reason, and another takes its place', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    expect(assertRefused(await chain.submitBlock(greedy(source, source.genesis))).code).toBe('block-coinbase-value');
    expect(await feed(chain, source.grow(source.genesis, 1))).toEqual(['connected']);
    assertStoreEqualsReplay(chain);
  });

  test('a body that is not the header’s own is refused and does not mark the header (CVE-2012-2459)', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const [first, second] = source.grow(source.genesis, 2);
    await feed(chain, [present(first)]);
    const good = present(second);
    const mutated = sealBlock(good.header, [...good.transactions, ...good.transactions]);
    expect(assertRefused(await chain.submitBlock(mutated)).code).toBe('block-root');
    expect(await feed(chain, [good])).toEqual(['connected']);
  });

  test('a block whose parent’s body is missing is refused as if the parent were unknown', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const [first, second] = source.grow(source.genesis, 2);
    assertOk(await chain.submitHeaders([present(first).header]));
    expect(assertRefused(await chain.submitBlock(present(second))).code).toBe('header-parent-unknown');
    expect(await feed(chain, [present(first), present(second)])).toEqual(['connected', 'connected']);
  });

  test('a header from the future is refused until the clock has come closer', async () => {
    const source = new TestChain();
    const clock = stillClock(1_000_000);
    const chain = await memoryChain({ clock });
    const ahead = source.extend(source.genesis, { timestamp: 1_000_000 + 120_000 + 1_000 + 1 });
    expect(assertRefused(await chain.submitBlock(ahead)).code).toBe('header-time-future');
    clock.set(1_000_001);
    expect(await feed(chain, [ahead])).toEqual(['connected']);
  });

  test('a batch that does not hang together never makes a bad header the best one', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const [first, second] = source.grow(source.genesis, 2);
    await feed(chain, [present(first), present(second)]);
    const bad = greedy(source, present(second));
    assertRefused(await chain.submitBlock(bad));
    const sibling = source.extend(present(first));
    const child = source.extend(bad);
    const batch = [sibling, bad, child].map(({ header }) => header);
    expect(assertRefused(await chain.submitHeaders(batch)).code).toBe('header-parent-invalid');
    expect(chain.bestHeader.invalid).toBe(false);
    expect(chain.bestHeader.header.height).toBe(2);
  });

  test('headers alone move the best header, not the tip', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const blocks = source.grow(source.genesis, 30);
    assertOk(await chain.submitHeaders(blocks.map(({ header }) => header)));
    expect([chain.bestHeader.header.height, chain.tip.header.height]).toEqual([30, 0]);
    expect(await feed(chain, blocks)).toEqual(Array(30).fill('connected'));
  });

  test('a branch with far less work than the tip is not stored', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    await feed(chain, source.grow(source.genesis, 150));
    const [low] = source.grow(source.genesis, 1);
    expect(assertRefused(await chain.submitHeaders([present(low).header])).code).toBe('header-minimum-work');
    expect(assertRefused(await chain.submitBlock(present(low))).code).toBe('header-minimum-work');
    expect(chain.headers.get(present(low).header.hash)).toBeUndefined();
  });

  test('a store that refuses a commit leaves the chain where it was, and takes the block once it can write again', async () => {
    const inner = memoryKv();
    let full = false;
    const kv: Kv = {
      ...inner,
      commit: (batch) => (full ? Promise.reject(new Error('disk full')) : inner.commit(batch)),
    };
    const source = new TestChain();
    const chain = await memoryChain({ kv });
    const blocks = source.grow(source.genesis, 3);
    await feed(chain, blocks.slice(0, 1));
    full = true;
    await expect(chain.submitBlock(present(blocks[1]))).rejects.toThrow('disk full');
    expect(chain.tip.header.hash).toBe(blocks[0]?.header.hash);
    assertStoreEqualsReplay(chain);
    full = false;
    expect(await feed(chain, blocks.slice(1))).toEqual(['connected', 'connected']);
    assertStoreEqualsReplay(chain);
  });

  test('cut off after any commit, the chain opens whole and ends on the same tip', async () => {
    const source = new TestChain();
    const main = source.grow(source.genesis, 4);
    const branch = source.grow(present(main[0]), 5);
    const blocks = [...main, ...branch];
    for (let allowed = 1; ; allowed++) {
      const inner = memoryKv();
      let commits = 0;
      const kv: Kv = {
        ...inner,
        commit: (batch) => (commits++ < allowed ? inner.commit(batch) : Promise.reject(new Error('killed'))),
      };
      const finished = await memoryChain({ kv })
        .then(async (chain) => {
          for (const block of blocks) await chain.submitBlock(block);
          return true;
        })
        .catch(() => false);
      const reopened = await memoryChain({ kv: inner });
      assertStoreEqualsReplay(reopened);
      for (const block of blocks) await reopened.submitBlock(block);
      expect(reopened.tip.header.hash, `after ${allowed} commits`).toBe(branch.at(-1)?.header.hash);
      assertStoreEqualsReplay(reopened);
      if (finished) break;
    }
  });
});

test('on random trees of blocks with payments, the tip has the most work and every index equals a replay', async () => {
  // Each step names the block to build on (counted back from the newest) and whether the coins of the miner move.
  const step = fc.record({ back: fc.nat(6), pays: fc.boolean(), greedy: fc.nat(9) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      const source = new TestChain();
      const chain = await memoryChain();
      const valid: Block[] = [source.genesis];
      const coinsOf = new Map<string, Block[]>([[source.genesis.header.hash, []]]);
      for (const { back, pays, greedy: roll } of steps) {
        const parent = present(valid[Math.max(0, valid.length - 1 - back)]);
        if (roll === 0) {
          await chain.submitBlock(greedy(source, parent));
          continue;
        }
        const unspent = present(coinsOf.get(parent.header.hash));
        const [ripe] = pays ? unspent.filter(({ header }) => parent.header.height + 1 - header.height >= 2) : [];
        const spend = ripe === undefined ? [] : [source.coinOf(ripe)];
        const value = spend[0]?.coin.value ?? 0n;
        const paid = spend.map((each) =>
          transfer({
            genesis: source.genesis.header.hash,
            spend: [each],
            outputs: [
              { address: bob.address, value: value / 3n },
              { address: each.key.address, value: value / 3n },
            ],
          }),
        );
        const fees = paid.length > 0 ? value - 2n * (value / 3n) : 0n;
        const block = source.extend(parent, { transactions: paid, fees });
        coinsOf.set(block.header.hash, [...unspent.filter((each) => each !== ripe), block]);
        valid.push(block);
        assertOk(await chain.submitBlock(block));
      }
      const most = Math.max(...valid.map(({ header }) => header.height));
      expect(chain.tip.header.height).toBe(most);
      expect(chain.tip.header.hash).toBe(valid.find(({ header }) => header.height === most)?.header.hash);
      assertStoreEqualsReplay(chain);
    }),
    { numRuns: 60 },
  );
});
