import { describe, expect, test, vi } from 'vitest';
import { assertConfirmed, assertConverged, assertInvariants } from '../../kit/assertions.js';
import { present } from '../../kit/assertOk.js';
import { type SimulateOptions, simulate } from '../../kit/sim/simulate.js';
import type { Simulation } from '../../kit/sim/simulation.js';
import { formatLine } from '../../kit/sim/trace.js';

const heights = (net: Simulation): (number | undefined)[] => net.nodes.map(({ tip }) => tip?.header.height);
const tips = (net: Simulation) => net.nodes.map(({ tip }) => tip?.header.hash);

/** A little of everything. */
async function play(options: SimulateOptions): Promise<{ digest: string; lines: string[] }> {
  const lines: string[] = [];
  await using net = await simulate({ nodes: 3, ...options, onLine: (line) => lines.push(formatLine(line)) });
  await net.mine(0, 3);
  await net.settle();
  await net.send(0, 1, 5_000n);
  net.partition([0], [1, 2]);
  await net.mine(0, 1);
  await net.mine(2, 2);
  await net.crash(1, 'power');
  await net.advance(3_000);
  await net.restart(1);
  net.heal();
  await net.settle();
  return { digest: net.trace.digest(), lines };
}

describe('a run', () => {
  const links = { latencyMs: 20, jitterMs: 30, loss: 0.05, duplication: 0.05, reordering: 0.05, bandwidth: 50 };

  test('is the same event for event whenever its seed is run, and another under another seed', async () => {
    const [first, again, other] = [
      await play({ seed: 4, links }),
      await play({ seed: 4, links }),
      await play({ seed: 5, links }),
    ];
    expect(again.lines).toEqual(first.lines);
    expect(again.digest).toBe(first.digest);
    expect(other.digest).not.toBe(first.digest);
  });

  test('can be read: time, node, event', async () => {
    const { lines } = await play({ seed: 4 });
    const told = lines.filter((line) => !/ (?:->|=>) /.test(line)).map((line) => line.replace(/\s+/g, ' ').trim());
    expect(told.some((line) => /^\d+\.\d{3} n0 n0 started url=http:/.test(line))).toBe(true);
    expect(told.some((line) => /^\d+\.\d{3} n1 loses its power$/.test(line))).toBe(true);
    expect(told.some((line) => /^\d+\.\d{3} net partition n0 \| n1\+n2$/.test(line))).toBe(true);
    expect(lines.some((line) => /n\d -> n\d {2}block\.announce {2}\d+ B/.test(line))).toBe(true);
  });
});

test('five nodes part, mine on both sides and agree again on the side with more work', async () => {
  await using net = await simulate({ nodes: 5, seed: 7 });
  await net.mine(0, 3);
  await net.settle();
  net.partition([0, 1], [2, 3, 4]);
  await net.mine(0, 2);
  const [, , last] = await net.mine(2, 3);
  await net.settle();
  expect(heights(net)).toEqual([5, 5, 6, 6, 6]);
  net.heal();
  await net.settle();
  expect(tips(net)).toEqual(Array(5).fill(last));
});

test('a reorganisation of a chosen depth replaces the top of every node’s chain, and its payments wait again', async () => {
  await using net = await simulate({ nodes: 3, seed: 7 });
  await net.mine(0, 5);
  const { txid } = await net.send(0, 1, 9_000n);
  await net.mine(0, 2);
  await net.settle();
  assertConfirmed(net, txid, { confirmations: 2 });
  const { disconnected, connected } = await net.reorg({ depth: 3 });
  expect([disconnected.length, connected.length]).toEqual([3, 4]);
  await net.settle();
  expect(tips(net)).toEqual(Array(3).fill(connected.at(-1)));
  expect(net.look.confirmations(txid)).toEqual([0, 0, 0]);
  await net.mine(2, 1);
  await net.settle();
  assertConverged(net);
  assertConfirmed(net, txid);
  assertInvariants(net);
});

