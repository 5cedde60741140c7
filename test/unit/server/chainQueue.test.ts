import { describe, expect, test } from 'vitest';
import { MAX_QUEUED } from '../../../server/chain/chainstate.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import { toAmount } from '../../../shared/model/amount.js';
import { type Block, sealBlock } from '../../../shared/model/block.js';
import { assertOk, assertRefused, present } from '../../kit/assertOk.js';
import { coinbase, mine, testKey } from '../../kit/builders.js';
import { TestChain } from '../../kit/testChain.js';
import { failureFrom } from '../../support/failureFrom.js';
import { flakyKv } from '../../support/flakyKv.js';
import { memoryChain, stillClock } from '../../support/memoryChain.js';

const [bob, carol] = [testKey(2), testKey(3)];
const headersOf = (blocks: readonly Block[]) => blocks.map(({ header }) => header);

/** A store in memory that counts its commits. */
function countingKv() {
  const inner = memoryKv();
  let commits = 0;
  return {
    ...inner,
    commit: (batch: Parameters<typeof inner.commit>[0]) => {
      commits += 1;
      return inner.commit(batch);
    },
    commits: () => commits,
  };
}

describe('the queue', () => {
  test('so many may wait and no more; whoever is refused may come again once there is room', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const [block] = source.grow(source.genesis, 1);
    // One is under way, and does not wait.
    const taken = Array.from({ length: MAX_QUEUED + 1 }, () => chain.submitHeaders([]));
    const refused = chain.submitBlock(present(block));
    expect(await failureFrom(refused)).toEqual({ code: 'busy', detail: 'too many blocks wait' });
    for (const each of taken) assertOk(await each);
    expect(assertOk(await chain.submitBlock(present(block))).status).toBe('connected');
  });

  test('after each job, be it good or bad, everything else gets a turn; closing waits for all jobs', async () => {
    let yields = 0;
    const clock = {
      ...stillClock(),
      yield: async () => {
        yields += 1;
      },
    };
    const { kv, failAt } = flakyKv(memoryKv());
    const source = new TestChain();
    const chain = await memoryChain({ clock, kv });
    const [block, next] = source.grow(source.genesis, 2);
    yields = 0;
    assertOk(await chain.submitHeaders([present(block).header]));
    expect(yields).toBe(1);
    // Three more within: others are told of a block before its coins are looked at.
    assertOk(await chain.submitBlock(present(block)));
    expect(yields).toBe(5);
    failAt(0);
    await expect(chain.submitBlock(present(next))).rejects.toThrow('the disk failed');
    expect(yields).toBe(6);
    let isDone = false;
    const last = chain.submitBlock(present(next)).then(() => {
      isDone = true;
    });
    await chain.close();
    await last;
    expect(isDone).toBe(true);
    expect(chain.tip.header.height).toBe(2);
  });

  test('closing settles only when what was submitted is done', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const told: string[] = [];
    const submitted = chain.submitBlock(source.extend(source.genesis)).then(() => told.push('taken'));
    await Promise.all([chain.close().then(() => told.push('closed')), submitted]);
    expect(told).toEqual(['taken', 'closed']);
  });
});

describe('a batch of headers', () => {
  test('is one commit, and what is known already is not written again', async () => {
    const source = new TestChain();
    const kv = countingKv();
    const chain = await memoryChain({ kv });
    const headers = headersOf(source.grow(source.genesis, 5));
    const before = kv.commits();
    expect(assertOk(await chain.submitHeaders(headers)).header).toEqual(headers.at(-1));
    expect(kv.commits()).toBe(before + 1);
    expect(assertOk(await chain.submitHeaders(headers.slice(1, 3))).header).toEqual(headers[2]);
    expect(kv.commits()).toBe(before + 1);
    expect(assertOk(await chain.submitHeaders([])).header).toEqual(chain.tip.header);
    expect(kv.commits()).toBe(before + 1);
    expect(chain.bestHeader.header).toEqual(headers.at(-1));
  });

  test('keeps those before a bad one, and tells what is wrong with that', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const [a, b, c] = headersOf(source.grow(source.genesis, 3));
    const bad = mine({ ...present(c), version: 2 });
    const reject = assertRefused(await chain.submitHeaders([present(a), present(b), bad, present(c)]));
    expect(reject).toEqual({ code: 'header-version', version: 2, expected: 1 });
    expect(chain.bestHeader.header).toEqual(b);
    expect(chain.headers.get(present(c).hash)).toBeUndefined();
    expect(chain.gate.check(present(b))).toEqual({ ok: true, value: chain.bestHeader });
    expect(assertRefused(chain.gate.check(bad)).code).toBe('header-version');
    expect(assertOk(chain.gate.check(present(c))).header).toEqual(c);
    expect(chain.headers.get(present(c).hash), 'judged is not stored').toBeUndefined();
  });

  test('with too little work leaves nothing behind, not even what it staged', async () => {
    const params = { ...NETWORKS.dev, minimumWork: 7n };
    const source = new TestChain(params);
    const kv = countingKv();
    const chain = await memoryChain({ params, kv });
    const headers = headersOf(source.grow(source.genesis, 4));
    const before = kv.commits();
    expect(assertRefused(await chain.submitHeaders(headers.slice(0, 3)))).toEqual({
      code: 'header-minimum-work',
      work: 6n,
      minimum: 7n,
    });
    expect(kv.commits()).toBe(before);
    for (const { hash } of headers) expect(chain.headers.get(hash)).toBeUndefined();
    assertOk(await chain.submitHeaders(headers));
    expect(chain.bestHeader.work).toBe(8n);
  });

  test('whose first parent is nowhere is refused', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const [a, b] = headersOf(source.grow(source.genesis, 2));
    const reject = { code: 'header-parent-unknown', previous: present(a).hash };
    expect(assertRefused(await chain.submitHeaders([present(b)]))).toEqual(reject);
  });
});

