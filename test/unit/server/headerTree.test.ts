import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HeaderTree, skipHeight, stepTowards } from '../../../server/chain/headerTree.js';
import { ChainStore } from '../../../server/store/chainStore.js';
import { type HeaderRecord, layout } from '../../../server/store/layout.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import { put, remove } from '../../../server/store/space.js';
import { assertOk, present } from '../../kit/assertOk.js';
import { TestChain } from '../../kit/testChain.js';
import { memoryChain } from '../../support/memoryChain.js';

test('any ancestor, the fork of two branches and the path between are what walking step by step finds', async () => {
  const source = new TestChain();
  const { headers, ...chain } = await openWith(source);
  const walk = (from: HeaderRecord, height: number): HeaderRecord => {
    let at = from;
    while (at.header.height > height) at = headers.require(at.header.previous);
    return at;
  };
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (m, n) => {
      const a = present(chain.records[m % chain.records.length]);
      const b = present(chain.records[n % chain.records.length]);
      const height = n % (a.header.height + 1);
      expect(headers.ancestor(a, height)).toEqual(walk(a, height));
      const fork = headers.fork(a, b);
      const isAbove = a.header.height >= b.header.height;
      expect(headers.descends(a, b)).toBe(isAbove && walk(a, b.header.height).header.hash === b.header.hash);
      expect(headers.descends(a, fork) && headers.descends(b, fork)).toBe(true);
      const above = fork.header.height + 1;
      if (a.header.height >= above && b.header.height >= above)
        expect(walk(a, above).header.hash).not.toBe(walk(b, above).header.hash);
      const path = headers.path(fork, a);
      expect(path.map(({ header }) => header.height)).toEqual(path.map((_, i) => above + i));
      expect(path.at(-1) ?? fork).toEqual(a);
    }),
    { numRuns: 300 },
  );
});

test('a million blocks up, any ancestor is at most 150 steps away', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.nat(1_000_000), (m, n) => {
      const [target, top] = m < n ? [m, n] : [n, m];
      let steps = 0;
      for (let at = top; at > target; steps++) {
        const next = stepTowards(at, target);
        expect(next < at && next >= target).toBe(true);
        at = next;
      }
      expect(steps).toBeLessThanOrEqual(150);
    }),
  );
});

test('the long steps are those of Bitcoin Core’s block index', () => {
  const heights = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 31];
  expect(heights.map(skipHeight)).toEqual([0, 0, 0, 1, 0, 1, 4, 1, 0, 1, 8, 1, 8, 1, 12, 9, 0, 25]);
  expect([0x8000_0002, 0xffff_ffff].map(skipHeight)).toEqual([0x8000_0000, 0xffff_fff9]);
});

test('a long step is taken where it does not pass the target, unless the parent’s comes much closer', () => {
  const steps: [from: number, target: number, to: number][] = [
    [8, 0, 0],
    [8, 1, 7],
    [6, 4, 4],
    [6, 3, 4],
    [6, 5, 5],
    // From 12 to 8; the parent's leads to 1, past the target.
    [12, 7, 8],
    // From 15 to 9, and the parent's to 12: no nearer.
    [15, 9, 9],
    [15, 8, 9],
    // From 14 to 12, and the parent's to 1, further down without passing by.
    [14, 0, 13],
    [14, 1, 13],
    [14, 2, 12],
    // The parent's is only two lower: not worth the detour.
    [3, 0, 1],
  ];
  for (const [from, target, to] of steps) expect(stepTowards(from, target), `${from} to ${target}`).toBe(to);
});

