import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Verification, verifyRows } from '../../../server/repair/verify.js';
import type { Entry, Kv } from '../../../server/store/kv.js';
import { layout } from '../../../server/store/layout.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import { rawRows } from '../../../server/store/space.js';
import { toHex } from '../../../shared/bytes/hex.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import type { Block } from '../../../shared/model/block.js';
import { sealTransaction } from '../../../shared/model/transaction.js';
import { accept } from '../../../shared/verdict.js';
import { assertOk, present } from '../../kit/assertOk.js';
import { transfer } from '../../kit/builders.js';
import { silentLog } from '../../kit/sim/silentLog.js';
import { TestChain } from '../../kit/testChain.js';
import { branchyStore, greedyBlock, payingBlock } from '../../support/branchyStore.js';
import { failureFrom } from '../../support/failureFrom.js';
import { flakyKv } from '../../support/flakyKv.js';
import { memoryChain, stillClock, testSignatures } from '../../support/memoryChain.js';

async function verified(source: Kv): Promise<Verification> {
  const signatures = await testSignatures();
  const ports = { signatures, clock: stillClock(), log: silentLog };
  return verifyRows({ source, fresh: memoryKv(), params: NETWORKS.dev, ...ports });
}

/** First, middle and last. */
function some(rows: readonly Entry[]): Entry[] {
  return [...new Set([0, rows.length >> 1, rows.length - 1])].map((i) => present(rows[i]));
}

async function copyOf(rows: readonly Entry[]): Promise<Kv> {
  const kv = memoryKv();
  await kv.commit(rows.map(([key, value]) => ({ kind: 'put', key, value })));
  return kv;
}

const spaces = Object.values(layout);

describe('every row of every space', () => {
  const stored = (async () => {
    const kv = memoryKv();
    const chain = await branchyStore(kv);
    await chain.close();
    return { kv, rows: spaces.flatMap((space) => [...rawRows(kv, space)]) };
  })();

  test('a store with branches lost, refused and unfinished is what its blocks make it', async () => {
    const { kv } = await stored;
    for (const space of spaces) expect([...rawRows(kv, space)].length, space.name).toBeGreaterThan(0);
    const found = await verified(kv);
    expect(found).toMatchObject({ total: 0, differences: [] });
    expect([found.height, found.marked > 1, found.blocks > found.height]).toEqual([11, true, true]);
  });

  // What is known of peers follows from nothing.
  test.each(
    spaces.filter(({ name }) => !['peer', 'book', 'ban'].includes(name)).map((space) => [space.name, space] as const),
  )('%s: a row that is gone, changed, or too many is named', async (name, space) => {
    const { kv, rows } = await stored;
    for (const [key, value] of some([...rawRows(kv, space)])) {
      const at = { space: name, key: toHex(key.subarray(1)) };
      const gone = await copyOf(rows.filter((row) => row[0] !== key && toHex(row[0]) !== toHex(key)));
      expect((await verified(gone)).differences, `${toHex(key)} gone`).toContainEqual(expect.objectContaining(at));
      const changed = await copyOf(rows);
      const other =
        value.length === 0 ? Uint8Array.of(1) : value.map((byte, i) => (i === value.length - 1 ? byte ^ 1 : byte));
      await changed.commit([{ kind: 'put', key, value: other }]);
      expect((await verified(changed)).differences, `${toHex(key)} changed`).toContainEqual(
        expect.objectContaining(at),
      );
      if (name === 'meta') continue;
      const added = await copyOf(rows);
      const free = key.map((byte, i) => (i === key.length - 1 ? byte ^ 0x55 : byte));
      await added.commit([{ kind: 'put', key: free, value }]);
      expect((await verified(added)).differences, `${toHex(free)} added`).toContainEqual(
        expect.objectContaining({ space: name, key: toHex(free.subarray(1)) }),
      );
    }
  });

  test('every single undo record is held against its block, also of blocks beside the chain', async () => {
    const { kv, rows } = await stored;
    const undo = [...rawRows(kv, layout.undo)];
    expect(undo.length).toBeGreaterThan(12);
    for (const [key, value] of undo) {
      const changed = await copyOf(rows);
      await changed.commit([
        { kind: 'put', key, value: value.map((byte, i) => (i === value.length - 1 ? byte ^ 1 : byte)) },
      ]);
      const at = { space: 'undo', key: toHex(key.subarray(1)) };
      expect((await verified(changed)).differences, at.key).toContainEqual(expect.objectContaining(at));
    }
  });

  test('a peer or a book that cannot be read, and a row that no space has', async () => {
    const { rows } = await stored;
    const kv = await copyOf(rows);
    const [key] = present([...rawRows(kv, layout.peer)][0]);
    await kv.commit([
      { kind: 'put', key, value: Uint8Array.of(9) },
      { kind: 'put', key: Uint8Array.of(layout.book.prefix), value: Uint8Array.of(9) },
      { kind: 'put', key: Uint8Array.of(0xee, 1), value: Uint8Array.of() },
    ]);
    expect((await verified(kv)).differences).toMatchObject([
      { space: 'peer', what: 'unreadable' },
      { space: 'book', what: 'unreadable' },
      { space: 'unknown', what: 'unexpected', key: 'ee01' },
    ]);
  });
});