test('what is asserted of a simulation is asserted at once, and fails with a table of the nodes', async () => {
  await using net = await simulate({ nodes: 3, seed: 7 });
  net.partition([0], [1, 2]);
  await net.mine(0, 2);
  await net.mine(1, 1);
  await net.stop(2);
  expect(() => assertConverged(net)).toThrow(
    /^All nodes that run should stand on one tip, but they stand on 2\.\n\n {2}node {2}height {2}tip .*\n {2}n0 {9}2 .*\n {2}n1 {9}1 .*\n {2}n2 {9}- .*down\n$/,
  );
  expect(() => assertConfirmed(net, 'ab'.repeat(32))).toThrow(
    'should have 1 confirmation or more, but not so at n0 and n1',
  );
});

describe('links', () => {
  test('cut one way carry answers to no question: the node behind does not learn of a block until they are healed', async () => {
    await using net = await simulate({ nodes: 2, seed: 2 });
    net.cut(0, 1);
    await net.mine(0, 1);
    await net.advance(20_000);
    expect(heights(net)).toEqual([1, 0]);
    net.heal();
    await net.settle();
    expect(heights(net)).toEqual([1, 1]);
  });

  test('that lose every message leave nodes to themselves, and a time limit ends what waits', async () => {
    await using net = await simulate({ nodes: 2, seed: 2 });
    net.links.setUsual({ loss: 1 });
    await net.mine(0, 1);
    await net.advance(30_000);
    expect(net.nodes.map(({ running }) => running?.peers.all().length)).toEqual([0, 0]);
    net.links.setUsual({});
    await net.advance(60_000);
    expect(heights(net)).toEqual([1, 1]);
  });
});

describe('a node', () => {
  test('that is killed finds what it had and catches up with what it missed', async () => {
    await using net = await simulate({ nodes: 3, seed: 3 });
    await net.mine(0, 4);
    await net.settle();
    await net.crash(2);
    expect(net.nodes.map(({ isRunning }) => isRunning)).toEqual([true, true, false]);
    await net.mine(0, 2);
    await net.restart(2);
    expect(heights(net)[2]).toBe(4);
    await net.settle();
    expect(heights(net)).toEqual([6, 6, 6]);
  });

  test('that is killed amid a call breaks it, and one that is down refuses it', async () => {
    await using net = await simulate({ nodes: 2, seed: 3 });
    const [node] = net.nodes;
    const address = present(net.wallets[0]).address;
    const { template } = present(node).client.block;
    // Whichever of the two is told first.
    const waiting = template.query({ address, current: 'ab'.repeat(8), waitMs: 4_000 }).catch(() => undefined);
    const call = present(node).client.block.generate.mutate({ address, count: 50 });
    void net.crash(0);
    await expect(call).rejects.toMatchObject({ message: expect.stringContaining('does not answer') });
    await waiting;
    await expect(present(node).client.info.chain.query()).rejects.toThrow('does not answer');
  });

  test('whose disk is taken away gets the chain from the others', async () => {
    await using net = await simulate({ nodes: 2, seed: 3 });
    await net.mine(0, 3);
    await net.settle();
    await net.stop(1);
    net.wipe(1);
    await net.restart(1);
    await net.settle();
    expect(heights(net)).toEqual([3, 3]);
  });

  test('that meets a flipped bit ends by itself, and refuses to start on such a store', async () => {
    await using net = await simulate({ nodes: 2, seed: 3 });
    await net.mine(0, 3);
    await net.settle();
    const { disk, client } = net.node(1);
    while (net.node(1).isRunning) {
      disk.flipBit('chain');
      await client.block.list.query({}).catch(() => {});
      await client.info.richList.query({}).catch(() => {});
      await net.advance(100);
    }
    await expect(net.restart(1)).rejects.toMatchObject({ code: 'store-corrupt' });
    expect(net.node(1).isRunning).toBe(false);
  });

  test('with a full disk goes on answering and keeps nothing, and catches up once there is room', async () => {
    await using net = await simulate({ nodes: 2, seed: 3 });
    net.node(1).disk.faults.full = true;
    await net.mine(0, 2);
    await net.advance(10_000);
    expect(heights(net)).toEqual([2, 0]);
    expect((await net.node(1).client.info.chain.query()).height).toBe(0);
    net.node(1).disk.faults.full = false;
    await net.settle();
    expect(heights(net)).toEqual([2, 2]);
  });

  test('that is frozen misses everything, and takes up where it stopped when it thaws', async () => {
    await using net = await simulate({ nodes: 2, seed: 3 });
    present(net.node(1).lifeline).freeze();
    await net.mine(0, 2);
    await net.advance(600_000);
    expect(heights(net)).toEqual([2, 0]);
    present(net.node(1).lifeline).thaw();
    await net.settle();
    expect(heights(net)).toEqual([2, 2]);
  });

  test('whose clock is hours behind takes blocks only when it has caught up with them', async () => {
    await using net = await simulate({ nodes: 2, seed: 3 });
    net.node(1).clockError.aheadMs = -3 * 3_600_000;
    await net.mine(0, 1);
    await net.advance(10_000);
    expect(heights(net)).toEqual([1, 0]);
    net.node(1).clockError.aheadMs = 0;
    await net.settle();
    expect(heights(net)).toEqual([1, 1]);
  });
});

