import { expect, test } from 'vitest';
import { Pool, type PoolEntry } from '../../../server/mempool/pool.js';
import { BlockDraft } from '../../../server/miner/blockDraft.js';
import { entriesOf, selectChunks } from '../../../server/miner/selectChunks.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import { rootOfTransactions } from '../../../shared/model/block.js';
import { present } from '../../kit/assertOk.js';
import { coinbase, testKey } from '../../kit/builders.js';
import { addRandom, type Below, looseEntry, randomPool, seededBelow } from '../../support/randomPool.js';

const plainCoinbase = coinbase({ params: NETWORKS.dev, height: 1, address: testKey(2).address });

/** Fails unless the draft holds these and their parents before them, under the right root. */
function assertDrafts(draft: BlockDraft, entries: readonly PoolEntry[], what: string): void {
  const { transactions, merkleRoot } = draft.finish(plainCoinbase);
  const [first, ...rest] = [...transactions];
  expect(transactions.length, what).toBe(rest.length + 1);
  expect(first, what).toBe(plainCoinbase);
  const txids = rest.map(({ txid }) => txid);
  expect(txids.toSorted(), what).toEqual(entries.map(({ transaction }) => transaction.txid).sort());
  const places = new Map(txids.map((txid, place) => [txid, place]));
  const early = entries.filter(({ transaction: { txid }, parents }) =>
    [...parents].some((parent) => !(present(places.get(parent)) < present(places.get(txid)))),
  );
  expect(early, what).toEqual([]);
  expect(merkleRoot, what).toEqual(rootOfTransactions([...transactions]));
}

/** Changes a pool as submissions, evictions and blocks do. */
function disturb(pool: Pool, below: Below, tag: number): void {
  const entries = [...pool.entries()];
  const any = entries[below(entries.length)]?.transaction.txid;
  const kind = below(10);
  if (any === undefined || kind < 6) addRandom(pool, below, tag);
  else if (kind < 8) pool.removeWithDescendants([any]);
  else pool.remove(entries.slice(0, below(4)).map(({ transaction }) => transaction.txid));
}

test('after any changes of the pool, the draft holds what is chosen, parents first, under the right root', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const below = seededBelow(seed);
    const pool = randomPool(below, 40);
    const draft = new BlockDraft();
    for (let round = 0; round < 30; round++) {
      for (let i = below(6); i >= 0; i--) disturb(pool, below, 1_000 + 10 * round + i);
      const selection = selectChunks(pool.chunks(), 500 + below(3) * 3_000);
      draft.update(selection);
      expect(draft.fees).toBe(selection.fees);
      assertDrafts(draft, entriesOf(selection), `seed ${seed}, round ${round}`);
    }
  }
});

test('a template keeps its transactions while the draft goes on', () => {
  const below = seededBelow(1);
  const pool = randomPool(below, 300);
  const draft = new BlockDraft();
  draft.update(selectChunks(pool.chunks(), 1_000_000));
  const { transactions, merkleRoot } = draft.finish(plainCoinbase);
  for (let tag = 1_000; tag < 1_200; tag++) {
    disturb(pool, below, tag);
    draft.update(selectChunks(pool.chunks(), 20_000));
    draft.finish(plainCoinbase);
  }
  expect(merkleRoot).toEqual(rootOfTransactions([...transactions]));
});

test('a parent that comes back from a lost block stands before a child that waited all the while', () => {
  const pool = new Pool();
  const draft = new BlockDraft();
  const parent = looseEntry({ tag: 1, fee: 1_000 });
  const child = looseEntry({ tag: 2, fee: 9_000, parents: [parent.transaction.txid] });
  pool.add(child);
  for (let tag = 10; tag < 200; tag++) pool.add(looseEntry({ tag, fee: 1_000 + tag }));
  draft.update(selectChunks(pool.chunks(), 1_000_000));
  // What waits is judged again after a switch of branches, the transactions of lost blocks first.
  pool.remove([child.transaction.txid]);
  pool.add(parent);
  pool.add(child);
  const selection = selectChunks(pool.chunks(), 1_000_000);
  draft.update(selection);
  assertDrafts(draft, entriesOf(selection), 'back again');
});

test('places in front of all parents are filled from the back, line by line', () => {
  const pool = new Pool();
  const loners = Array.from({ length: 200 }, (_, tag) => pool.add(looseEntry({ tag, fee: 100_000 })));
  let last: PoolEntry | undefined;
  for (let tag = 300; tag < 325; tag++)
    last = pool.add(looseEntry({ tag, fee: 1_000, parents: last === undefined ? [] : [last.transaction.txid] }));
  const draft = new BlockDraft();
  draft.update(selectChunks(pool.chunks(), 1_000_000));
  // The line stands at the end; every place that becomes free is in front of it.
  for (const { transaction } of loners.slice(0, 20)) {
    pool.remove([transaction.txid]);
    const selection = selectChunks(pool.chunks(), 1_000_000);
    draft.update(selection);
    assertDrafts(draft, entriesOf(selection), transaction.txid);
  }
});