describe('what is known of a block', () => {
  test('size, number of transactions, and whom the coinbase pays first: nobody, where it pays nobody', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const first = source.extend(source.genesis, { miner: carol });
    const free = { ...source.params, reward: toAmount(0n) };
    const second = source.raw(first, [coinbase({ params: free, height: 2, address: bob.address })]);
    expect(second.transactions[0]?.body.outputs).toEqual([]);
    assertOk(await chain.submitBlock(first));
    assertOk(await chain.submitBlock(second));
    expect(chain.at(1)?.body).toEqual({ size: first.raw.length, transactions: 1, creator: carol.address });
    expect(chain.at(2)?.body).toEqual({ size: second.raw.length, transactions: 1, creator: null });
  });

  test('by height, what is on the active chain and nothing else', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const [a, b] = source.grow(source.genesis, 2);
    const rival = source.extend(source.genesis);
    for (const block of [present(a), present(b), rival]) assertOk(await chain.submitBlock(block));
    expect([-1, 0, 1, 2, 3].map((height) => chain.at(height)?.header.hash)).toEqual([
      undefined,
      source.genesis.header.hash,
      a?.header.hash,
      b?.header.hash,
      undefined,
    ]);
    const isActive = (block: Block) => chain.isActive(chain.headers.require(block.header.hash));
    expect([source.genesis, present(a), present(b), rival].map(isActive)).toEqual([true, true, true, false]);
  });

  test('a body of a header that was stored before needs no work of its own; a new header does', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const long = source.grow(source.genesis, 150);
    const low = source.grow(source.genesis, 151);
    assertOk(await chain.submitHeaders(headersOf(low)));
    for (const block of long) assertOk(await chain.submitBlock(block));
    expect(assertOk(await chain.submitBlock(present(low[0]))).status).toBe('side');
    const other = source.extend(source.genesis);
    expect(assertRefused(await chain.submitBlock(other)).code).toBe('header-minimum-work');
  });

  test('a block that breaks a rule without its coins marks its header; one with another’s body does not', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const good = source.extend(source.genesis);
    const swapped = sealBlock(good.header, source.extend(source.genesis).transactions);
    expect(assertRefused(await chain.submitBlock(swapped)).code).toBe('block-root');
    expect(chain.headers.get(good.header.hash)).toBeUndefined();
    const bad = source.raw(source.genesis, []);
    expect(assertRefused(await chain.submitBlock(bad))).toEqual({ code: 'block-no-coinbase' });
    expect(chain.headers.require(bad.header.hash)).toMatchObject({ invalid: true, body: null });
    const { hash } = bad.header;
    expect(assertRefused(await chain.submitBlock(bad))).toEqual({ code: 'block-known-invalid', hash });
    const above = source.extend(bad);
    expect(assertRefused(await chain.submitBlock(above))).toEqual({ code: 'header-parent-invalid', previous: hash });
    assertOk(await chain.submitBlock(good));
  });

  test('an invalid block on the tip is marked without a body: nobody can be led to it', async () => {
    const source = new TestChain();
    const chain = await memoryChain();
    const greedy = coinbase({ params: source.params, height: 1, address: bob.address, fees: 1n });
    const bad = source.raw(source.genesis, [greedy]);
    expect(assertRefused(await chain.submitBlock(bad)).code).toBe('block-coinbase-value');
    expect(chain.headers.require(bad.header.hash)).toMatchObject({ invalid: true, body: null, fees: null });
    expect(chain.store.rawBlock(bad.header.hash)).toBeUndefined();
    expect(chain.bestHeader.header.hash).toBe(source.genesis.header.hash);
  });
});