describe('time', () => {
  test('runs actions at their moments, and a failing one fails whoever lets time go by', async () => {
    await using net = await simulate({ nodes: 1, seed: 1 });
    const moments: number[] = [];
    for (const ms of [500, 100]) net.at(ms, () => void moments.push(Math.round(net.now)));
    net.at(200, async () => void (await net.mine(0, 1)));
    await net.advance(1_000);
    expect(moments).toEqual([100, 500]);
    expect(heights(net)).toEqual([1]);
    net.at(1_500, () => {
      throw new Error('as planned');
    });
    await expect(net.advance(1_000)).rejects.toThrow('as planned');
  });

  test('leaves nothing running behind, subscriptions neither, and goes by in no time', async () => {
    const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const told: string[] = [];
    {
      await using net = await simulate({ nodes: 2, seed: 1 });
      present(net.nodes[0]).client.block.onChange.subscribe(
        {},
        { onData: ({ data }) => told.push(data.kind), onComplete: () => told.push('complete') },
      );
      await net.mine(0, 1);
      await net.crash(0);
      await net.advance(60_000);
      await net.restart(0);
      await net.advance(5_000);
      await net.mine(0, 1);
      await net.advance(5_000);
    }
    await new Promise((resolve) => setImmediate(resolve));
    const after = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    expect(told).toEqual(['reset', 'connected', 'connected', 'complete']);
    // The test runner may have a timer of its own, and ends it when it likes.
    expect(after).toBeLessThanOrEqual(before);
  });
});

test('a subscription to a node that is down stands as soon as the node does, in virtual time', async () => {
  await using net = await simulate({ nodes: 2, seed: 1 });
  await net.crash(0);
  const told: string[] = [];
  net
    .node(0)
    .client.block.onChange.subscribe(
      {},
      { onStarted: () => told.push('started'), onData: ({ data }) => told.push(data.kind) },
    );
  await net.advance(60_000);
  expect(told).toEqual([]);
  await net.restart(0);
  await net.advance(5_000);
  await net.mine(0, 1);
  await net.advance(5_000);
  expect(told).toEqual(['started', 'reset', 'connected']);
});

test('a subscription that has been ended gives its place back, and does not come back with its node', async () => {
  const asked: string[] = [];
  await using net = await simulate({
    ...{ nodes: 1, seed: 1 },
    onLine: ({ what }) => what.includes('asked from outside  block.onChange') && asked.push(what),
  });
  const { client } = net.node(0);
  let started = 0;
  // One address may have 32.
  for (let each = 0; each < 40; each++) {
    const subscription = client.block.onChange.subscribe({}, { onStarted: () => void started++ });
    await net.settle();
    subscription.unsubscribe();
    await net.settle();
  }
  expect(started).toBe(40);
  client.block.onChange.subscribe({}, { onData: () => {} }).unsubscribe();
  const during = client.block.onChange.subscribe({}, { onData: () => {} });
  await net.settle();
  await net.crash(0);
  during.unsubscribe();
  asked.length = 0;
  await net.advance(5_000);
  await net.restart(0);
  await net.advance(5_000);
  expect(asked).toEqual([]);
});

