import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openChain } from '../../../server/chain/openChain.js';
import { TipState } from '../../../server/chain/tipState.js';
import type { HeaderRecord } from '../../../server/store/layout.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import type { Block } from '../../../shared/model/block.js';
import { present } from '../../kit/assertOk.js';
import { flakyKv } from '../../kit/flakyKv.js';
import { TestChain } from '../../kit/testChain.js';

/** A new chain, and how to add headers to it. */
async function opened(source = new TestChain()) {
  const { kv, failAt } = flakyKv(memoryKv());
  const state = new TipState(source.params, await openChain(kv, source.params, 'memory'));
  const add = async ({ header }: Block): Promise<HeaderRecord> => {
    const record = state.headers.childOf(state.headers.require(header.previous), header);
    await state.commit(state.headers.addition(record));
    state.noteHeader(record);
    return record;
  };
  const reopen = async () => new TipState(source.params, await openChain(kv, source.params, 'memory'));
  return { source, state, add, reopen, failAt };
}

test('a header found invalid takes all that stands on it, and the tips are the valid headers without a valid child', async () => {
  const tree = fc.record({ backs: fc.array(fc.nat(5), { minLength: 1, maxLength: 12 }), chosen: fc.nat() });
  await fc.assert(
    fc.asyncProperty(tree, async ({ backs, chosen }) => {
      const { source, state, add, reopen } = await opened();
      const blocks = [source.genesis];
      for (const back of backs) {
        const block = source.extend(present(blocks[Math.max(0, blocks.length - 1 - back)]));
        await add(block);
        blocks.push(block);
      }
      const bad = present(blocks[1 + (chosen % backs.length)]).header;
      await state.markInvalid(state.headers.require(bad.hash));
      const invalid = new Set([bad.hash]);
      for (const { header } of blocks) if (invalid.has(header.previous)) invalid.add(header.hash);
      const valid = blocks.filter(({ header }) => !invalid.has(header.hash)).map(({ header }) => header);
      const parents = new Set(valid.map(({ previous }) => previous));
      const tips = valid.filter(({ hash }) => !parents.has(hash)).map(({ hash }) => hash);
      for (const each of [state, await reopen()]) {
        for (const { header } of blocks)
          expect(each.headers.require(header.hash).invalid, `height ${header.height}`).toBe(invalid.has(header.hash));
        expect([...each.store.tips()].sort()).toEqual([...tips].sort());
        expect(each.bestHeader.header.height).toBe(Math.max(...valid.map(({ height }) => height)));
        expect(each.bestHeader.invalid).toBe(false);
      }
    }),
    { numRuns: 60 },
  );
});

test('the best header is the first with the most work; an equal rival is not better, and what is known of it is kept up', async () => {
  const { source, state, add } = await opened();
  const [first, rival] = [source.extend(source.genesis), source.extend(source.genesis)];
  const best = await add(first);
  expect(state.bestHeader).toEqual(best);
  await add(rival);
  expect(state.bestHeader).toEqual(best);
  const withBody = { ...best, body: { size: 1, transactions: 1, creator: null } };
  state.noteHeader(withBody);
  expect(state.bestHeader).toEqual(withBody);
  const above = await add(source.extend(rival));
  expect(state.bestHeader).toEqual(above);
  state.noteHeader(best);
  expect(state.bestHeader).toEqual(above);
});

test('tip and sums move with a commit that moves them and with no other, and not before it', async () => {
  const { source, state, add, reopen, failAt } = await opened();
  const genesis = state.tip;
  const record = await add(source.extend(source.genesis));
  expect([state.tip, state.totals.transactions]).toEqual([genesis, 1]);
  const totals = { transactions: 2, addresses: 1, supply: source.params.reward };
  failAt(0);
  await expect(state.commit([], { tip: record, totals })).rejects.toThrow('the disk failed');
  expect([state.tip, state.totals.transactions]).toEqual([genesis, 1]);
  await state.commit([], { tip: record, totals });
  expect([state.tip, state.totals]).toEqual([record, totals]);
  await state.commit([]);
  expect([state.tip, state.totals]).toEqual([record, totals]);
  const again = await reopen();
  expect([again.tip, again.totals]).toEqual([record, totals]);
});
