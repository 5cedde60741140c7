import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ROOM_LIMITS, type RoomLimits, WaitingRoom } from '../../../server/mempool/waitingRoom.js';
import { toAmount } from '../../../shared/model/amount.js';
import { idFromBytes, type TxId, type Wtxid } from '../../../shared/model/ids.js';
import { sealTransaction, type Transaction, type TransferBody } from '../../../shared/model/transaction.js';
import { present } from '../../kit/assertOk.js';
import { testKey } from '../../kit/builders.js';

const { address } = testKey(1);

function parent(number: number): TxId {
  return idFromBytes<TxId>(Uint8Array.from({ length: 32 }, (_, i) => (i < 4 ? (number >> (8 * i)) & 0xff : 7)));
}

/** A transaction that spends the first outputs of those parents, of so many bytes more than it needs. */
function orphan(parents: readonly number[], { tag = 0, memo = 0, outputs = 1 } = {}): Transaction<TransferBody> {
  const body: TransferBody = {
    ...{ kind: 'transfer', version: 1, timestamp: tag, memo: new Uint8Array(memo) },
    inputs: parents.map((number) => ({ txid: parent(number), index: 0 })),
    outputs: Array.from({ length: outputs }, () => ({ address, value: toAmount(1n) })),
  };
  return sealTransaction(body, []);
}

const missingOf = ({ body }: Transaction<TransferBody>): Set<TxId> => new Set(body.inputs.map(({ txid }) => txid));

const from = <Source>(sender: Source, transaction: Transaction<TransferBody>) => ({
  ...{ transaction, sender, depth: 0, missing: missingOf(transaction) },
});

function add<Source>(room: WaitingRoom<Source>, transaction: Transaction<TransferBody>, sender: Source): boolean {
  return room.add(from(sender, transaction), 0);
}

describe('whatever comes and goes', () => {
  const PARENTS = 6;
  const SOURCES = 4;
  const limits: RoomLimits = { ...ROOM_LIMITS, places: 12, bytes: 60_000, each: 9_000, stay: 50 };
  const all = Array.from({ length: 30 }, (_, tag) =>
    orphan(tag % 3 === 0 ? [tag % PARENTS] : [tag % PARENTS, (tag + 1) % PARENTS], {
      tag,
      outputs: 1 + (tag % 17) * 2,
    }),
  );
  const source = fc.nat(SOURCES - 1);
  const item = fc.nat(all.length - 1).map((i) => present(all[i]));
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), item, source }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('named' as const), item, source }) },
    fc.record({ kind: fc.constant('came' as const), parent: fc.nat(PARENTS - 1) }),
    fc.record({ kind: fc.constant('spent' as const), parent: fc.nat(PARENTS - 1) }),
    fc.record({ kind: fc.constant('remove' as const), item }),
    fc.record({ kind: fc.constant('dropped' as const), source }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(30) }),
  );

  function check(room: WaitingRoom<number>): void {
    const there = all.filter(({ wtxid }) => room.get(wtxid) !== undefined);
    expect(room.count).toBe(there.length);
    const places = there.reduce((sum, { wtxid }) => sum + room.sourcesOf(wtxid).length, 0);
    expect(room.load.places).toBe(places);
    expect(places).toBeLessThanOrEqual(limits.places);
    expect(room.load.bytes).toBeLessThanOrEqual(limits.bytes);
    for (let number = 0; number < PARENTS; number++) {
      const children = room.childrenOf(parent(number)).map(({ transaction }) => transaction.wtxid);
      const expected = there.filter(({ wtxid }) => room.missingOf(wtxid).includes(parent(number)));
      expect(new Set(children)).toEqual(new Set(expected.map(({ wtxid }) => wtxid)));
    }
    for (const { wtxid, txid } of there) {
      expect(room.holds(txid)).toBe(true);
      expect(room.sourcesOf(wtxid).length).toBeGreaterThan(0);
    }
  }

  test('the bounds hold, every index tells the same, and what can be resolved is', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const room = new WaitingRoom<number>(limits);
        let now = 0;
        const since = new Map<Wtxid, number>();
        for (const each of steps) {
          if (each.kind === 'add') {
            if (room.get(each.item.wtxid) === undefined) since.set(each.item.wtxid, now);
            room.add(from(each.source, each.item), now);
          } else if (each.kind === 'named') room.named(each.item.wtxid, each.source);
          else if (each.kind === 'remove') room.remove(each.item.wtxid);
          else if (each.kind === 'spent') {
            room.spent({ txid: parent(each.parent), index: 0 });
            for (const { wtxid, body } of all)
              if (body.inputs.some(({ txid }) => txid === parent(each.parent))) expect(room.get(wtxid)).toBeUndefined();
          } else if (each.kind === 'came') {
            const expected = all.filter(({ wtxid }) => String(room.missingOf(wtxid)) === parent(each.parent));
            expect(new Set(room.came(parent(each.parent)))).toEqual(new Set(expected.map(({ wtxid }) => wtxid)));
            for (const { wtxid } of expected) expect(room.missingOf(wtxid)).toEqual([]);
          } else if (each.kind === 'dropped') {
            room.dropped(each.source);
            for (const { wtxid } of all) expect(room.sourcesOf(wtxid)).not.toContain(each.source);
          } else {
            now += each.ms;
            room.expire(now);
            for (const { wtxid } of all)
              if (room.get(wtxid) !== undefined) expect(now - present(since.get(wtxid))).toBeLessThan(limits.stay);
          }
          check(room);
        }
        for (let gone = 0; gone < SOURCES; gone++) room.dropped(gone);
        expect(room.count).toBe(0);
        expect(room.load).toEqual({ places: 0, bytes: 0 });
      }),
      { numRuns: 300 },
    );
  });

  test('a peer with no more than an equal part of the room loses nothing to any flood by others', () => {
    const honest = SOURCES - 1;
    // A quarter of the places, and of the bytes.
    const few = all.slice(0, 3).map((_, tag) => orphan([100 + tag], { tag }));
    const flood = fc.record({ kind: fc.constantFrom('add', 'named'), item, source: fc.nat(honest - 1) });
    fc.assert(
      fc.property(fc.array(flood, { maxLength: 100 }), fc.array(flood, { maxLength: 100 }), (before, after) => {
        const room = new WaitingRoom<number>(limits);
        const play = (steps: typeof before): void => {
          for (const { kind, item, source } of steps) {
            if (kind === 'add') add(room, item, source);
            else room.named(item.wtxid, source);
          }
        };
        play(before);
        for (const each of few) expect(add(room, each, honest)).toBe(true);
        // That others name the same takes nothing from anybody.
        for (const { wtxid } of few) room.named(wtxid, 0);
        play(after);
        for (const { wtxid } of few) expect(room.sourcesOf(wtxid)).toContain(honest);
      }),
      { numRuns: 300 },
    );
  });
});