describe('a tree of headers', () => {
  /** Twelve headers, and two branches on the tenth: of one and of three. */
  async function grove() {
    const chain = await memoryChain();
    const source = new TestChain();
    const trunk = source.grow(source.genesis, 12);
    const fork = present(trunk[9]);
    const [low] = source.grow(fork, 1);
    const high = source.grow(fork, 3);
    const add = async (blocks: typeof trunk): Promise<HeaderRecord> =>
      assertOk(await chain.submitHeaders(blocks.map(({ header }) => header)));
    await add(trunk);
    return {
      chain,
      source,
      trunk,
      lowest: present(low),
      highest: present(high.at(-1)),
      low: await add([present(low)]),
      high: await add(high),
    };
  }

  test('a child is judged against its parent and the times of the last eleven', async () => {
    const { chain, source, trunk, high, highest } = await grove();
    const first = present(trunk[0]);
    const { hash, height, timestamp } = high.header;
    const times = source.contextOf(highest).recentTimes;
    expect(times).toHaveLength(11);
    expect(chain.headers.contextOf(high)).toEqual({
      hash,
      height,
      timestamp,
      work: 26n,
      recentTimes: times,
      anchorTime: first.header.timestamp,
      invalid: false,
    });
    const genesis = chain.headers.require(chain.genesis.header.hash);
    expect(chain.headers.contextOf(genesis)).toMatchObject({ height: 0, recentTimes: [0], anchorTime: undefined });
    const one = chain.headers.require(first.header.hash);
    expect(chain.headers.contextOf(one).recentTimes).toEqual([first.header.timestamp, 0]);
    expect(chain.headers.contextOf({ ...one, invalid: true }).invalid).toBe(true);
  });

  test('a child adds its work, keeps the anchor of its branch, and inherits that it cannot be valid', async () => {
    const { chain, source, trunk, high, highest } = await grove();
    const child = source.extend(highest).header;
    expect(chain.headers.childOf(high, child)).toEqual({
      header: child,
      work: 28n,
      anchorTime: present(trunk[0]).header.timestamp,
      skip: chain.headers.ancestor(high, 12).header.hash,
      invalid: false,
      setAside: false,
      body: null,
      fees: null,
    });
    const { invalid, setAside } = chain.headers.childOf({ ...high, invalid: true, setAside: true }, child);
    expect([invalid, setAside]).toEqual([true, true]);
    const genesis = chain.headers.require(chain.genesis.header.hash);
    const first = chain.headers.childOf(genesis, { ...child, timestamp: 77 });
    expect([first.anchorTime, first.skip, first.work]).toEqual([77, genesis.header.hash, 2n]);
  });

  test('the best is the valid one with the most work; the best stored one has a body, down to genesis', async () => {
    const { chain, trunk, low, high, highest } = await grove();
    const { headers } = chain;
    expect([...headers.tips()].map(({ work }) => work)).toEqual([26n, 24n, 22n]);
    expect(headers.best()).toEqual(high);
    expect(chain.bestHeader).toEqual(high);
    expect(headers.bestStored().header.hash).toBe(chain.genesis.header.hash);
    // Bodies up to each height of the trunk in turn: the border is found wherever it is.
    for (const block of trunk.slice(0, 10)) {
      assertOk(await chain.submitBlock(block));
      expect(headers.bestStored().header).toEqual(block.header);
    }
    const body = { size: 1, transactions: 1, creator: null };
    // The next tip has more work than this one, and less of it stored.
    headers.update({ ...headers.ancestor(high, 11), body });
    expect(headers.bestStored()).toEqual(headers.ancestor(high, 11));
    headers.forget();
    headers.update({ ...low, body });
    expect(headers.bestStored().header).toEqual(low.header);
    headers.update({ ...headers.require(highest.header.previous), body });
    headers.update({ ...headers.require(headers.require(highest.header.previous).header.previous), body });
    expect(headers.bestStored().header.hash).toBe(highest.header.previous);
  });

  test('what is invalid is never the best, nor what the tree has been told and the store not yet', async () => {
    const { chain, high } = await grove();
    const { headers } = chain;
    headers.update({ ...high, invalid: true });
    expect(headers.require(high.header.hash).invalid).toBe(true);
    expect(headers.best().work).toBe(24n);
    headers.forget();
    expect(headers.require(high.header.hash)).toEqual(high);
    expect(headers.best()).toEqual(high);
  });

  test('a new tip takes the place of its parent in the list of tips, and only there', async () => {
    const { chain, source, high, low, lowest } = await grove();
    const child = source.extend(lowest).header;
    const record = chain.headers.childOf(low, child);
    expect(chain.headers.addition(record)).toEqual([
      put(layout.header, child.hash, record),
      put(layout.tips, { work: record.work, hash: child.hash }, null),
      remove(layout.tips, { work: low.work, hash: low.header.hash }),
    ]);
    expect([...chain.store.tips()]).toHaveLength(3);
    expect([...chain.store.tips()][0]).toBe(high.header.hash);
  });

  test('records that contradict each other are told as a corrupt store', async () => {
    const { high } = await grove();
    const { hash, previous } = high.header;
    const empty = new HeaderTree(new ChainStore(memoryKv()));
    expect(empty.get(hash)).toBeUndefined();
    expect(() => empty.require(hash)).toThrow(`header ${hash} is missing`);
    expect(() => empty.ancestor(high, high.header.height - 1)).toThrow(`header ${previous} is missing`);
    expect(() => empty.best()).toThrow('no branch has a tip');
  });
});

async function openWith(source: TestChain) {
  const chain = await memoryChain();
  const main = source.grow(source.genesis, 60);
  const side = source.grow(present(main[20]), 50);
  const twig = source.grow(present(side[40]), 5);
  const records: HeaderRecord[] = [chain.tip];
  for (const { header } of [...main, ...side, ...twig]) records.push(assertOk(await chain.submitHeaders([header])));
  return { headers: chain.headers, records };
}
