import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Chainstate } from '../../../server/chain/chainstate.js';
import { MARK_WINDOW } from '../../../server/chain/headerMarks.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import type { Block } from '../../../shared/model/block.js';
import type { BlockHash } from '../../../shared/model/ids.js';
import { assertOk, assertRefused, present } from '../../kit/assertOk.js';
import { coinbase, testKey } from '../../kit/builders.js';
import { TestChain } from '../../kit/testChain.js';
import { flakyKv } from '../../support/flakyKv.js';
import { memoryChain } from '../../support/memoryChain.js';
import { assertStoreEqualsReplay } from '../../support/replay.js';

const recordOf = (chain: Chainstate, { header }: Block) => chain.headers.require(header.hash);

async function feed(chain: Chainstate, blocks: readonly Block[]): Promise<void> {
  for (const block of blocks) assertOk(await chain.submitBlock(block));
}

/** A chain of 6 blocks, and two branches on its second: 3 blocks, and 2. */
async function scene() {
  const source = new TestChain();
  const main = source.grow(source.genesis, 6);
  const side = source.grow(present(main[1]), 3);
  const twig = source.grow(present(main[1]), 2);
  const store = memoryKv();
  const flaky = flakyKv(store);
  const chain = await memoryChain({ kv: flaky.kv });
  await feed(chain, [...main, ...side, ...twig]);
  return { source, main, side, twig, store, flaky, chain };
}

