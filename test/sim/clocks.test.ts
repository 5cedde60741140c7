import { describe, expect, test } from 'vitest';
import { assertConverged } from '../kit/assertions.js';
import { present } from '../kit/assertOk.js';
import { simulate } from '../kit/sim/simulate.js';
import type { Simulation } from '../kit/sim/simulation.js';
import { allMeet } from '../support/allMeet.js';
import { SLOW_NETWORK } from '../support/slowNetwork.js';

const HOUR_MS = 3_600_000;
/** Within this, nodes that hear each other again have met: a few looks at peers, of which there is one in thirty seconds. */
const MEETING_MS = 180_000;
/** Within this, what is missed is noticed and fetched. */
const CATCHING_UP_MS = 60_000;

const heights = (net: Simulation): (number | undefined)[] => net.nodes.map(({ tip }) => tip?.header.height);

describe('a node whose clock is three hours', () => {
  test('ahead relays what others make, and what it makes itself outlives nothing', async () => {
    await using net = await simulate({ nodes: 3, seed: 2, network: SLOW_NETWORK });
    net.node(1).clockError.aheadMs = 3 * HOUR_MS;
    await net.mine(0, 2);
    await net.settle();
    expect(heights(net)).toEqual([2, 2, 2]);
    // Hours from now to everybody else: theirs goes on, and it follows.
    await net.mine(1, 1);
    await net.advance(10_000);
    expect(heights(net)).toEqual([2, 3, 2]);
    await net.mine(2, 2);
    await net.settle();
    assertConverged(net);
    expect(heights(net)).toEqual([4, 4, 4]);
    net.node(1).clockError.aheadMs = 0;
    await allMeet(net, MEETING_MS);
    await net.mine(1, 1);
    await net.settle();
    assertConverged(net);
  });

  test('behind holds up nobody, keeps its peers, and catches up as soon as it is set', async () => {
    await using net = await simulate({ nodes: 3, seed: 2, network: SLOW_NETWORK });
    net.node(1).clockError.aheadMs = -3 * HOUR_MS;
    await net.mine(0, 2);
    await net.advance(3 * CATCHING_UP_MS);
    expect(heights(net)).toEqual([2, 0, 2]);
    await allMeet(net, MEETING_MS);
    net.node(1).clockError.aheadMs = 0;
    await net.advance(CATCHING_UP_MS);
    expect(heights(net)).toEqual([2, 2, 2]);
  });
});

test.each([-HOUR_MS, HOUR_MS])(
  'a clock that jumps by %i ms while its node is cut off keeps it from nobody afterwards',
  async (jumpMs) => {
    await using net = await simulate({ nodes: 3, seed: 3, network: SLOW_NETWORK });
    net.partition([0, 2], [1]);
    // Long enough that each side has given the other up, and noted when to try again.
    await net.advance(200_000);
    net.node(1).clockError.aheadMs += jumpMs;
    net.heal();
    await allMeet(net, MEETING_MS);
    net.node(1).clockError.aheadMs = 0;
    await net.mine(0, 1);
    await net.advance(CATCHING_UP_MS);
    expect(heights(net)).toEqual([1, 1, 1]);
    await allMeet(net, MEETING_MS);
  },
);

test('machines that sleep for a day wake up as peers, and the one that wakes last has what it missed within two minutes', async () => {
  await using net = await simulate({ nodes: 2, seed: 4, network: SLOW_NETWORK });
  await net.mine(0, 1);
  await net.settle();
  const sleepers = net.nodes.map(({ lifeline }) => present(lifeline));
  for (const sleeper of sleepers) sleeper.freeze();
  await net.advance(23 * HOUR_MS);
  sleepers[0]?.thaw();
  await net.mine(0, 2);
  await net.advance(HOUR_MS);
  await net.mine(0, 1);
  expect(heights(net)).toEqual([4, 1]);
  sleepers[1]?.thaw();
  await net.advance(2 * CATCHING_UP_MS);
  expect(heights(net)).toEqual([4, 4]);
  await allMeet(net, MEETING_MS);
  await net.mine(1, 1);
  await net.settle();
  assertConverged(net);
});
