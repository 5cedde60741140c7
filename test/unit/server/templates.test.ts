import { describe, expect, test } from 'vitest';
import type { Mempool } from '../../../server/mempool/mempool.js';
import { BlockDraft } from '../../../server/miner/blockDraft.js';
import { buildTemplate } from '../../../server/miner/buildTemplate.js';
import type { NamedTemplate } from '../../../server/miner/keptTemplates.js';
import type { Patience } from '../../../server/miner/longPolls.js';
import { entriesOf, selectChunks } from '../../../server/miner/selectChunks.js';
import { solveInline } from '../../../server/miner/solveInline.js';
import { Templates } from '../../../server/miner/templates.js';
import { systemRandom } from '../../../server/system/random.js';
import { type Block, sealBlock } from '../../../shared/model/block.js';
import { sealHeader } from '../../../shared/model/header.js';
import type { Transaction } from '../../../shared/model/transaction.js';
import { assertOk, present } from '../../kit/assertOk.js';
import { type Spendable, testKey } from '../../kit/builders.js';
import { type HandClock, handClock } from '../../support/handClock.js';
import { memoryMempool } from '../../support/memoryMempool.js';
import { type PaymentScene, paymentScene } from '../../support/paymentScene.js';
import { seededBelow } from '../../support/randomPool.js';

const [alice, bob] = [testKey(1), testKey(2)];
const MINER = 'a miner';
const POOLS = 1_000;

interface Scene extends PaymentScene, Disposable {
  readonly clock: HandClock;
  readonly mempool: Mempool;
  readonly templates: Templates;
  create(caller?: string): Promise<NamedTemplate>;
  /** Waits for something better, and tells whether that is over. */
  poll(template: NamedTemplate, patience?: Partial<Patience>): () => Promise<boolean>;
  /** Has a transfer taken in that spends the coinbase of one of the blocks. */
  submit(coin: number, fee: bigint): Promise<Transaction>;
}

async function scene(length = 8): Promise<Scene> {
  const base = await paymentScene(length);
  const { chain, source, blocks, pay } = base;
  const mempool = await memoryMempool(chain);
  const clock = handClock();
  const templates = new Templates({ chain, mempool, clock, random: systemRandom });
  return {
    ...base,
    clock,
    mempool,
    templates,
    create: (caller = MINER) => templates.create(bob.address, caller),
    poll({ id }, { waitMs = 4_000, signal } = {}) {
      let isOver = false;
      const polling = templates.waitForBetter({ id, caller: MINER }, { waitMs, signal });
      void polling.then(() => {
        isOver = true;
      });
      return async () => {
        for (let i = 0; i < 20; i++) await Promise.resolve();
        return isOver;
      };
    },
    async submit(coin, fee) {
      const transaction = pay(source.coinOf(present(blocks[coin])), fee);
      assertOk(await mempool.submit(transaction, null));
      return transaction;
    },
    [Symbol.dispose]: () => templates.close(),
  };
}

describe('templates', () => {
  test('one that is asked for amid a switch of branches waits for its end, and is valid', async () => {
    using at = await scene();
    const { source, chain, mempool, blocks, pay, output, templates } = at;
    const tip = present(blocks.at(-1));
    const parent = pay(source.coinOf(present(blocks[0])), 1_000n);
    assertOk(await chain.submitBlock(source.extend(tip, { transactions: [parent] })));
    assertOk(await mempool.submit(pay(output(parent), 1_000n), null));
    let amid: Promise<NamedTemplate> | undefined;
    chain.events.on('connected', () => {
      amid ??= at.create();
    });
    for (const block of source.grow(tip, 2)) assertOk(await chain.submitBlock(block));
    const { id, header, target, transactions } = await present(amid);
    expect(header.previous).toBe(chain.tip.header.hash);
    expect(transactions).toHaveLength(3);
    const solved = templates.solve({ id, caller: MINER }, solveInline(header, target));
    expect(assertOk(await chain.submitBlock(solved)).status).toBe('connected');
  });

  test('nobody can push out the template that another one works on', async () => {
    using at = await scene();
    const { chain, templates } = at;
    const { id, header, target } = await at.create('10.0.0.1');
    for (let i = 0; i < 200; i++) await at.create('10.0.0.2');
    const solution = solveInline(header, target);
    expect(() => templates.solve({ id, caller: '10.0.0.2' }, solution)).toThrow(`template ${id}`);
    expect(assertOk(await chain.submitBlock(templates.solve({ id, caller: '10.0.0.1' }, solution))).status).toBe(
      'connected',
    );
  });

  test('each is solved with the transactions it was made of, whatever has come and gone since', async () => {
    using at = await scene();
    const { chain, mempool, pay, output, templates } = at;
    const first = await at.submit(0, 1_000n);
    const early = await at.create();
    const second = await at.submit(1, 9_000n);
    assertOk(await mempool.submit(pay(output(first), 5_000n), null));
    const late = await at.create();
    mempool.pool.removeWithDescendants([first.txid]);
    await at.create();
    const solve = ({ id, header, target }: NamedTemplate) =>
      templates.solve({ id, caller: MINER }, solveInline(header, target));
    expect(txids(solve(early)).slice(1)).toEqual([first.txid]);
    expect(early).toMatchObject({ fees: 1_000n });
    expect(late).toMatchObject({ fees: 15_000n });
    const block = solve(late);
    expect(txids(block)).toHaveLength(4);
    expect(txids(block)).toContain(second.txid);
    expect(assertOk(await chain.submitBlock(block)).status).toBe('connected');
    // The rival of a block that came in between: other nodes may have seen it first.
    expect(assertOk(await chain.submitBlock(solve(early))).status).toBe('side');
  });

  test('those that the tip has left behind are forgotten', async () => {
    using at = await scene();
    const { chain, source, blocks, templates } = at;
    const { id, header, target } = await at.create();
    const solution = solveInline(header, target);
    const [first, second] = source.grow(present(blocks.at(-1)), 2);
    assertOk(await chain.submitBlock(present(first)));
    expect(templates.solve({ id, caller: MINER }, solution).header.height).toBe(9);
    assertOk(await chain.submitBlock(present(second)));
    expect(() => templates.solve({ id, caller: MINER }, solution)).toThrow(`template ${id}`);
  });
});