test('of one peer’s flood the latest stay, up to the bound', () => {
  const room = new WaitingRoom<string>({ ...ROOM_LIMITS, places: 10 });
  const flood = Array.from({ length: 1_000 }, (_, tag) => orphan([1], { tag }));
  for (const each of flood) add(room, each, 'flooder');
  expect(room.count).toBe(10);
  for (const { wtxid } of flood.slice(-10)) expect(room.get(wtxid)).toBeDefined();
});

test('what is too large for one place does not wait, however much room there is', () => {
  const room = new WaitingRoom<string>();
  expect(add(room, orphan([1], { outputs: 1_000 }), 'a')).toBe(false);
  expect(add(room, orphan(Array.from({ length: 300 }, (_, i) => i)), 'a')).toBe(false);
  expect(add(room, orphan([1], { outputs: 100 }), 'a')).toBe(true);
});

test('ancestors are sought so many steps up and no further, but from what is named itself anew', () => {
  const room = new WaitingRoom<string>({ ...ROOM_LIMITS, depth: 2 });
  const tower = Array.from({ length: 5 }, (_, tag) => orphan([tag], { tag }));
  const at = (depth: number) => {
    const transaction = present(tower[depth]);
    return { transaction, sender: 'a', depth, missing: missingOf(transaction) };
  };
  for (const depth of [0, 1, 2]) expect(room.add(at(depth), 0)).toBe(true);
  expect(room.depthOf(parent(2))).toBe(3);
  expect(room.add(at(3), 0)).toBe(false);
  room.named(present(tower[2]).wtxid, 'b');
  expect(room.depthOf(parent(2))).toBe(1);
});

test('two forms of one transaction wait side by side, and one that comes back keeps its place', () => {
  const room = new WaitingRoom<string>();
  const good = orphan([1, 2]);
  const other = sealTransaction(good.body, [new Uint8Array(65)]);
  add(room, good, 'a');
  add(room, other, 'b');
  expect(room.childrenOf(parent(1))).toHaveLength(2);
  expect(room.came(parent(1))).toEqual([]);
  expect(room.came(parent(2))).toEqual([good.wtxid, other.wtxid]);
  room.add({ transaction: good, sender: 'a', depth: 0, missing: new Set([parent(2)]) }, ROOM_LIMITS.stay - 1);
  expect(room.came(parent(2))).toEqual([good.wtxid]);
  room.expire(ROOM_LIMITS.stay);
  expect(room.count).toBe(0);
});
