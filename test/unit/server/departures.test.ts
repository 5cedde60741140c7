import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Departures } from '../../../server/mempool/departures.js';
import type { MempoolEvents } from '../../../server/mempool/events.js';
import type { Kv } from '../../../server/store/kv.js';
import { memoryKv } from '../../../server/store/memoryKv.js';
import { poolLayout } from '../../../server/store/poolLayout.js';
import { put, scan } from '../../../server/store/space.js';
import { genesisBlock } from '../../../shared/consensus/genesis.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import { Emitter } from '../../../shared/emitter.js';
import { TrestleError } from '../../../shared/errors.js';
import { toAmount } from '../../../shared/model/amount.js';
import { parseId, type TxId } from '../../../shared/model/ids.js';
import type { Transaction, TransferBody } from '../../../shared/model/transaction.js';
import type { ReasonCode } from '../../../shared/reasons.js';
import { present } from '../../kit/assertOk.js';
import { testKey, transfer } from '../../kit/builders.js';
import { silentLog } from '../../kit/sim/silentLog.js';
import { stillClock } from '../../support/memoryChain.js';

const genesis = genesisBlock(NETWORKS.dev).header.hash;
const alice = testKey(1);
const { address } = alice;

/** Transfers that differ. */
const transfers: readonly Transaction<TransferBody>[] = Array.from({ length: 12 }, (_, i) =>
  transfer({
    genesis,
    spend: [
      {
        outpoint: { txid: present(parseId<TxId>(i.toString(16).repeat(64))), index: 0 },
        coin: { address, value: toAmount(5n) },
        key: alice,
      },
    ],
    outputs: [{ address, value: 1n }],
  }),
);

function open(kv: Kv, max?: number) {
  const events = new Emitter<MempoolEvents>();
  const clock = stillClock();
  const departures = new Departures({ kv, events, clock, log: silentLog, max });
  return {
    departures,
    clock,
    drop(transaction: Transaction, code: ReasonCode = 'pool-full', by?: TxId) {
      events.emit('dropped', { transaction, spent: [], code, by });
    },
    accept(transaction: Transaction<TransferBody>) {
      const entry = {
        transaction,
        fee: 1n,
        size: 1,
        rate: 1,
        usage: 1,
        firstSeen: 0,
        spent: [],
        parents: new Set<TxId>(),
        arrival: 0,
      };
      events.emit('accepted', { entry, source: null });
    },
  };
}

const [first, second, third] = [0, 1, 2].map((i) => present(transfers[i]));

test('why a transaction left is known at once, and after a restart', async () => {
  const kv = memoryKv();
  const { departures, drop, clock } = open(kv);
  const [one, two, three] = [present(first), present(second), present(third)];
  drop(one, 'pool-conflict', two.txid);
  const told = { at: clock.now(), code: 'pool-conflict', by: two.txid };
  expect(departures.get(one.txid)).toEqual(told);
  clock.set(clock.now() + 5);
  drop(two, 'tx-input-missing');
  await departures.close();
  const again = open(kv).departures;
  expect(again.get(one.txid)).toEqual(told);
  expect(again.get(two.txid)).toEqual({ at: told.at + 5, code: 'tx-input-missing', by: null });
  expect(again.get(three.txid)).toBeUndefined();
});

test('what is taken in again has not left', async () => {
  const kv = memoryKv();
  const { departures, drop, accept } = open(kv);
  const one = present(first);
  drop(one);
  accept(one);
  expect(departures.get(one.txid)).toBeUndefined();
  await departures.close();
  expect(scan(kv, poolLayout.departure, { limit: 10 })).toEqual([]);
  const later = open(kv);
  later.drop(one);
  await later.departures.close();
  const last = open(kv);
  last.accept(one);
  expect(last.departures.get(one.txid)).toBeUndefined();
  await last.departures.close();
  expect(open(kv).departures.get(one.txid)).toBeUndefined();
});