describe('waiting for a better template', () => {
  test('ends with a new tip at once, and leaves no timer', async () => {
    using at = await scene();
    const { chain, source, blocks, clock } = at;
    const isOver = at.poll(await at.create());
    expect(await isOver()).toBe(false);
    assertOk(await chain.submitBlock(source.extend(present(blocks.at(-1)))));
    expect(await isOver()).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('ends when fees grow by more than a twentieth of what the block pays, all of it together', async () => {
    using at = await scene();
    // The reward is 150,000,000: a twentieth is 7,500,000.
    const template = await at.create();
    const isOver = at.poll(template);
    await at.submit(0, 4_000_000n);
    expect(await isOver()).toBe(false);
    await at.submit(1, 3_500_000n);
    expect(await isOver()).toBe(false);
    await at.submit(2, 1_000n);
    expect(await isOver()).toBe(true);
    // And does not begin where it would end at once.
    expect(await at.poll(template)()).toBe(true);
    const isOverAgain = at.poll(await at.create());
    await at.submit(3, 1_000n);
    expect(await isOverAgain()).toBe(false);
  });

  test('ends when time is up, when the caller has gone, and when templates are', async () => {
    using at = await scene();
    const { clock, templates } = at;
    const template = await at.create();
    const abort = new AbortController();
    const [timed, aborted, closed] = [
      at.poll(template, { waitMs: 1_000 }),
      at.poll(template, { signal: abort.signal }),
      at.poll(template),
    ];
    clock.advance(999);
    expect(await timed()).toBe(false);
    clock.advance(1);
    expect(await timed()).toBe(true);
    expect(await aborted()).toBe(false);
    abort.abort();
    expect(await aborted()).toBe(true);
    expect(await at.poll(template, { signal: abort.signal })()).toBe(true);
    expect(await closed()).toBe(false);
    templates.close();
    expect(await closed()).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('does not begin for a template that is gone, is outdated, or where no time is given', async () => {
    using at = await scene();
    const { chain, source, blocks } = at;
    const template = await at.create();
    expect(await at.poll(template, { waitMs: 0 })()).toBe(true);
    expect(await at.poll({ ...template, id: '00'.repeat(8) })()).toBe(true);
    assertOk(await chain.submitBlock(source.extend(present(blocks.at(-1)))));
    expect(await at.poll(template)()).toBe(true);
  });
});

test('1,000 random pools, one after the other: each has a template that validates and is within its size', async () => {
  const { source, chain, blocks, pay, output } = await paymentScene(40);
  const mempool = await memoryMempool(chain);
  const coins: Spendable[] = blocks.map((block) => source.coinOf(block));
  const draft = new BlockDraft();
  let transactions = 0;
  for (let seed = 1; seed <= POOLS; seed++) {
    const below = seededBelow(seed);
    for (let i = below(8); i > 0; i--) {
      const at = below(coins.length);
      const outputs = 1 + below(3);
      const transaction = pay(present(coins[at]), BigInt(250 + below(20_000)), outputs);
      // Some fail: their coin is not ripe, or hangs on too long a chain. The others grow the pool.
      if (!(await mempool.submit(transaction, null)).ok) continue;
      coins.splice(at, 1);
      for (let index = 0; index < outputs; index++) {
        const coin = output(transaction, index);
        if (coin.coin.value > 100_000n && coins.length < 60) coins.push(coin);
      }
    }
    const maxBytes = 300 + below(3_000);
    const selection = selectChunks(mempool.pool.chunks(), maxBytes);
    draft.update(selection);
    expect(entriesOf(selection).reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(maxBytes);
    const template = buildTemplate({
      params: chain.params,
      parent: chain.headers.contextOf(chain.tip),
      draft,
      address: alice.address,
      now: 1_800_000_000_000,
      nonce: new Uint8Array(8),
    });
    const { header, target } = template;
    const block = sealBlock(sealHeader({ ...header, ...solveInline(header, target) }), [...template.transactions]);
    expect(assertOk(await chain.submitBlock(block)).status, `seed ${seed}`).toBe('connected');
    transactions += entriesOf(selection).length;
    if (coins.length < 60) coins.push(source.coinOf(block));
  }
  expect(transactions).toBeGreaterThan(2 * POOLS);
}, 60_000);

function txids({ transactions }: Block): string[] {
  return transactions.map(({ txid }) => txid);
}
