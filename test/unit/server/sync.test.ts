import { describe, expect, test } from 'vitest';
import { present } from '../../kit/assertOk.js';
import { announceBlock } from '../../kit/sim/liar/announce.js';
import { joinLiar } from '../../kit/sim/liar/joinLiar.js';
import { tellLie } from '../../kit/sim/liar/tellLie.js';
import { simulate } from '../../kit/sim/simulate.js';
import type { Simulation } from '../../kit/sim/simulation.js';
import type { TraceLine } from '../../kit/sim/trace.js';

/** Three nodes on one chain, a liar that has met them, and the calls that the trace shows. */
async function scene() {
  const lines: TraceLine[] = [];
  const net = await simulate({ nodes: 3, seed: 1, onLine: (line) => lines.push(line) });
  const liar = await joinLiar(net);
  await net.mine(0, 2);
  await net.settle();
  return {
    net,
    liar,
    calls: (from: string, to: string, path: string): number =>
      lines.filter(({ what }) => what.startsWith(`${from} -> ${to}  ${path}`)).length,
    [Symbol.asyncDispose]: () => net[Symbol.asyncDispose](),
  };
}

function heights({ nodes }: Simulation): (number | undefined)[] {
  return nodes.map(({ running }) => running?.chain.tip.header.height);
}

describe('synchronization with a peer', () => {
  test('that shows a long branch and withholds its bodies keeps nobody from telling of blocks', async () => {
    await using started = await scene();
    const { net, liar } = started;
    expect(await tellLie(liar, 'withheld-branch', { net, victim: net.node(0) })).toBe(true);
    // By now every node has seen the branch, and waits for its first body.
    await net.advance(3_000);
    for (const { running } of net.nodes) expect(present(running).chain.bestHeader.header.height).toBe(10);
    await net.mine(0);
    await net.advance(100);
    expect(heights(net)).toEqual([3, 3, 3]);
  });

  test('that gives the same full answer of headers again and again does not go on for ever', async () => {
    await using started = await scene();
    const { net, liar, calls } = started;
    expect(await tellLie(liar, 'repeated-headers', { net, victim: net.node(0) })).toBe(true);
    await net.advance(1_000);
    expect(present(net.node(0).running).chain.bestHeader.header.height).toBe(2_000);
    expect(calls('n0', liar.name, 'block.headers')).toBe(2);
  });

  test('takes as many headers as there are, be they known or in more answers than one', async () => {
    await using started = await scene();
    const { net, liar, calls } = started;
    for (const times of [1, 2]) {
      expect(await tellLie(liar, 'endless-headers', { net, victim: net.node(0) })).toBe(true);
      await net.advance(500);
      expect(present(net.node(0).running).chain.bestHeader.header.height).toBe(4_000);
      // Two full answers, and one that is empty; the second time the locator begins where they ended.
      expect(calls('n0', liar.name, 'block.headers')).toBe(times === 1 ? 3 : 4);
    }
  });

  test('tells others of where it ends, and not of each step on the way', async () => {
    await using started = await scene();
    const { net, calls } = started;
    net.partition([0, 1], [2]);
    await net.mine(0, 20);
    await net.settle();
    net.heal();
    const before = calls('n2', 'n1', 'block.announce');
    await net.settle();
    expect(heights(net)).toEqual([22, 22, 22]);
    expect(calls('n2', 'n1', 'block.announce') - before).toBeLessThanOrEqual(2);
  });
});

test('a block that was found bad is not fetched again, whoever announces it', async () => {
  await using started = await scene();
  const { net, liar, calls } = started;
  const victim = net.node(0);
  expect(await tellLie(liar, 'block-coinbase-height', { net, victim })).toBe(true);
  await net.advance(500);
  const { chain, peers } = present(victim.running);
  const bad = present([...chain.headers.tips()].find(({ invalid }) => invalid));
  const second = await joinLiar(net, 1);
  for (const again of [liar, second]) {
    expect(await again.meet(victim)).toBe(true);
    const asked = calls('n0', again.name, 'block.raw');
    await announceBlock(again, victim, bad.header);
    await net.advance(500);
    expect(peers.get(again.url)).toBeUndefined();
    expect(calls('n0', again.name, 'block.raw')).toBe(asked);
  }
});
