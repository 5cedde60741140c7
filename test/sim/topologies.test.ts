import { describe, expect, test } from 'vitest';
import { assertConfirmed, assertConverged } from '../kit/assertions.js';
import { present } from '../kit/assertOk.js';
import { simulate } from '../kit/sim/simulate.js';
import { Traffic } from '../kit/sim/traffic.js';
import { SLOW_NETWORK } from '../support/slowNetwork.js';
import { fullMesh, grid, linkOnly, ring, type Topology } from '../support/topologies.js';

/** More than enough for a node to let those go that it cannot reach. */
const APART_MS = 100_000;
/** Within this, what one node has is everywhere: links take milliseconds, and the way is short. */
const SPREAD_MS = 10_000;
const PAYMENTS = 3;
/** Real time: a few seconds, unless the machine has much else to do. */
const LIMIT_MS = 60_000;

describe.each<[string, number, Topology]>([
  ['a ring of eight', 8, ring(8)],
  ['a grid of three by three', 9, grid(3, 3)],
  ['a full mesh of six', 6, fullMesh(6)],
])('%s', (_name, count, links) => {
  test('comes to one mind, and carries each payment over each link and way at most once', {
    timeout: LIMIT_MS,
  }, async () => {
    await using net = await simulate({ nodes: count, seed: 5, network: SLOW_NETWORK });
    await net.mine(0, PAYMENTS + 2);
    await net.settle();
    linkOnly(net, links);
    await net.advance(APART_MS);

    using traffic = new Traffic(net.wire);
    const bodies = [];
    for (let payment = 0; payment < PAYMENTS; payment++) {
      const { txid } = await net.send(0, 1, 1_000n);
      bodies.push({ txid, raw: present(net.node(0).running?.mempool.pool.get(txid)).transaction.raw });
      await net.advance(100);
    }
    await net.advance(SPREAD_MS);
    for (const { txid, raw } of bodies) {
      expect(net.look.confirmations(txid)).toEqual(Array(count).fill(0));
      const ways = traffic.carrying(raw);
      // Everybody but its sender has had it from somebody.
      expect(ways.size).toBeGreaterThanOrEqual(count - 1);
      expect(Math.max(...ways.values()), `how often ${txid} went one way: ${[...ways]}`).toBe(1);
      const linked = new Set(links.flatMap(([a, b]) => [`n${a}>n${b}`, `n${b}>n${a}`]));
      expect([...ways.keys()].filter((way) => !linked.has(way))).toEqual([]);
    }

    await net.mine(count - 1, 1);
    await net.advance(SPREAD_MS);
    assertConverged(net);
    for (const { txid } of bodies) assertConfirmed(net, txid);
  });
});

test('branches that grew at all corners of a grid become the one with most work', async () => {
  await using net = await simulate({ nodes: 9, seed: 6, network: SLOW_NETWORK });
  linkOnly(net, grid(3, 3));
  await net.advance(APART_MS);
  net.partition([0], [2], [6], [8], [1, 3, 4, 5, 7]);
  for (const [node, blocks] of [
    [0, 2],
    [2, 3],
    [6, 4],
    [8, 5],
  ] as const)
    await net.mine(node, blocks);
  linkOnly(net, grid(3, 3));
  await net.settle();
  assertConverged(net);
  expect(net.node(0).tip?.header.height).toBe(5);
});
