import { describe, expect, test } from 'vitest';
import { present } from '../../kit/assertOk.js';
import { simulate } from '../../kit/sim/simulate.js';
import type { Simulation } from '../../kit/sim/simulation.js';
import { formatLine } from '../../kit/sim/trace.js';

const heights = (net: Simulation): (number | undefined)[] => net.nodes.map(({ tip }) => tip?.header.height);

describe('snapshots', () => {
  test('go back to the same network as often as wanted, and what follows is the same each time', async () => {
    const lines: string[] = [];
    await using net = await simulate({ nodes: 3, seed: 9, onLine: (line) => lines.push(formatLine(line)) });
    await net.mine(0, 4);
    await net.settle();
    net.partition([0], [1, 2]);
    net.snapshot('parted');
    const branches: string[][] = [];
    for (let branch = 0; branch < 3; branch++) {
      await net.restore('parted');
      lines.length = 0;
      await net.mine(0, 1);
      await net.mine(1, 2);
      net.heal();
      await net.settle();
      branches.push([...lines]);
      expect(heights(net)).toEqual([6, 6, 6]);
    }
    expect(branches[1]).toEqual(branches[0]);
    expect(branches[2]).toEqual(branches[0]);
  });

  test('keep what waits, who is down, the time and the clocks, under names of their own', async () => {
    await using net = await simulate({ nodes: 3, seed: 9 });
    await net.mine(0, 3);
    const { txid } = await net.send(0, 1, 700n);
    await net.settle();
    await net.stop(2);
    net.node(1).clockError.aheadMs = 1_000;
    net.snapshot('waiting');
    const { now } = net;
    await net.mine(0, 1);
    await net.restart(2);
    net.node(1).clockError.aheadMs = 0;
    net.snapshot('confirmed');
    await net.restore('waiting');
    expect(net.nodes.map(({ isRunning }) => isRunning)).toEqual([true, true, false]);
    expect(net.node(1).clockError.aheadMs).toBe(1_000);
    expect(net.now - now).toBeLessThan(60_000);
    const statusIn = async (): Promise<number | null> =>
      (await present(net.nodes[0]).client.transaction.get.query({ txid })).block?.height ?? null;
    expect(await statusIn()).toBe(null);
    await net.restore('confirmed');
    expect(await statusIn()).toBe(4);
    await expect(net.restore('neither')).rejects.toThrow(
      "there is no snapshot 'neither'; there are: waiting, confirmed",
    );
  });

  test('keep what is the matter: a full disk, a slow one, links that lose messages', async () => {
    await using net = await simulate({ nodes: 2, seed: 9 });
    const { faults } = net.node(1).disk;
    net.snapshot('sound');
    Object.assign(faults, { full: true, failsToSync: true, commitMs: [20, 30] });
    net.links.setUsual({ latencyMs: 200 });
    net.links.set('n0', 'n1', { loss: 1 });
    net.snapshot('ill');
    const ill = { faults: { ...faults }, conditions: net.links.conditions };
    await net.restore('sound');
    expect(faults).toEqual({ full: false, failsToSync: false, commitMs: [0.05, 1] });
    const fate = () => net.links.send({ from: 'n0', to: 'n1', bytes: 1, now: net.now }).kind;
    expect(fate()).toBe('arrives');
    await net.mine(0, 1);
    await net.settle();
    expect(heights(net)).toEqual([1, 1]);
    await net.restore('ill');
    expect({ faults, conditions: net.links.conditions }).toEqual(ill);
    expect(fate()).not.toBe('arrives');
  });
});