describe('a switch of branches', () => {
  /** A chain of two, and a branch of three that is about to take over: all but its last block is stored. */
  async function scene(options: Parameters<typeof memoryChain>[0] = {}) {
    const source = new TestChain();
    const chain = await memoryChain(options);
    const old = source.grow(source.genesis, 2);
    const branch = source.grow(source.genesis, 3);
    for (const block of [...old, ...branch.slice(0, 2)]) assertOk(await chain.submitBlock(block));
    return { source, chain, old, branch, last: present(branch.at(-1)) };
  }

  test('is told while it lasts; whoever waits for its end gets on after it, and at once where there is none', async () => {
    const { chain, last } = await scene();
    expect(chain.isSwitching).toBe(false);
    await chain.atRest();
    const told: string[] = [];
    let waiting: Promise<unknown> | undefined;
    const note = (what: string) => told.push(`${what} ${chain.isSwitching}`);
    chain.events.on('disconnected', () => {
      note('-');
      waiting ??= chain.atRest().then(() => note('rest'));
    });
    chain.events.on('connected', () => note('+'));
    chain.events.on('settled', () => note('='));
    assertOk(await chain.submitBlock(last));
    await waiting;
    expect(told).toEqual(['- true', '- true', '+ true', '+ true', '+ true', '= false', 'rest false']);
  });

  test('gives everything else a turn after each of its blocks', async () => {
    let yields = 0;
    const clock = {
      ...stillClock(),
      yield: async () => {
        yields += 1;
      },
    };
    const { chain, last } = await scene({ clock });
    yields = 0;
    assertOk(await chain.submitBlock(last));
    // Three when it is proved, two off, three on, and one at the end of the job.
    expect(yields).toBe(9);
  });

  test('that fails half-way is told as settled where it stopped, and gone on with before the next job', async () => {
    const store = memoryKv();
    let left = Number.POSITIVE_INFINITY;
    const kv = {
      ...store,
      commit: (batch: Parameters<typeof store.commit>[0]) =>
        left-- > 0 ? store.commit(batch) : Promise.reject(new Error('disk full')),
    };
    const { chain, branch, last } = await scene({ kv });
    const settled: [number, boolean][] = [];
    chain.events.on('settled', ({ tip, reorganized }) => settled.push([tip.header.height, reorganized]));
    // The body, two off, one on.
    left = 4;
    await expect(chain.submitBlock(last)).rejects.toThrow('disk full');
    expect(settled).toEqual([[1, true]]);
    expect([chain.isSwitching, chain.tip.header.hash]).toEqual([false, branch[0]?.header.hash]);
    left = 0;
    await expect(chain.submitHeaders([])).rejects.toThrow('disk full');
    expect(settled, 'what moves nothing is not told').toHaveLength(1);
    left = Number.POSITIVE_INFINITY;
    assertOk(await chain.submitHeaders([]));
    expect(chain.tip.header.hash).toBe(last.header.hash);
    expect(settled).toEqual([
      [1, true],
      [3, false],
    ]);
    assertOk(await chain.submitHeaders([]));
    expect(settled).toHaveLength(2);
  });

  test('to a block that is itself bad is refused with its own reason, and the old branch is there again', async () => {
    const { source, chain, old, branch } = await scene();
    const height = 3;
    const greedy = coinbase({ params: source.params, height, address: bob.address, fees: 1n });
    const bad = source.raw(present(branch[1]), [greedy]);
    const settled: [string, boolean][] = [];
    chain.events.on('settled', ({ tip, reorganized }) => settled.push([tip.header.hash, reorganized]));
    expect(assertRefused(await chain.submitBlock(bad))).toMatchObject({ code: 'block-coinbase-value' });
    expect(chain.tip.header.hash).toBe(old.at(-1)?.header.hash);
    expect(settled).toEqual([[old.at(-1)?.header.hash, true]]);
    expect(chain.headers.require(bad.header.hash).invalid).toBe(true);
    expect(chain.at(2)?.header.hash).toBe(old.at(-1)?.header.hash);
  });

  test('never ends on a rival of equal work: neither after a better branch failed, nor when the chain is opened again', async () => {
    const source = new TestChain();
    const kv = memoryKv();
    const chain = await memoryChain({ kv });
    const branches = Array.from({ length: 3 }, () => source.grow(source.genesis, 2));
    const hashOf = (blocks: readonly Block[]) => present(blocks.at(-1)).header.hash;
    // The old tip is the one that the list of tips has last.
    const [old, ...rivals] = branches.sort((a, b) => (hashOf(a) < hashOf(b) ? -1 : 1));
    for (const block of [...present(old), ...rivals.flat()]) assertOk(await chain.submitBlock(block));
    const tip = hashOf(present(old));
    expect([...chain.store.tips()].at(-1)).toBe(tip);
    const greedy = coinbase({ params: source.params, height: 3, address: bob.address, fees: 1n });
    assertRefused(await chain.submitBlock(source.raw(present(rivals[0]?.at(-1)), [greedy])));
    expect(chain.tip.header.hash).toBe(tip);
    expect((await memoryChain({ kv })).tip.header.hash).toBe(tip);
  });
});