test('the latest so many are remembered and no more, on disk either, through restarts: as a list that is cut would', async () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('drop' as const), which: fc.nat(11) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('accept' as const), which: fc.nat(11) }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'restart' as const, which: 0 }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 6 }), async (steps, max) => {
      const kv = memoryKv();
      let node = open(kv, max);
      // Every departure takes a number, whether it is forgotten later or not: the window is over numbers.
      let number = 0;
      const model = new Map<TxId, number>();
      for (const { kind, which } of steps) {
        const transaction = present(transfers[which]);
        const { txid } = transaction;
        if (kind === 'drop') {
          node.drop(transaction);
          model.set(txid, number++);
        } else if (kind === 'accept') {
          node.accept(transaction);
          model.delete(txid);
        }
        // Saved one by one, so that each has a number of its own.
        await node.departures.close();
        node = open(kv, max);
        for (const [each, its] of model) if (its < number - max) model.delete(each);
        const kept = [...model.keys()];
        for (const each of transfers)
          expect(node.departures.get(each.txid) !== undefined).toBe(kept.includes(each.txid));
        expect(scan(kv, poolLayout.departure, { limit: 100 })).toHaveLength(kept.length);
        expect(scan(kv, poolLayout.departureOrder, { limit: 100 })).toHaveLength(kept.length);
        // A number that was given to what is forgotten is not known any more once it was the last.
        const [last] = scan(kv, poolLayout.departureOrder, { reverse: true, limit: 1 });
        number = last === undefined ? 0 : last.key + 1;
      }
    }),
    { numRuns: 100 },
  );
});

test('who is taken in without having left before is not written down', async () => {
  const kv = memoryKv();
  let commits = 0;
  const { departures, accept } = open({
    ...kv,
    commit(batch) {
      commits += 1;
      return kv.commit(batch);
    },
  });
  for (const each of transfers) accept(each);
  await departures.close();
  expect(commits).toBe(0);
});

test('a flood of departures is saved in turns, and the oldest of them go', async () => {
  const kv = memoryKv();
  let largest = 0;
  const counting = {
    ...kv,
    commit: (batch: Parameters<Kv['commit']>[0]) => {
      largest = Math.max(largest, batch.length);
      return kv.commit(batch);
    },
  };
  const { departures, drop } = open(counting, 1_000);
  const flood = Array.from({ length: 3_000 }, (_, i) => ({
    ...present(first),
    txid: present(parseId<TxId>(i.toString(16).padStart(64, '0'))),
  }));
  for (const each of flood) drop(each);
  await departures.close();
  expect(largest).toBeLessThanOrEqual(4_000);
  expect(scan(kv, poolLayout.departure, { limit: 5_000 })).toHaveLength(1_000);
  expect(departures.get(present(flood.at(-1)).txid)).toBeDefined();
  expect(departures.get(present(flood[0]).txid)).toBeUndefined();
});

test('while the disk is full they are remembered in memory, and saved once there is room', async () => {
  const kv = memoryKv();
  let isFull = true;
  let attempts = 0;
  const full: Kv = {
    ...kv,
    commit(batch) {
      attempts += 1;
      return isFull ? Promise.reject(new TrestleError({ code: 'store-full', directory: 'x' })) : kv.commit(batch);
    },
  };
  const { departures, drop } = open(full);
  const [one, two] = [present(first), present(second)];
  drop(one);
  await expect.poll(() => attempts).toBe(1);
  expect(departures.get(one.txid)).toBeDefined();
  expect(open(kv).departures.get(one.txid)).toBeUndefined();
  isFull = false;
  drop(two);
  await expect
    .poll(() => [one, two].map(({ txid }) => open(kv).departures.get(txid) !== undefined))
    .toEqual([true, true]);
});

test('a code of another version of this program is no answer', async () => {
  const kv = memoryKv();
  const { txid } = present(first);
  await kv.commit([put(poolLayout.departure, txid, { number: 0, at: 1, code: 'pool-unheard-of', by: null })]);
  expect(open(kv).departures.get(txid)).toBeUndefined();
});
