import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { Chainstate } from '../../../server/chain/chainstate.js';
import { followBlocks } from '../../../server/events/followBlocks.js';
import { followTransactions, type Watched } from '../../../server/events/followTransactions.js';
import {
  MAX_SUBSCRIPTIONS,
  MAX_SUBSCRIPTIONS_PER_ADDRESS,
  Subscriptions,
} from '../../../server/events/subscriptions.js';
import type { Mempool } from '../../../server/mempool/mempool.js';
import type { Block } from '../../../shared/model/block.js';
import type { BlockHash } from '../../../shared/model/ids.js';
import type { Transaction } from '../../../shared/model/transaction.js';
import {
  type BlockChange,
  type TransactionChange,
  type TransactionCursor,
  transactionChangesInput,
} from '../../../shared/rpc/events.js';
import { assertOk, present } from '../../kit/assertOk.js';
import { type Spendable, testKey, transfer } from '../../kit/builders.js';
import { TestChain } from '../../kit/testChain.js';
import { memoryChain, stillClock } from '../../support/memoryChain.js';
import { memoryMempool } from '../../support/memoryMempool.js';

const [alice, bob] = [testKey(1), testKey(2)];
const UNKNOWN = 'ab'.repeat(32) as BlockHash;

/** What a test has opened and not closed. */
const open: { close(): Promise<void> }[] = [];

/** Reads a stream as far as it has something to say. */
class Reader<Event> {
  readonly #controller = new AbortController();
  readonly #events: AsyncIterator<Event>;
  #pending: Promise<IteratorResult<Event>> | undefined;

  constructor(follow: (signal: AbortSignal) => AsyncGenerator<Event>) {
    this.#events = follow(this.#controller.signal);
    open.push(this);
  }

  /** The next events, as many as there are and at most so many. */
  async take(most = Number.POSITIVE_INFINITY): Promise<Event[]> {
    const taken: Event[] = [];
    while (taken.length < most) {
      this.#pending ??= this.#events.next();
      // Nothing in these streams waits for anything but the chain, so a turn of the event loop is enough.
      const quiet = new Promise<undefined>((resolve) => setImmediate(() => setImmediate(resolve, undefined)));
      const next = await Promise.race([this.#pending, quiet]);
      if (next === undefined) return taken;
      this.#pending = undefined;
      if (next.done) throw new Error('the stream has ended');
      taken.push(next.value);
    }
    return taken;
  }

  /** Goes away. The stream must end without a word. */
  async close(): Promise<void> {
    this.#controller.abort();
    const last = await (this.#pending ?? this.#events.next());
    if (this.#pending === undefined) expect(last.done).toBe(true);
  }
}

afterEach(async () => {
  for (const reader of open.splice(0)) await reader.close();
});

interface Scene {
  readonly source: TestChain;
  readonly chain: Chainstate;
  readonly mempool: Mempool;
  readonly trunk: readonly Block[];
  readonly blocks: readonly Block[];
  pay(spend: Spendable, value?: bigint): Transaction;
}

/** Six blocks of coins, then a tree of branches in which blocks hold none to three transfers. */
async function scene(): Promise<Scene> {
  const source = new TestChain();
  const genesis = source.genesis.header.hash;
  const pay = (spend: Spendable, value = 1_000n): Transaction =>
    transfer({
      genesis,
      spend: [spend],
      outputs: [
        { address: bob.address, value },
        { address: alice.address, value: spend.coin.value - value - 10_000n },
      ],
    });
  const base = source.grow(source.genesis, 6);
  const coin = (i: number): Spendable => source.coinOf(present(base[i]));
  const branch = (parent: Block, plan: readonly (readonly number[])[]): Block[] => {
    const made: Block[] = [];
    for (const coins of plan)
      made.push(
        source.extend(made.at(-1) ?? parent, {
          transactions: coins.map((i) => pay(coin(i), BigInt(1_000 + made.length))),
        }),
      );
    return made;
  };
  const tip = present(base.at(-1));
  const main = branch(tip, [[0, 1], [], [2, 3, 4]]);
  const branches = [
    ...main,
    ...branch(tip, [[1], [0, 2], [], [3]]),
    ...branch(present(main[0]), [[3], [2]]),
    ...branch(present(base[4]), [[0], [], [1]]),
  ];
  const chain = await memoryChain();
  for (const block of base) assertOk(await chain.submitBlock(block));
  const mempool = await memoryMempool(chain);
  return { source, chain, mempool, trunk: base, blocks: branches, pay };
}

const recordOf = (chain: Chainstate, { header }: Block) => chain.headers.require(header.hash);

const blocksAfter = (chain: Chainstate, after?: BlockHash) =>
  new Reader<BlockChange>((signal) => followBlocks(chain, { after, signal }));

const parseCursor = (cursor: string): TransactionCursor =>
  present(transactionChangesInput.parse({ after: cursor }).after);

const transactionsAfter = ({ chain, mempool }: Scene, after?: string, watched: Watched = {}) =>
  new Reader<TransactionChange>((signal) => {
    const cursor = after === undefined ? undefined : parseCursor(after);
    return followTransactions({ chain, mempool, clock: stillClock() }, { ...watched, after: cursor, signal });
  });

/** What happens to the chain, and how a follower reads meanwhile. */
const steps = (blocks: number) =>
  fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('submit' as const), index: fc.nat(blocks - 1) }),
      fc.record({ kind: fc.constant('aside' as const), index: fc.nat(blocks - 1) }),
      fc.record({ kind: fc.constant('back' as const), index: fc.nat(blocks - 1) }),
      fc.record({ kind: fc.constant('read' as const), index: fc.nat(5) }),
      fc.record({ kind: fc.constant('reconnect' as const), index: fc.constant(0) }),
    ),
    { minLength: 5, maxLength: 30 },
  );

