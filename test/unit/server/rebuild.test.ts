import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlockPlan, MAX_OFFERS, type Step } from '../../../server/relay/blockPlan.js';
import { Rebuild } from '../../../server/relay/rebuild.js';
import { MAX_RECENT, RecentBlocks } from '../../../server/relay/recentBlocks.js';
import { parseBase64, toBase64 } from '../../../shared/bytes/base64.js';
import { type CompactBlock, compactBlockOf, decodeCompactBlock } from '../../../shared/model/compactBlock.js';
import type { Transaction } from '../../../shared/model/transaction.js';
import { present } from '../../kit/assertOk.js';
import { testKey, transfer } from '../../kit/builders.js';
import { TestChain } from '../../kit/testChain.js';

const PAYMENTS = 8;
const chain = new TestChain();
const genesis = chain.genesis.header.hash;
const [coins, last] = [chain.grow(chain.genesis, PAYMENTS), chain.grow(chain.genesis, 1)[0]];
const payments = coins.map((from) => {
  const outputs = [{ address: testKey(2).address, value: 1_000n }];
  return transfer({ genesis, spend: [chain.coinOf(from)], outputs });
});
const block = chain.extend(present(last), { transactions: payments });
const compact = present(compactBlockOf(block));
const texts = (transactions: readonly Transaction[]): string[] => transactions.map(({ raw }) => toBase64(raw));

describe('putting a block together', () => {
  test('asks for what does not wait here and nothing else, and comes to the very bytes of the block', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(PAYMENTS - 1)), fc.array(fc.nat(PAYMENTS - 1)), (here, order) => {
        const waiting = new Set([...order.filter((i) => here.includes(i)), ...here].map((i) => present(payments[i])));
        const rebuild = new Rebuild(compact, waiting);
        const lacking = block.transactions.flatMap((transaction, position) =>
          position > 0 && !waiting.has(present(payments[position - 1])) ? [{ transaction, position }] : [],
        );
        expect(rebuild.missing).toEqual(lacking.map(({ position }) => position));
        expect(rebuild.fill(texts(lacking.map(({ transaction }) => transaction)))).toBe(true);
        expect(rebuild.block().raw).toEqual(block.raw);
      }),
    );
  });

  test('takes nothing of an answer that is short, long, out of order, something else or no transaction', () => {
    const rebuild = new Rebuild(compact, payments.slice(2));
    const [a, b] = texts(payments.slice(0, 2));
    const [other] = texts(payments.slice(2, 3));
    for (const wrong of [[], [a], [a, b, other], [b, a], [a, other], [a, 'AA=='], [a, 'no base64']]) {
      expect(rebuild.fill(wrong.map(present))).toBe(false);
      expect(rebuild.missing).toEqual([1, 2]);
    }
    expect(() => rebuild.block()).toThrow('misses something');
    expect(rebuild.fill([present(a), present(b)])).toBe(true);
    expect(rebuild.block().raw).toEqual(block.raw);
  });

  test('counts as missing what two waiting transactions fit, or what the block names twice', () => {
    const [first] = payments;
    // Two that have one short id, as far as can be told from here.
    expect(new Rebuild(compact, [...payments, present(first)]).missing).toEqual([1]);
    const [id] = compact.ids;
    const twice: CompactBlock = { ...compact, ids: [present(id), present(id), ...compact.ids.slice(2)] };
    expect(new Rebuild(twice, payments).missing).toEqual([1, 2]);
  });

  test('goes through no mempool for a block that holds nothing but its coinbase', () => {
    const empty = present(compactBlockOf(chain.extend(present(last))));
    const never: Iterable<Transaction> = {
      [Symbol.iterator]: () => {
        throw new Error('nobody asked');
      },
    };
    expect(new Rebuild(empty, never).missing).toEqual([]);
  });
});

describe('the plan for one block', () => {
  const steps = (plan: BlockPlan<string>, spoils: (step: Step<string>) => boolean): string[] => {
    const taken: string[] = [];
    for (let step = plan.next(); step !== undefined; step = plan.next()) {
      taken.push(`${step.kind} ${step.source}${step.kind === 'whole' && step.isVouched ? ', vouched' : ''}`);
      if (spoils(step)) plan.spoiled();
    }
    return taken;
  };

  test('asks one peer after the other in the order of their announcements, the short form first', () => {
    const plan = new BlockPlan({ source: 'a', compact });
    plan.announced({ source: 'b', compact: undefined });
    plan.announced({ source: 'c', compact });
    expect(steps(plan, () => false)).toEqual(['rebuild a', 'whole b, vouched', 'rebuild c']);
  });

  test('holds those answerable for the contents that announced the block by its header alone', () => {
    const plan = new BlockPlan({ source: 'a', compact });
    plan.announced({ source: 'b', compact: undefined });
    plan.announced({ source: 'c', compact });
    expect([[...plan.sources], [...plan.vouchers]]).toEqual([['a', 'b', 'c'], ['b']]);
  });

  test('asks for the whole block where the short form led nowhere, of the same peer, who vouches for nothing', () => {
    const plan = new BlockPlan({ source: 'a', compact });
    plan.announced({ source: 'b', compact });
    expect(steps(plan, () => true)).toEqual(['rebuild a', 'whole a', 'rebuild b', 'whole b']);
  });

  test('comes to an end whatever is announced, spoiled and dropped, and asks each peer each way once at most', () => {
    const event = fc.record({
      kind: fc.constantFrom('announced', 'spoiled', 'dropped', 'next'),
      source: fc.nat(12).map(String),
      isCompact: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        const plan = new BlockPlan({ source: 'first', compact });
        const taken: string[] = [];
        const take = (): boolean => {
          const step = plan.next();
          if (step !== undefined) taken.push(`${step.kind} ${step.source}`);
          return step !== undefined;
        };
        for (const { kind, source, isCompact } of events) {
          if (kind === 'announced') plan.announced({ source, compact: isCompact ? compact : undefined });
          else if (kind === 'spoiled') plan.spoiled();
          else if (kind === 'dropped') plan.dropped(source);
          else take();
        }
        while (take());
        expect(new Set(taken).size).toBe(taken.length);
        expect([...plan.sources].length).toBeLessThanOrEqual(MAX_OFFERS);
      }),
    );
  });
});

test('the last few blocks are kept for those who ask, with the short form that peers are told', () => {
  const recent = new RecentBlocks();
  const blocks = chain.grow(block, MAX_RECENT + 2);
  for (const each of blocks) recent.add(each);
  expect(blocks.map(({ header }) => recent.get(header.hash) !== undefined)).toEqual([
    ...[false, false],
    ...Array(MAX_RECENT).fill(true),
  ]);
  for (const each of [block, ...blocks]) {
    const decoded = decodeCompactBlock(present(parseBase64(present(recent.compactOf(each)))));
    expect(decoded).toMatchObject({ ok: true, value: { header: { hash: each.header.hash } } });
  }
});