describe('a block set aside by the operator', () => {
  test('leaves with all that stands on it, and the best branch without it takes over', async () => {
    const { main, side, twig, chain } = await scene();
    await chain.setAside(recordOf(chain, present(main[2])));
    expect(chain.tip.header.hash).toBe(side[2]?.header.hash);
    expect(chain.bestHeader.header.hash).toBe(side[2]?.header.hash);
    for (const block of main.slice(2)) expect(recordOf(chain, block)).toMatchObject({ invalid: true, setAside: true });
    await chain.setAside(recordOf(chain, present(side[0])));
    expect(chain.tip.header.hash).toBe(twig[1]?.header.hash);
    await chain.setAside(recordOf(chain, present(main[1])));
    expect(chain.tip.header.hash).toBe(main[0]?.header.hash);
    assertStoreEqualsReplay(chain);
  });

  test('stays away over a restart, whatever else comes on it', async () => {
    const { source, main, store, chain } = await scene();
    await chain.setAside(recordOf(chain, present(main[0])));
    expect(chain.tip.header.height).toBe(0);
    const again = await memoryChain({ kv: store });
    expect(again.tip.header.height).toBe(0);
    const more = source.extend(present(main[5]));
    expect(assertRefused(await again.submitBlock(more)).code).toBe('header-set-aside');
    expect(assertRefused(await again.submitHeaders([more.header])).code).toBe('header-set-aside');
    expect(assertRefused(await again.submitBlock(present(main[5]))).code).toBe('header-set-aside');
  });

  test('comes back when it is considered again, with what it stands on and what stands on it', async () => {
    const { main, side, chain } = await scene();
    await chain.setAside(recordOf(chain, present(main[4])));
    await chain.setAside(recordOf(chain, present(main[1])));
    await chain.reconsider(recordOf(chain, present(main[2])));
    expect(chain.tip.header.hash).toBe(main[5]?.header.hash);
    expect(recordOf(chain, present(side[0])).invalid).toBe(true);
    await chain.reconsider(recordOf(chain, present(side[1])));
    expect(recordOf(chain, present(side[2])).invalid).toBe(false);
    assertStoreEqualsReplay(chain);
  });

  test('is not taken for one that broke a rule, and one that broke a rule is not excused', async () => {
    const { source, main, chain } = await scene();
    const height = 7;
    const greedy = source.raw(present(main[5]), [
      coinbase({ params: source.params, height, address: testKey(2).address, fees: 1n }),
    ]);
    expect(assertRefused(await chain.submitBlock(greedy)).code).toBe('block-coinbase-value');
    await chain.setAside(recordOf(chain, present(main[3])));
    expect(recordOf(chain, greedy)).toMatchObject({ invalid: true, setAside: false });
    await chain.reconsider(recordOf(chain, present(main[3])));
    // It is judged again like all the rest, and fails again.
    expect(recordOf(chain, greedy).invalid).toBe(false);
    expect(assertRefused(await chain.submitBlock(greedy)).code).toBe('block-coinbase-value');
    expect(chain.tip.header.hash).toBe(main[5]?.header.hash);
  });

  test('every listener hears of the switch as of any other', async () => {
    const { main, chain } = await scene();
    const told: string[] = [];
    chain.events.on('connected', ({ record }) => told.push(`+${record.header.height}`));
    chain.events.on('disconnected', ({ record }) => told.push(`-${record.header.height}`));
    chain.events.on('settled', ({ tip, reorganized }) => told.push(`=${tip.header.height} ${reorganized}`));
    await chain.setAside(recordOf(chain, present(main[3])));
    expect(told).toEqual(['-6', '-5', '-4', '-3', '+3', '+4', '+5', '=5 true']);
  });

  test('a disk that fails at any step leaves a chain that opens, whole and on valid blocks, and can be told again', async () => {
    for (let failing = true, run = 0; failing; run++) {
      const { main, side, store, flaky, chain } = await scene();
      flaky.failAt(run);
      const done = await chain.setAside(recordOf(chain, present(main[2]))).then(
        () => true,
        () => false,
      );
      failing = flaky.hasFailed();
      flaky.failAt(Number.POSITIVE_INFINITY);
      const again = await memoryChain({ kv: store });
      assertStoreEqualsReplay(again);
      for (const { header } of [...main, ...side]) {
        const record = again.headers.require(header.hash);
        if (again.headers.require(header.previous).invalid) expect(record.invalid, `failure ${run}`).toBe(true);
      }
      expect(again.headers.require(again.tip.header.hash).invalid).toBe(false);
      if (done) expect(again.tip.header.hash).toBe(side[2]?.header.hash);
      // The process that met the failure goes on as well as the one that starts anew.
      for (const survivor of [chain, again]) {
        await survivor.setAside(recordOf(survivor, present(main[2])));
        expect(survivor.tip.header.hash).toBe(side[2]?.header.hash);
      }
    }
  });

  test('more headers than one commit marks are all marked, and a failure between two commits leaves no gap', async () => {
    const source = new TestChain();
    const store = memoryKv();
    const headers = source.grow(source.genesis, 2 * MARK_WINDOW + 10).map(({ header }) => header);
    let commitsLeft = Number.POSITIVE_INFINITY;
    const commit: typeof store.commit = async (batch) => {
      commitsLeft -= 1;
      if (commitsLeft < 0) throw new Error('the disk failed');
      await store.commit(batch);
    };
    const chain = await memoryChain({ kv: { ...store, commit } });
    assertOk(await chain.submitHeaders(headers));
    const marks = (of: Chainstate): string =>
      headers.map(({ hash }) => Number(of.headers.require(hash).invalid)).join('');
    const first = chain.headers.require(present(headers[0]).hash);
    // One window is stored, the next fails; three times, and nothing is left but the first header itself.
    for (const height of [MARK_WINDOW + 10, 10, 1]) {
      commitsLeft = 1;
      await expect(chain.setAside(first)).rejects.toThrow('the disk failed');
      const reopened = marks(await memoryChain({ kv: store }));
      expect(reopened).toMatch(/^0+1+$/);
      expect(reopened.indexOf('1')).toBe(height);
    }
    commitsLeft = Number.POSITIVE_INFINITY;
    await chain.setAside(first);
    expect(marks(chain)).toMatch(/^1+$/);
    expect(chain.bestHeader.header.height).toBe(0);
    await chain.reconsider(first);
    expect(marks(chain)).toMatch(/^0+$/);
    expect(chain.bestHeader.header.height).toBe(headers.length);
  });

  test('whatever is set aside and taken back in any order, the tip is a best block without a mark below it', async () => {
    const source = new TestChain();
    const trunk = source.grow(source.genesis, 5);
    const branches = trunk.flatMap((block, i) => source.grow(block, 3 + ((i * 2) % 3)));
    const blocks = [...trunk, ...branches];
    const parents = new Map(blocks.map((block) => [block.header.hash, block.header.previous]));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.boolean(), fc.nat(blocks.length - 1)), { minLength: 1, maxLength: 8 }),
        async (steps) => {
          const store = memoryKv();
          const chain = await memoryChain({ kv: store });
          await feed(chain, blocks);
          // The model: a set of marked blocks, closed upwards by hand.
          const marked = new Set<BlockHash>();
          const standsOn = (hash: BlockHash, below: BlockHash): boolean => {
            for (let at: BlockHash | undefined = hash; at !== undefined; at = parents.get(at))
              if (at === below) return true;
            return false;
          };
          for (const [aside, index] of steps) {
            const block = present(blocks[index]);
            const { hash } = block.header;
            if (aside) {
              await chain.setAside(recordOf(chain, block));
              for (const each of parents.keys()) if (standsOn(each, hash)) marked.add(each);
            } else {
              await chain.reconsider(recordOf(chain, block));
              for (const each of parents.keys()) if (standsOn(each, hash) || standsOn(hash, each)) marked.delete(each);
            }
            for (const each of blocks)
              expect(recordOf(chain, each).invalid, 'the marks').toBe(marked.has(each.header.hash));
            const best = blocks.filter(({ header }) => !marked.has(header.hash)).map(({ header }) => header.height);
            expect(chain.tip.header.height).toBe(Math.max(0, ...best));
            expect(marked.has(chain.tip.header.hash)).toBe(false);
          }
          assertStoreEqualsReplay(chain);
          expect((await memoryChain({ kv: store })).tip.header.hash).toBe(chain.tip.header.hash);
        },
      ),
      { numRuns: 30 },
    );
  });
});