/** Does to a chain what a step says; what cannot be done now is left. */
async function act(chain: Chainstate, block: Block, kind: 'submit' | 'aside' | 'back'): Promise<void> {
  if (kind === 'submit') await chain.submitBlock(block);
  else if (chain.headers.get(block.header.hash) === undefined) return;
  else if (kind === 'aside') await chain.setAside(recordOf(chain, block));
  else await chain.reconsider(recordOf(chain, block));
}

describe('changes of the active chain', () => {
  test('begin with where the chain stands', async () => {
    const { chain, trunk } = await scene();
    const { hash, previous } = present(trunk.at(-1)).header;
    expect(await blocksAfter(chain).take()).toEqual([{ kind: 'reset', height: 6, hash, previous, cursor: hash }]);
  });

  test('of a block nobody knows, or that never was on the chain, are a fresh start', async () => {
    const { source, chain, trunk } = await scene();
    const rival = source.extend(present(trunk[2]));
    assertOk(await chain.submitBlock(rival));
    for (const after of [UNKNOWN, rival.header.hash])
      expect(await blocksAfter(chain, after).take()).toMatchObject([{ kind: 'reset', height: 6 }]);
  });

  test('tell a switch of branches as it was: what left, newest first, then what came', async () => {
    const { source, chain, trunk } = await scene();
    const reader = blocksAfter(chain, present(trunk[5]).header.hash);
    const rivals = source.grow(present(trunk[3]), 3);
    for (const block of rivals) assertOk(await chain.submitBlock(block));
    const told = await reader.take();
    expect(told.map(({ kind, height }) => `${kind} ${height}`)).toEqual([
      'disconnected 6',
      'disconnected 5',
      'connected 5',
      'connected 6',
      'connected 7',
    ]);
    expect(told.map(({ cursor }) => cursor)).toEqual([
      present(trunk[4]).header.hash,
      present(trunk[3]).header.hash,
      ...rivals.map(({ header }) => header.hash),
    ]);
  });

  test('whoever comes and goes hears each of them once, and always ends on the active chain', async () => {
    const { blocks: all } = await scene();
    await fc.assert(
      fc.asyncProperty(steps(all.length), async (script) => {
        const { chain, trunk, blocks } = await scene();
        const known = trunk.map(({ header }) => header.hash);
        let reader = blocksAfter(chain, known.at(-1));
        const read = async (most?: number): Promise<void> => {
          for (const { kind, hash, previous, cursor } of await reader.take(most)) {
            // Each change must fit what is known already: heard twice or left out, it would not.
            if (kind === 'disconnected') expect(known.pop()).toBe(hash);
            else {
              expect(kind).toBe('connected');
              expect(known.at(-1)).toBe(previous);
              known.push(hash);
            }
            expect(cursor).toBe(known.at(-1) ?? chain.genesis.header.hash);
          }
        };
        for (const { kind, index } of script) {
          if (kind === 'read') await read(index);
          else if (kind === 'reconnect') {
            await reader.close();
            reader = blocksAfter(chain, known.at(-1) ?? chain.genesis.header.hash);
          } else await act(chain, present(blocks[index]), kind);
        }
        await read();
        const active = Array.from({ length: chain.tip.header.height }, (_, i) => chain.store.hashAt(i + 1));
        expect(known).toEqual(active);
      }),
      { numRuns: 40 },
    );
  });
});

