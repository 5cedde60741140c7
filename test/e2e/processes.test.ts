import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Launched, launch } from '../../client/cli/devnet/launch.js';
import { createClient } from '../../client/createClient.js';
import { runCli, SCRIPT } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.js';

const ADDRESS = '0x9858EfFD232B4033E47d90003D41EC34EcaEda94';

/** A process that ends with its scope. */
async function started(
  home: TemporaryDirectory,
  name: string,
  args: readonly string[],
): Promise<Launched & AsyncDisposable> {
  const process = await launch(SCRIPT, { name, args, logFile: join(home.path, `${name}.log`) });
  return { ...process, [Symbol.asyncDispose]: () => process.stop() };
}

function nodeArgs(home: TemporaryDirectory, ...more: readonly string[]): string[] {
  return ['node', '--port', '0', '--data-dir', join(home.path, 'data'), ...more];
}

describe('processes', () => {
  test('a second process on the same data directory, on the same port, or for another network says why and ends', async () => {
    await using home = await temporaryDirectory();
    {
      await using node = await started(home, 'node', nodeArgs(home));
      const locked = await runCli([...nodeArgs(home), '--json']);
      expect([locked.code, locked.json]).toMatchObject([1, { ok: false, error: { code: 'store-locked' } }]);
      const port = new URL(node.url).port;
      const taken = await runCli(['node', '--port', port, '--data-dir', join(home.path, 'other'), '--json']);
      expect([taken.code, taken.json]).toMatchObject([1, { ok: false, error: { code: 'address-in-use' } }]);
    }
    const foreign = await runCli([...nodeArgs(home, '--network', 'test'), '--json']);
    expect([foreign.code, foreign.json]).toMatchObject([1, { ok: false, error: { code: 'store-network' } }]);
    expect(foreign.json).toMatchObject({ error: { hint: expect.stringContaining('--data-dir') } });
  });

  test('a node that is killed opens again where it stood', async () => {
    await using home = await temporaryDirectory();
    let height = 0;
    {
      await using node = await started(home, 'node', nodeArgs(home));
      await using _miner = await started(home, 'miner', [
        'miner',
        '--url',
        node.url,
        '--address',
        ADDRESS,
        '--interval',
        '20',
      ]);
      const client = createClient({ url: node.url });
      await eventually('some blocks', async () => (await client.info.chain.query()).height >= 10);
      height = (await client.info.chain.query()).height;
      process.kill(node.pid, 'SIGKILL');
      await eventually('the node is gone', async () =>
        client.node.ping.query().then(
          () => false,
          () => true,
        ),
      );
    }
    await using again = await started(home, 'node', nodeArgs(home));
    expect((await createClient({ url: again.url }).info.chain.query()).height).toBeGreaterThanOrEqual(height);
  });

  test('a network of one’s own, from a file, with a difficulty that miners have to meet', async () => {
    await using home = await temporaryDirectory();
    const file = join(home.path, 'network.json');
    const network = {
      name: 'mine',
      blockIntervalSeconds: 1,
      retarget: 'asert',
      halfLifeIntervals: 20,
      genesisBits: 0x1f7fffff,
      reward: '2',
      halvingInterval: 3,
      coinbaseMaturity: 1,
      maxSupply: '1000',
      minimumWork: '0',
      upgrades: [],
      nodePort: 45_000,
    };
    await writeFile(file, JSON.stringify(network));
    await using node = await started(home, 'node', nodeArgs(home, '--network', file, '--allow-private'));
    const client = createClient({ url: node.url });
    const args = ['miner', '--url', node.url, '--address', ADDRESS, '--threads', '2'];
    await using _miner = await started(home, 'miner', args);
    await eventually('four blocks', async () => (await client.info.chain.query()).height >= 4);
    const { items } = await client.block.list.query({ limit: 100 });
    const [first, fourth] = [items.find(({ height }) => height === 1), items.find(({ height }) => height === 4)];
    expect([first?.reward, fourth?.reward]).toEqual([200_000_000n, 100_000_000n]);
    expect(items.every(({ difficulty }) => difficulty >= 1)).toBe(true);

    await writeFile(file, JSON.stringify({ ...network, reward: 2 }));
    const wrong = await runCli(['node', '--network', file, '--port', '0', '--json']);
    expect([wrong.code, wrong.json]).toMatchObject([2, { error: { message: expect.stringContaining('reward') } }]);
  });

  test('a miner outlives a restart of its node', async () => {
    await using home = await temporaryDirectory();
    let node = await started(home, 'node', nodeArgs(home));
    const port = new URL(node.url).port;
    await using _miner = await started(home, 'miner', [
      'miner',
      '--url',
      node.url,
      '--address',
      ADDRESS,
      '--interval',
      '50',
    ]);
    const client = createClient({ url: node.url });
    await eventually('blocks', async () => (await client.info.chain.query()).height >= 3);
    await node.stop();
    node = await started(home, 'node', [...nodeArgs(home).slice(0, 2), port, ...nodeArgs(home).slice(3)]);
    const { height } = await client.info.chain.query();
    await eventually('more blocks', async () => (await client.info.chain.query()).height > height);
    await node.stop();
  });
});