describe('what makes no sense is refused', () => {
  test.each<[SimulateOptions, string]>([
    [{ nodes: 0 }, '0 nodes cannot be simulated: 1 to 100 can'],
    [{ nodes: 1.5 }, '1.5 nodes'],
    [{ nodes: 101 }, '101 nodes'],
    [{ seed: 0.5 }, '0.5 is no seed'],
    [{ links: { loss: 2 } }, 'loss 2: a share of messages is a number from 0 to 1'],
    [{ links: { duplication: -1 } }, 'duplication -1'],
    [{ links: { latencyMs: Number.NaN } }, 'latencyMs NaN'],
    [{ links: { bandwidth: 0 } }, 'bandwidth 0'],
  ])('%j', async (options, message) => {
    await expect(simulate(options)).rejects.toThrow(message);
  });

  test('of calls: times, counts and places that are none, and nodes that are down', async () => {
    await using net = await simulate({ nodes: 2 });
    await expect(net.advance(Number.NaN)).rejects.toThrow('NaN ms: a time is a number from 0');
    expect(() => net.at(-1, () => {})).toThrow('-1 ms');
    await expect(net.mine(0, 1.5)).rejects.toThrow('1.5 blocks cannot be mined');
    await expect(net.mine(2)).rejects.toThrow('there is no node 2: they are numbered 0 to 1');
    await net.crash(0);
    const down = 'n0 is down: restart it first';
    await expect(net.mine(0)).rejects.toThrow(down);
    await expect(net.send(0, 1, 1n)).rejects.toThrow(down);
    await expect(net.reorg({ depth: 1 })).rejects.toThrow(down);
    await expect(net.crash(0)).rejects.toThrow(down);
    await expect(net.stop(0)).rejects.toThrow(down);
    await expect(net.restart(1)).rejects.toThrow('n1 runs: crash or stop it before it is restarted');
  });
});

test('time goes by as ever under the timers of a test runner', async () => {
  vi.useFakeTimers();
  try {
    await using net = await simulate({ nodes: 2, seed: 1 });
    await net.mine(0, 3);
    await net.settle();
    assertConverged(net);
  } finally {
    vi.useRealTimers();
  }
});

test('a network that cannot settle says where its nodes stand, and why branches of equal work stay', async () => {
  await using net = await simulate({ nodes: 2, seed: 1 });
  await net.mine(0, 1);
  await net.mine(1, 1);
  await expect(net.settle()).rejects.toThrow(
    /^the network does not settle: n0 is at 1 \w{8}, n1 is at 1 \w{8}: branches of equal work, so mine a block on one of them$/,
  );
  net.at(net.now + 60_000, async () => void (await net.mine(1, 1)));
  await net.settle();
  expect(heights(net)).toEqual([2, 2]);
});

test('a call that is under way when the network goes says so', async () => {
  const net = await simulate({ nodes: 1, seed: 1 });
  const { address } = net.wallet(0);
  const waiting = net.node(0).client.block.template.query({ address, current: 'ab'.repeat(8), waitMs: 4_000 });
  await net[Symbol.asyncDispose]();
  await expect(waiting).rejects.toThrow('this network has been disposed of');
});

test('who is told of a change and asks on has the answers when the network has settled', async () => {
  await using net = await simulate({ nodes: 2, seed: 1 });
  const { client } = net.node(0);
  let walked = 0;
  const walk = async (): Promise<void> => {
    let block = await client.block.last.query();
    for (; block.height > 0; walked++) block = await client.block.get.query({ block: block.previous });
  };
  await net.mine(1, 20);
  await net.settle();
  client.block.onChange.subscribe({}, { onData: () => void walk() });
  await net.settle();
  expect(walked).toBe(20);
  await net.mine(1, 1);
  await net.settle();
  expect(walked).toBe(41);
});
