import { describe, expect, test } from 'vitest';
import { assertConverged } from '../kit/assertions.js';
import { Dice } from '../kit/sim/dice.js';
import type { SimNode } from '../kit/sim/simNode.js';
import { simulate } from '../kit/sim/simulate.js';
import type { Simulation } from '../kit/sim/simulation.js';
import { allMeet } from '../support/allMeet.js';
import { SLOW_NETWORK } from '../support/slowNetwork.js';

const heights = (net: Simulation): (number | undefined)[] => net.nodes.map(({ tip }) => tip?.header.height);

/** Within this, nodes that hear each other again have met: a few looks at peers, of which there is one in thirty seconds. */
const MEETING_MS = 180_000;
/** How long it may take to get a chain over links of which each loses messages: ten looks at peers. */
const LIMIT_MS = 300_000;

describe('links that are cut one way', () => {
  test('hold up nothing where there is a way round, and are good for both again once they are healed', async () => {
    await using net = await simulate({ nodes: 3, seed: 7, network: SLOW_NETWORK });
    net.cut(0, 1);
    // Neither end of it is whom the other hears from first: each has to come by the third.
    for (const node of [0, 1, 2]) {
      await net.mine(node, 2);
      await net.settle();
    }
    assertConverged(net);
    const { txid } = await net.send(0, 1, 1_000n);
    await net.settle();
    expect(net.look.confirmations(txid)).toEqual([0, 0, 0]);
    net.heal();
    await allMeet(net, MEETING_MS);
  });

  test('all round a ring, leave its nodes a hub to hear each other by', async () => {
    await using net = await simulate({ nodes: 5, seed: 8, network: SLOW_NETWORK });
    // Nobody but the hub is heard in both directions by anybody.
    for (const [from, to] of [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 0],
      [0, 2],
      [1, 3],
    ] as const)
      net.cut(from, to);
    for (const node of [0, 1, 2, 3]) {
      await net.mine(node, 1);
      await net.advance(60_000);
    }
    await net.settle();
    expect(heights(net)).toEqual([4, 4, 4, 4, 4]);
    net.heal();
    await allMeet(net, MEETING_MS);
  });

  test('of which one way is a trickle, delay blocks and lose no peer for good', async () => {
    await using net = await simulate({ nodes: 2, seed: 9, network: SLOW_NETWORK });
    // 40 bytes a second one way, all there is the other.
    net.links.set('n0', 'n1', { bandwidth: 0.04 });
    await net.mine(0, 3);
    await net.advance(200_000);
    net.links.clearOwn();
    await net.settle();
    expect(heights(net)).toEqual([3, 3]);
    await allMeet(net, MEETING_MS);
  });
});

test.each([1, 2, 3])(
  'links clogged one after the other and freed in another order end in one mind, seed %i',
  async (seed) => {
    const count = 6;
    await using net = await simulate({ nodes: count, seed, network: SLOW_NETWORK });
    const dice = Dice.of(seed, 'clogs');
    const clogged = new Set<number>();
    const clog = (): void => {
      net.heal();
      for (const from of clogged)
        for (const { index: to } of net.nodes)
          if (from !== to) {
            net.cut(from, to);
            net.cut(to, from);
          }
    };
    const shuffled = (nodes: readonly number[]): number[] =>
      nodes
        .map((node) => ({ node, key: dice.fraction() }))
        .sort((a, b) => a.key - b.key)
        .map(({ node }) => node);
    const chosen = shuffled(net.nodes.map(({ index }) => index)).slice(0, 4);
    /** Something goes on meanwhile, at whichever node. */
    const live = async (): Promise<void> => {
      await net.mine(dice.below(count), 1);
      await net.advance(dice.below(90_000));
    };
    await net.mine(0, 2);
    for (const node of chosen) {
      clogged.add(node);
      clog();
      await live();
    }
    for (const node of shuffled(chosen)) {
      clogged.delete(node);
      clog();
      await live();
    }
    await allMeet(net, MEETING_MS);
    await net.mine(0, 1);
    await net.settle();
    assertConverged(net);
  },
);

test('of twenty nodes one joins over links that lose every fifth message, and has the chain within minutes', async () => {
  const others = Array.from({ length: 19 }, (_, index) => index);
  const joins = others.length;
  await using net = await simulate({ nodes: joins + 1, seed: 4, network: SLOW_NETWORK, invariants: false });
  const haveAll = (nodes: readonly SimNode[], height: number) => () =>
    nodes.every(({ tip }) => tip?.header.height === height);
  await net.stop(joins);
  net.wipe(joins);
  net.partition([0], others.slice(1));
  const blocks = 50;
  await net.mine(0, blocks);
  net.heal();
  expect(await net.scheduler.advanceUntil(haveAll(net.nodes.slice(0, joins), blocks), LIMIT_MS)).toBe(true);
  const links = { latencyMs: 150, jitterMs: 100, loss: 0.2, reordering: 0.05 };
  for (const other of others) {
    net.links.set(`n${other}`, `n${joins}`, links);
    net.links.set(`n${joins}`, `n${other}`, links);
  }
  await net.restart(joins);
  expect(await net.scheduler.advanceUntil(haveAll(net.nodes, blocks), LIMIT_MS)).toBe(true);
  // What it mines gets out once its links are good again: it is nobody who was given up.
  await net.mine(joins, 1);
  net.links.clearOwn();
  expect(await net.scheduler.advanceUntil(haveAll(net.nodes, blocks + 1), LIMIT_MS)).toBe(true);
  assertConverged(net);
}, 60_000);
