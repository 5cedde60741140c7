import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeaderMarks } from '../../../server/chain/headerMarks.js';
import { openChain } from '../../../server/chain/openChain.js';
import { TipState } from '../../../server/chain/tipState.js';
import type { HeaderRecord } from '../../../server/store/layout.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import type { Block } from '../../../shared/model/block.js';
import { present } from '../../kit/assertOk.js';
import { TestChain } from '../../kit/testChain.js';
import { flakyKv } from '../../support/flakyKv.js';

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

test('a mark takes in all that stands on a header, and is taken off again with all that it stands on', async () => {
  const tree = fc.record({
    backs: fc.array(fc.nat(5), { minLength: 1, maxLength: 12 }),
    chosen: fc.nat(),
    cleared: fc.nat(),
    mark: fc.constantFrom('invalid' as const, 'set-aside' as const),
  });
  await fc.assert(
    fc.asyncProperty(tree, async ({ backs, chosen, cleared, mark }) => {
      const { source, state, add, reopen } = await opened();
      const marks = new HeaderMarks(state);
      const blocks = [source.genesis];
      for (const back of backs) {
        const block = source.extend(present(blocks[Math.max(0, blocks.length - 1 - back)]));
        await add(block);
        blocks.push(block);
      }
      const headers = blocks.map(({ header }) => header);
      const expectMarks = async (marked: ReadonlySet<string>) => {
        const valid = headers.filter(({ hash }) => !marked.has(hash));
        for (const each of [state, await reopen()]) {
          for (const { hash, height } of headers)
            expect(each.headers.require(hash), `height ${height}`).toMatchObject({
              invalid: marked.has(hash),
              setAside: marked.has(hash) && mark === 'set-aside',
            });
          expect(each.bestHeader.header.height).toBe(Math.max(...valid.map(({ height }) => height)));
          expect(each.bestHeader.invalid).toBe(false);
        }
      };
      const bad = present(headers[1 + (chosen % backs.length)]);
      await marks.mark(state.headers.require(bad.hash), mark);
      const marked = new Set([bad.hash]);
      for (const { hash, previous } of headers) if (marked.has(previous)) marked.add(hash);
      await expectMarks(marked);
      const chosenAgain = present(headers[1 + (cleared % backs.length)]);
      await marks.clear(state.headers.require(chosenAgain.hash));
      // Itself, all that stands on it, and what it stands on down to the first without a mark.
      const onPath = new Set([chosenAgain.hash]);
      for (const { hash, previous } of headers) if (onPath.has(previous)) onPath.add(hash);
      const parentOf = new Map(headers.map(({ hash, previous }) => [hash, previous]));
      for (let at = parentOf.get(chosenAgain.hash); at !== undefined && marked.has(at); at = parentOf.get(at))
        onPath.add(at);
      await expectMarks(new Set([...marked].filter((hash) => !onPath.has(hash))));
    }),
    { numRuns: 60 },
  );
});

test('a new header may come with its mark, and its parent is no tip any more', async () => {
  const { source, state } = await opened();
  const { header } = source.extend(source.genesis);
  const record = state.headers.childOf(state.tip, header);
  await new HeaderMarks(state).mark(record, 'invalid');
  expect(state.headers.require(header.hash)).toEqual({ ...record, invalid: true, setAside: false });
  expect([...state.store.tips()]).toEqual([header.hash]);
  expect(state.bestHeader).toEqual(state.tip);
});

test('the tip learns of its own mark', async () => {
  const { source, state, add } = await opened();
  const record = await add(source.extend(source.genesis));
  await state.commit([], { tip: record, totals: state.totals });
  const marks = new HeaderMarks(state);
  await marks.mark(record, 'set-aside');
  expect([state.tip.invalid, state.tip.setAside]).toEqual([true, true]);
  await marks.clear(state.tip);
  expect(state.tip).toEqual(record);
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