describe('changes of transactions', () => {
  test('tell of a payment as it waits, is confirmed, loses its block, waits again and is confirmed again', async () => {
    const set = await scene();
    const { source, chain, mempool, trunk } = set;
    const reader = transactionsAfter(set, undefined, { addresses: [bob.address] });
    const told = await reader.take();
    const payment = set.pay(source.coinOf(present(trunk[0])));
    assertOk(await mempool.submit(payment, null));
    told.push(...(await reader.take()));
    const tip = present(trunk[5]);
    const first = source.extend(tip, { transactions: [payment] });
    assertOk(await chain.submitBlock(first));
    told.push(...(await reader.take()));
    const rivals = source.grow(tip, 2);
    for (const block of rivals) assertOk(await chain.submitBlock(block));
    told.push(...(await reader.take()));
    assertOk(await chain.submitBlock(source.extend(present(rivals[1]), { transactions: [payment] })));
    told.push(...(await reader.take()));
    expect(told.map((change) => `${change.kind} ${'hash' in change ? change.height : ''}`.trim())).toEqual([
      'reset 6',
      'waiting',
      'confirmed 7',
      'unconfirmed 7',
      'waiting',
      'confirmed 9',
    ]);
    expect(told[2]).toMatchObject({ txid: payment.txid, hash: first.header.hash, position: 1 });
  });

  test('tell the payer, too, and why a payment was dropped; and nobody of what is not his', async () => {
    const set = await scene();
    const { source, chain, mempool, trunk } = set;
    const carol = testKey(3);
    const [toBob, other] = [set.pay(source.coinOf(present(trunk[0]))), set.pay(source.coinOf(present(trunk[1])))];
    const readers = [
      transactionsAfter(set, undefined, { addresses: [alice.address] }),
      transactionsAfter(set, undefined, { txids: [toBob.txid] }),
      transactionsAfter(set, undefined, { addresses: [carol.address] }),
    ];
    for (const reader of readers) await reader.take();
    for (const each of [toBob, other]) assertOk(await mempool.submit(each, null));
    const told = await Promise.all(readers.map((reader) => reader.take()));
    const winner = set.pay(source.coinOf(present(trunk[0])), 5_000n);
    const block = source.extend(present(trunk[5]), { miner: carol, transactions: [winner] });
    assertOk(await chain.submitBlock(block));
    for (const [i, reader] of readers.entries()) told[i]?.push(...(await reader.take()));
    const [coinbase] = block.transactions;
    expect(
      told.map((changes) => changes.map((change) => [change.kind, 'txid' in change ? change.txid : null])),
    ).toEqual([
      [
        ['waiting', toBob.txid],
        ['waiting', other.txid],
        ['confirmed', winner.txid],
        ['dropped', toBob.txid],
      ],
      [
        ['waiting', toBob.txid],
        ['dropped', toBob.txid],
      ],
      [['confirmed', present(coinbase).txid]],
    ]);
    expect(told[1]?.[1]).toMatchObject({ code: 'tx-input-missing' });
  });

  test('lost by a reader that does not keep up are told as a fresh start, and memory stays bounded', async () => {
    const set = await scene();
    const reader = transactionsAfter(set);
    await reader.take();
    const entry = assertOk(await set.mempool.submit(set.pay(set.source.coinOf(present(set.trunk[0]))), null));
    for (let i = 0; i < 3_000; i++) set.mempool.events.emit('accepted', { entry, source: null });
    const told = await reader.take();
    expect(told[0]).toMatchObject({ kind: 'reset' });
    expect(told.length).toBeLessThan(1_500);
  });

  test('whoever comes and goes, amid a block even, hears each confirmation and its loss once', async () => {
    const { blocks: all } = await scene();
    await fc.assert(
      fc.asyncProperty(steps(all.length), fc.boolean(), async (script, isPicky) => {
        const set = await scene();
        const { chain, blocks, trunk } = set;
        const watched = isPicky ? { addresses: [bob.address] } : {};
        const isWatched = ({ body }: Transaction): boolean =>
          !isPicky || body.outputs.some(({ address }) => address === bob.address);
        const known: string[] = trunk.flatMap(({ transactions }) =>
          transactions.filter(isWatched).map(({ txid }) => txid),
        );
        let cursor = `${present(trunk.at(-1)).header.hash}:1`;
        let reader = transactionsAfter(set, cursor, watched);
        const read = async (most?: number): Promise<void> => {
          for (const change of await reader.take(most)) {
            cursor = change.cursor;
            if (change.kind === 'confirmed') known.push(change.txid);
            else if (change.kind === 'unconfirmed') expect(known.pop()).toBe(change.txid);
            else expect(['waiting', 'dropped']).toContain(change.kind);
          }
        };
        for (const { kind, index } of script) {
          if (kind === 'read') await read(index);
          else if (kind === 'reconnect') {
            await reader.close();
            reader = transactionsAfter(set, cursor, watched);
          } else await act(chain, present(blocks[index]), kind);
        }
        await read();
        const active: string[] = [];
        for (let height = 1; height <= chain.tip.header.height; height++)
          for (const transaction of chain.store.block(present(chain.store.hashAt(height))).transactions)
            if (isWatched(transaction)) active.push(transaction.txid);
        expect(known).toEqual(active);
      }),
      { numRuns: 40 },
    );
  });

  test('from a cursor that is none of this chain are a fresh start', async () => {
    const set = await scene();
    const last = present(set.trunk.at(-1)).header.hash;
    for (const cursor of [`${UNKNOWN}:0`, `${last}:2`])
      expect(await transactionsAfter(set, cursor).take()).toMatchObject([{ kind: 'reset', cursor: `${last}:1` }]);
  });
});

describe('subscriptions', () => {
  test('are counted while they stand, and refused as busy where one address or all have too many', async () => {
    const subscriptions = new Subscriptions();
    const stream = async function* () {
      yield 1;
      yield 2;
    };
    const open = (remoteAddress: string, signal?: AbortSignal) =>
      subscriptions.open({ remoteAddress, signal }, stream());
    const isBusy = (remoteAddress: string): void =>
      expect(() => open(remoteAddress)).toThrow(expect.objectContaining({ code: 'busy' }));
    const controller = new AbortController();
    open('a', controller.signal);
    const own = Array.from({ length: MAX_SUBSCRIPTIONS_PER_ADDRESS - 1 }, () => open('a'));
    isBusy('a');
    // One is read to its end, and the caller of one goes away without having read a word.
    for await (const _ of present(own.pop()));
    own.push(open('a'));
    isBusy('a');
    controller.abort();
    own.push(open('a'));
    isBusy('a');
    for (let i = own.length; i < MAX_SUBSCRIPTIONS; i++) open(`b${i}`);
    isBusy('c');
  });
});
