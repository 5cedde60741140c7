import { describe, expect, test } from 'vitest';
import { layout } from '../../../server/store/layout.js';
import { put } from '../../../server/store/space.js';
import { present } from '../../kit/assertOk.js';
import { coinbase, testKey } from '../../kit/builders.js';
import { InvariantBroken } from '../../kit/sim/invariants/invariantBroken.js';
import { Reference } from '../../kit/sim/invariants/reference.js';
import type { SimNode } from '../../kit/sim/simNode.js';
import { simulate } from '../../kit/sim/simulate.js';
import type { Simulation } from '../../kit/sim/simulation.js';
import { TestChain } from '../../kit/testChain.js';

const chainOf = (node: SimNode) => present(node.running).chain;
const hashOf = (node: SimNode) => present(node.tip).header.hash;

describe('the invariants', () => {
  /** Which invariant a network finds broken while this runs. */
  const broken = async (net: Simulation, run: Promise<unknown>): Promise<string | undefined> => {
    await run.catch(() => {});
    return net.broken instanceof InvariantBroken ? net.broken.invariant : undefined;
  };

  /** A node with some blocks and a payment that waits. */
  async function scene(): Promise<Simulation> {
    const net = await simulate({ nodes: 2, seed: 6 });
    await net.mine(0, 4);
    await net.send(0, 1, 1_000n);
    await net.settle();
    return net;
  }

  test('hold of a network that is left alone', async () => {
    await using net = await scene();
    net.invariants.lookClosely();
  });

  test('miss a coin that a store has lost', async () => {
    await using net = await scene();
    const { kv } = chainOf(net.node(0)).store;
    const [coin] = Array.from(
      kv.range({ gte: Uint8Array.of(layout.coin.prefix), lt: Uint8Array.of(layout.coin.prefix + 1) }),
    );
    await net.scheduler.during(kv.commit([{ kind: 'remove', key: present(coin)[0] }]));
    expect(() => net.invariants.lookClosely()).toThrow('indexes: n0: coins: row');
  });

  test('miss sums that are not those of the chain', async () => {
    await using net = await scene();
    Object.defineProperty(chainOf(net.node(0)), 'totals', { value: { supply: 1n, transactions: 1, addresses: 1 } });
    expect(await broken(net, net.mine(0, 1))).toBe('sums');
  });

  test('see work fall, also over a restart', async () => {
    await using net = await scene();
    await net.stop(1);
    net.snapshot('before');
    await net.restart(1);
    const old = net.node(1).disk.image();
    await net.mine(0, 2);
    await net.settle();
    await net.crash(1);
    net.node(1).disk.restore(old);
    net.partition([0], [1]);
    expect(await broken(net, net.restart(1))).toBe('work-never-falls');
  });

  test('let the operator take work away', async () => {
    await using net = await scene();
    net.partition([0], [1]);
    const [hash] = await net.mine(0, 1);
    await net.node(0).client.block.invalidate.mutate({ block: present(hash) });
    expect(net.node(0).tip?.header.height).toBe(4);
  });

  test('see a waiting payment that no block could hold', async () => {
    await using net = await scene();
    const { mempool } = present(net.node(0).running);
    const [entry] = mempool.pool.entries();
    const { transaction, ...rest } = present(entry);
    const inputs = transaction.body.inputs.map((input) => ({ ...input, index: 9 }));
    mempool.pool.add({
      ...rest,
      transaction: { ...transaction, txid: hashOf(net.node(0)) as never, body: { ...transaction.body, inputs } },
    });
    expect(await broken(net, net.advance(10_000))).toBe('mempool');
  });

  test('see a block that was taken before its time', async () => {
    await using net = await scene();
    net.node(0).clockError.aheadMs = 600_000;
    net.node(1).clockError.aheadMs = 600_000;
    await net.mine(0, 1);
    await net.settle();
    await net.stop(1);
    net.node(0).clockError.aheadMs = 0;
    net.node(1).clockError.aheadMs = 0;
    // Nothing is known of how far ahead this clock was: then the block came too early.
    net.invariants.forget(net.node(1));
    expect(await broken(net, net.restart(1))).toBe('clock');
  });

  test('see a body that has changed on the disk', async () => {
    await using net = await scene();
    const { kv, rawBlock } = {
      kv: chainOf(net.node(0)).store.kv,
      rawBlock: chainOf(net.node(0)).store.rawBlock(hashOf(net.node(0))),
    };
    const raw = present(rawBlock);
    raw[85] = present(raw[85]) ^ 1;
    await net.scheduler.during(kv.commit([put(layout.block, hashOf(net.node(0)), raw)]));
    expect(() => net.invariants.lookClosely()).toThrow('indexes: n0: bodies');
  });

  test('judge every block by the plain rules, and whatever stands on a bad one with it', () => {
    const chain = new TestChain();
    const good = chain.extend(chain.genesis);
    const greedy = chain.raw(good, [
      coinbase({ params: chain.params, height: 2, address: testKey(1).address, fees: 1n }),
    ]);
    const above = chain.extend(greedy);
    const blocks = new Map([good, greedy, above].map((block) => [block.header.hash as string, block.raw]));
    const reference = new Reference(chain.params);
    const verdicts = [above, greedy, good].map(
      ({ header }) => reference.judge(header.hash, (hash) => blocks.get(hash)).broken,
    );
    expect(verdicts).toEqual(['block-coinbase-value', 'block-coinbase-value', undefined]);
  });
});
