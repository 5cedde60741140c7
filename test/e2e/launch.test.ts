import { AssertionError } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseNetwork } from '../../shared/consensus/params.js';
import { coins } from '../../shared/model/amount.js';
import { assertConfirmed, assertConverged, assertInvariants } from '../kit/assertions.js';
import { present } from '../kit/assertOk.js';
import { launch } from '../kit/processes/launch.js';
import type { ProcessNetwork } from '../kit/processes/processNetwork.js';
import type { ProcessNode } from '../kit/processes/processNode.js';
import { eventually } from '../support/eventually.js';
import { failureFrom } from '../support/failureFrom.js';
import { isAlive } from '../support/isAlive.js';
import { temporaryDirectory } from '../support/temporary.js';

const timeout = 60_000;

const tipOf = async ({ client }: ProcessNode): Promise<string> => (await client.info.chain.query()).tip;

describe('a network of real processes', { timeout }, () => {
  test('mines, pays, is parted, heals, crashes, comes back and reorganises, and agrees each time', async () => {
    await using net = await launch({ nodes: 3 });
    const { nodes } = net;
    expect(await net.mine(0, 4)).toHaveLength(4);
    await net.settle();
    await assertConverged(net);

    const payment = await net.send(0, 1, coins('1'));
    await net.settle();
    expect(await Promise.all(nodes.map(async ({ client }) => (await client.info.mempool.query()).count))).toEqual([
      1, 1, 1,
    ]);
    await net.mine(2);
    await net.settle();
    await assertConfirmed(net, payment.txid);
    expect((await present(net.wallets[1]).balance()).confirmed).toBe(coins('1'));

    net.partition([0], [1, 2]);
    await net.mine(0, 2);
    await net.mine(1, 3);
    await net.settle();
    await assertConverged({ nodes: nodes.slice(1) });
    const failure = await assertConverged(net).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AssertionError);
    expect(String(failure).replace(/\b[0-9a-f]{12}\b/g, '<tip>')).toMatchInlineSnapshot(`
      "AssertionError [ERR_ASSERTION]: All nodes that run should stand on one tip, but they stand on 2.

        node  height  tip           waiting  state
        n0         7  <tip>        0  running
        n1         8  <tip>        0  running
        n2         8  <tip>        0  running
      "
    `);

    net.heal();
    await net.settle();
    await assertConverged(net);
    expect((await present(nodes[0]).client.info.chain.query()).height).toBe(8);

    await net.crash(2);
    expect(nodes.map(({ isRunning }) => isRunning)).toEqual([true, true, false]);
    const tip = await tipOf(present(nodes[0]));
    await net.restart(2);
    expect(await tipOf(present(nodes[2]))).toBe(tip);
    await net.mine(2);
    await net.settle();
    await assertConverged(net);

    const before = await present(nodes[1]).client.block.last.query();
    const { disconnected, connected } = await net.reorg({ depth: 2, node: 1 });
    expect(disconnected.at(-1)).toBe(before.hash);
    await net.settle();
    await assertConverged(net);
    expect(await tipOf(present(nodes[0]))).toBe(connected.at(-1));
    await assertConfirmed(net, payment.txid, { confirmations: 3, nodes: [0, 2] });
    await assertInvariants(net);
  });

  test('is cut in one direction: neither a call nor an answer comes that way, and in the other a call does', async () => {
    await using net = await launch({ nodes: 2 });
    const [first, second] = net.nodes.map(({ client }) => client);
    if (first === undefined || second === undefined) throw new Error('no nodes');
    net.cut(0, 1);
    await net.mine(1);
    // The second's announcement has arrived at the first, and holds the whole of a block without payments.
    await eventually('the block', async () => (await first.info.chain.query()).height === 1);
    const [unheard] = await net.mine(0);
    await net.settle();
    expect((await first.info.chain.query()).tip).toBe(unheard);
    expect((await failureFrom(second.block.get.query({ block: present(unheard) }))).code).toBe('not-found');
    // Nor are the second's calls answered: after two of them it gives the first up.
    await eventually('the loss', async () => (await second.info.health.query()).peers === 0);
    net.heal();
    await net.settle();
    await assertConverged(net);
    expect((await first.info.chain.query()).height).toBe(2);
  });

  test('does what is due at its time, and says in the next call what went wrong', async () => {
    await using net = await launch({ nodes: 2 });
    const [first, second] = net.nodes;
    net.at(net.now + 50, async () => void (await net.mine(0)));
    await net.advance(50);
    await eventually('the block', async () => (await present(first).client.info.chain.query()).height === 1);

    net.at(net.now, () => {
      throw new Error('the action failed');
    });
    await expect(net.advance(20)).rejects.toThrow('the action failed');

    const { pid } = present(second);
    process.kill(present(pid), 'SIGKILL');
    await eventually('its end', async () => !present(second).isRunning);
    await expect(net.mine(0)).rejects.toThrow(/^n1 ended by itself: SIGKILL\n.*"msg"/s);
    await net.restart(1);
    await net.settle();
    await assertConverged(net);

    // A node that its operator stops over the contract has not failed.
    await present(second).client.node.stop.mutate();
    await eventually('its end', async () => !present(second).isRunning);
    await net.mine(0);
    await expect(net.mine(1)).rejects.toThrow('n1 is down: restart it first');
    await expect(net.crash(1)).rejects.toThrow('n1 is down: restart it first');
    await expect(net.restart(0)).rejects.toThrow('n0 runs: crash or stop it before it is restarted');
    await expect(net.mine(2)).rejects.toThrow('there is no node 2: this network has 2, counted from 0');
    expect(() => net.cut(0, 2)).toThrow('there is no node 2');
  });

  test('of any rules keeps its data where it is told to, and leaves nothing running', async () => {
    await using home = await temporaryDirectory();
    const network = parseNetwork({
      name: 'own-rules',
      blockIntervalSeconds: 1,
      retarget: 'asert',
      halfLifeIntervals: 2,
      genesisBits: 0x207fffff,
      reward: '1.25',
      halvingInterval: 3,
      coinbaseMaturity: 1,
      maxSupply: '1000',
      minimumWork: '0',
      upgrades: [{ height: 2, version: 2 }],
      nodePort: 45_000,
    });
    /** Ends a network while its node is about to start, or amid that: no process may be left. */
    const endAmidStart = async (net: ProcessNetwork, isUnderWay: boolean): Promise<void> => {
      await net.stop(0);
      const restart = expect(net.restart(0)).rejects.toThrow(/gone/);
      if (isUnderWay) await net.advance(1);
      await net[Symbol.asyncDispose]();
      await restart;
      expect(net.nodes.map(({ isRunning }) => isRunning)).toEqual([false]);
    };
    const options = { nodes: 1, network, dataDir: home.path };
    await using before = await launch(options);
    await before.mine(0, 8);
    const pid = present(before.nodes[0]?.pid);
    await expect(launch(options)).rejects.toThrow(/^n0 did not start: another process uses this data directory/);
    await endAmidStart(before, true);
    expect(isAlive(pid)).toBe(false);
    expect(await readdir(home.path)).toEqual(['n0']);

    await using after = await launch(options);
    expect((await after.reorg({ depth: 3 })).disconnected).toHaveLength(3);
    await assertInvariants(after);
    await endAmidStart(after, false);
    await expect(after.mine(0)).rejects.toThrow('this network is gone');
  });

  test('has at least one node and no more than a machine bears', async () => {
    for (const nodes of [0, -1, 1.5, 17]) await expect(launch({ nodes })).rejects.toThrow(`${nodes} nodes cannot be`);
  });

  test.runIf(process.platform === 'linux')('ends with the process that launched it, however that ends', async () => {
    await using home = await temporaryDirectory();
    const script = fileURLToPath(new URL('../support/launchAndWait.js', import.meta.url));
    const parent = spawn(process.execPath, [script], {
      ...{ env: { ...process.env, TMPDIR: home.path }, stdio: ['ignore', 'pipe', 'inherit'] },
    });
    const [line]: unknown[] = await once(createInterface({ input: present(parent.stdout) }), 'line');
    const pids: number[] = JSON.parse(String(line));
    expect(pids.map(isAlive)).toEqual([true]);
    expect(existsSync(home.path)).toBe(true);
    parent.kill('SIGKILL');
    await eventually('all nodes are gone', async () => !pids.some(isAlive));
  });
});
