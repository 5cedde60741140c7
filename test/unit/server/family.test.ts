import { describe, expect, test, vi } from 'vitest';
import { checkFamily, checkParents } from '../../../server/mempool/family.js';
import type { PoolEntry } from '../../../server/mempool/pool.js';
import type { Transaction } from '../../../shared/model/transaction.js';
import { MAX_CHAIN, MAX_CHAIN_BYTES, MAX_CLUSTER } from '../../../shared/policy/relay.js';
import { assertOk, assertRefused, present } from '../../kit/assertOk.js';
import { PoolMaker, type PoolPlan } from '../../support/poolMaker.js';

const judged = (maker: PoolMaker, plan: PoolPlan, out: readonly PoolEntry[] = []) =>
  checkFamily(maker.make(plan), maker.pool, out);

function line(maker: PoolMaker, length: number, from?: Transaction): Transaction {
  let last = from;
  for (let i = 0; i < length; i++)
    last = maker.add({ parents: last === undefined ? [] : [last], outputs: 2 }).transaction;
  return present(last);
}

describe('a family', () => {
  test('may be a line of 25, and no longer one', () => {
    const maker = new PoolMaker();
    const last = line(maker, MAX_CHAIN - 1);
    assertOk(judged(maker, { parents: [last] }));
    const longer = line(maker, 1, last);
    expect(assertRefused(judged(maker, { parents: [longer] }))).toEqual({
      ...{ code: 'pool-chain-too-long', length: MAX_CHAIN + 1, limit: MAX_CHAIN },
    });
  });

  test('may have 25 that stand on one, itself counted in, whichever of its descendants the newest stands on', () => {
    const maker = new PoolMaker();
    const root = maker.add({ outputs: 40 }).transaction;
    const children = Array.from({ length: MAX_CHAIN - 2 }, () => maker.add({ parents: [root], outputs: 2 }));
    assertOk(judged(maker, { parents: [root] }));
    const last = maker.add({ parents: [root] });
    for (const parent of [root, present(children[0]).transaction])
      expect(assertRefused(judged(maker, { parents: [parent] })).code).toBe('pool-chain-too-long');
    // What leaves for it makes room for it.
    assertOk(judged(maker, { parents: [root] }, [last]));
  });

  test('may have so many bytes, and not one more', () => {
    const maker = new PoolMaker();
    const root = maker.add({ outputs: 2_000 }).transaction;
    const child = maker.add({ parents: [root], outputs: 1_000 }).transaction;
    const taken = root.raw.length + child.raw.length;
    const room = (outputs: number): number => taken + maker.make({ parents: [root], outputs }).raw.length;
    let outputs = 1;
    while (room(outputs + 1) <= MAX_CHAIN_BYTES) outputs += 1;
    assertOk(judged(maker, { parents: [child], outputs }));
    expect(assertRefused(judged(maker, { parents: [child], outputs: outputs + 1 })).code).toBe('pool-chain-too-large');
    // By way of the root's descendants, too.
    expect(assertRefused(judged(maker, { parents: [root], outputs: outputs + 1 })).code).toBe('pool-chain-too-large');
  });

  test('may be a web of 100 by whatever ways, those aside that leave for the newest', () => {
    const maker = new PoolMaker();
    const roots = Array.from({ length: MAX_CLUSTER / 2 }, () => maker.add({ outputs: 3 }).transaction);
    // Each joins two roots that stand next to each other.
    const joints = roots.slice(1).map((root, i) => maker.add({ parents: [present(roots[i]), root] }));
    const [first] = roots;
    assertOk(judged(maker, { parents: [present(first)] }));
    const last = maker.add({ parents: [present(first)] });
    expect(maker.pool.clusterSize([present(first).txid], new Set())).toBe(MAX_CLUSTER);
    expect(assertRefused(judged(maker, { parents: [present(roots.at(-1))] }))).toEqual({
      ...{ code: 'pool-chain-too-long', length: MAX_CLUSTER + 1, limit: MAX_CLUSTER },
    });
    assertOk(judged(maker, { parents: [present(first)] }, [last]));
    expect(joints).toHaveLength(MAX_CLUSTER / 2 - 1);
  });

  test('is not walked along where more wait of what a transaction spends from than may hang together', () => {
    const maker = new PoolMaker();
    const parents = Array.from({ length: MAX_CHAIN }, () => line(maker, 3));
    const walked = vi.spyOn(maker.pool, 'withAncestors');
    assertOk(checkParents(maker.make({ parents: parents.slice(1) }), maker.pool));
    const reject = assertRefused(checkParents(maker.make({ parents }), maker.pool));
    expect(reject).toEqual({ code: 'pool-chain-too-long', length: MAX_CHAIN + 1, limit: MAX_CHAIN });
    expect(walked).not.toHaveBeenCalled();
  });
});
