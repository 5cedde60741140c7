import { describe, expect, test, vi } from 'vitest';
import type { PoolEntry } from '../../../server/mempool/pool.js';
import { conflictsOf, judgeReplacement, type Together } from '../../../server/mempool/replacement.js';
import type { Transaction, TransferBody } from '../../../shared/model/transaction.js';
import { MAX_REPLACED } from '../../../shared/policy/relay.js';
import { assertOk, assertRefused, present } from '../../kit/assertOk.js';
import { PoolMaker } from '../../support/poolMaker.js';

const judged = (maker: PoolMaker, transaction: Transaction<TransferBody>, more: { fee: number; together?: Together }) =>
  judgeReplacement({ transaction, ...more, fee: BigInt(more.fee) }, conflictsOf(transaction, maker.pool), maker.pool);

const coinOf = ({ transaction }: PoolEntry) => present(transaction.body.inputs[0]);

describe('a transaction that spends the same coin as one that waits', () => {
  test('takes its place, and that of all that hangs on it, for their fees and its own relay, and not for less', () => {
    const maker = new PoolMaker();
    const loser = maker.add({ fee: 1_000 });
    const child = maker.add({ fee: 4_000, parents: [loser.transaction] });
    const rival = maker.make({ inputs: [coinOf(loser)] });
    const needed = 5_000 + rival.raw.length;
    expect(assertRefused(judged(maker, rival, { fee: needed - 1 }))).toMatchObject({ code: 'pool-replacement-fee' });
    expect(assertOk(judged(maker, rival, { fee: needed }))).toEqual([loser, child]);
  });

  test('has to pay a better rate than it, however much more it pays by being larger', () => {
    const maker = new PoolMaker();
    const loser = maker.add({ fee: 1_000 });
    const large = maker.make({ inputs: [coinOf(loser)], outputs: 100 });
    const same = Math.floor((1_000 / loser.size) * large.raw.length);
    expect(assertRefused(judged(maker, large, { fee: same })).code).toBe('pool-replacement-rate');
    assertOk(judged(maker, large, { fee: same + 1 }));
  });

  test('has to pay it with what it stands on, too: no miner gives up a good one for one that comes with ballast', () => {
    const maker = new PoolMaker();
    const loser = maker.add({ fee: 1_000 });
    const ballast = maker.add({ fee: 1, outputs: 300 });
    const rival = maker.make({ inputs: [coinOf(loser)], parents: [ballast.transaction] });
    expect(assertRefused(judged(maker, rival, { fee: 5_000 })).code).toBe('pool-replacement-rate');
    assertOk(judged(maker, rival, { fee: 1_000 * ballast.size }));
  });

  test('pushes out no more than 100, and is refused before anybody counts what hangs on more', () => {
    const maker = new PoolMaker();
    const losers = Array.from({ length: MAX_REPLACED + 1 }, () => maker.add({ fee: 100 }));
    const all = maker.make({ inputs: losers.map(coinOf) });
    const walked = vi.spyOn(maker.pool, 'familyBelow');
    const reject = assertRefused(judged(maker, all, { fee: 1e9 }));
    expect(reject).toEqual({ code: 'pool-replacement-size', count: MAX_REPLACED + 1, limit: MAX_REPLACED });
    expect(walked).not.toHaveBeenCalled();
    const fewer = maker.make({ inputs: losers.slice(1).map(coinOf) });
    expect(assertOk(judged(maker, fewer, { fee: 1e9 }))).toHaveLength(MAX_REPLACED);
    maker.add({ parents: [present(losers[1]).transaction] });
    expect(assertRefused(judged(maker, fewer, { fee: 1e9 })).code).toBe('pool-replacement-size');
  });

  test('shares these 100 with what its package has replaced before it', () => {
    const maker = new PoolMaker();
    const loser = maker.add({ fee: 100 });
    const rival = maker.make({ inputs: [coinOf(loser)] });
    const having = (replaced: number) => judged(maker, rival, { fee: 1e6, together: { added: [], replaced } });
    assertOk(having(MAX_REPLACED - 1));
    expect(assertRefused(having(MAX_REPLACED)).code).toBe('pool-replacement-size');
  });

  test('is refused where it stands on what it would push out, or pushes out what came with it', () => {
    const maker = new PoolMaker();
    const parent = maker.add({ fee: 100 });
    const circular = maker.make({ inputs: [coinOf(parent)], parents: [parent.transaction] });
    expect(assertRefused(judged(maker, circular, { fee: 1e6 }))).toMatchObject({
      ...{ code: 'pool-conflict', spender: parent.transaction.txid },
    });
    const rival = maker.make({ inputs: [coinOf(parent)] });
    const reject = assertRefused(judged(maker, rival, { fee: 1e6, together: { added: [parent], replaced: 0 } }));
    expect(reject).toMatchObject({ code: 'pool-conflict', spender: parent.transaction.txid });
  });
});