test('a block whose signatures were never right is found, for every rule is checked again', async () => {
  const kv = memoryKv();
  const source = new TestChain();
  const gullible = { engine: 'none', check: async (checks: readonly unknown[]) => checks.map(() => accept(undefined)) };
  const chain = await memoryChain({ kv, signatures: gullible });
  const trunk = source.grow(source.genesis, 3);
  const spend = source.coinOf(present(trunk[0]));
  const outputs = [{ address: spend.key.address, value: spend.coin.value }];
  const signed = transfer({ genesis: source.genesis.header.hash, spend: [spend], outputs });
  const forged = sealTransaction(signed.body, [
    present(signed.signatures[0]).map((byte, i) => (i === 7 ? byte ^ 1 : byte)),
  ]);
  const last = source.extend(present(trunk[2]), { transactions: [forged] });
  for (const block of [...trunk, last]) assertOk(await chain.submitBlock(block));
  const { differences } = await verified(kv);
  expect(differences).toMatchObject([
    { space: 'block', key: last.header.hash, detail: expect.stringContaining('signature') },
  ]);
});

test('a change of branches that a failing disk cut short is no damage: the next start goes on with it', async () => {
  const source = new TestChain();
  const trunk = source.grow(source.genesis, 4);
  const rival = source.grow(present(trunk[0]), 5);
  let unfinished = 0;
  for (let operation = 0, hasFailed = true; hasFailed; operation += 3) {
    const kv = memoryKv();
    const flaky = flakyKv(kv);
    const chain = await memoryChain({ kv: flaky.kv });
    for (const block of [...trunk, ...rival.slice(0, 3)]) assertOk(await chain.submitBlock(block));
    flaky.failAt(operation);
    await chain.submitBlock(present(rival[3])).catch(() => {});
    hasFailed = flaky.hasFailed();
    const found = await verified(kv);
    expect(found.differences, `cut short at operation ${operation}`).toEqual([]);
    if (found.unfinished) unfinished += 1;
  }
  expect(unfinished).toBeGreaterThan(0);
});

test('another network’s store and another format are refused, not taken for damage', async () => {
  const kv = memoryKv();
  await memoryChain({ kv, params: NETWORKS.test });
  expect(await failureFrom(verified(kv))).toMatchObject({ code: 'store-network' });
});

test('on random trees of blocks, honest and greedy, nothing is found where nothing is wrong', async () => {
  const step = fc.record({ back: fc.nat(6), pays: fc.boolean(), greedy: fc.nat(6), headersFirst: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
      const source = new TestChain();
      const kv = memoryKv();
      const chain = await memoryChain({ kv });
      const all: Block[] = [source.genesis];
      for (const { back, pays, greedy, headersFirst } of steps) {
        const parent = present(all[Math.max(0, all.length - 1 - back)]);
        const ripe = pays ? all.find(({ header }) => header.height === 1) : undefined;
        const plain = ripe === undefined ? source.extend(parent) : payingBlock(source, parent, ripe);
        const block = greedy === 0 ? greedyBlock(source, parent) : plain;
        all.push(block);
        // Good or bad: what becomes of it is the chain's affair.
        if (headersFirst) await chain.submitHeaders([block.header]);
        await chain.submitBlock(block);
      }
      expect((await verified(kv)).differences).toEqual([]);
    }),
    { numRuns: 20 },
  );
});
