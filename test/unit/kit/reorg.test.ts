import { describe, expect, test } from 'vitest';
import type { Client } from '../../../client/createClient.js';
import { Wallet } from '../../../client/wallet/wallet.js';
import { parseNetwork } from '../../../shared/consensus/params.js';
import { coins } from '../../../shared/model/amount.js';
import { toHeight } from '../../../shared/model/height.js';
import { mineBlocks } from '../../kit/actions/mineBlocks.js';
import { readParams } from '../../kit/actions/readParams.js';
import { DEEPEST_REORG, reorg } from '../../kit/actions/reorg.js';
import { walletKey } from '../../kit/wallets.js';
import { lyingClient } from '../../support/lyingClient.js';
import { testNode } from '../../support/testNode.js';

/** Blocks that come faster than one a second are soon a hundred times harder. */
const HARD = parseNetwork({
  name: 'hard',
  blockIntervalSeconds: 1,
  retarget: 'asert',
  halfLifeIntervals: 2,
  genesisBits: 0x207fffff,
  reward: '1',
  halvingInterval: 0,
  coinbaseMaturity: 2,
  maxSupply: '1000000',
  minimumWork: '0',
  upgrades: [{ height: 5, version: 2 }],
  nodePort: 45_001,
});

async function chainOf(client: Client): Promise<string[]> {
  const { items } = await client.block.list.query({ limit: 100 });
  return items.map(({ hash }) => hash).reverse();
}

describe('a reorganisation', () => {
  test('replaces the last blocks by one more, which pay who is named, and gives their transfers back to wait', async () => {
    await using node = await testNode();
    const { client } = node;
    const [alice, bob] = [0, 1].map((i) => new Wallet({ client, key: walletKey(i) }));
    if (alice === undefined || bob === undefined) throw new Error('no wallets');
    await mineBlocks(client, alice.address, 4);
    const { txid } = await alice.send({ recipients: [{ to: bob.address, amount: coins('1') }] });
    await mineBlocks(client, alice.address, 2);
    const before = await chainOf(client);

    const { disconnected, connected } = await reorg(client, { depth: 2, address: bob.address });
    expect(disconnected).toEqual(before.slice(-2));
    expect(connected).toHaveLength(3);
    expect(await chainOf(client)).toEqual([...before.slice(0, -2), ...connected]);
    expect((await client.info.address.query({ address: bob.address })).received).toBe(coins('4.5'));
    expect((await client.transaction.get.query({ txid })).block).toBeNull();
  });

  test('can be had again and again, down to genesis', async () => {
    await using node = await testNode();
    const { client } = node;
    await mineBlocks(client, walletKey(0).address, 1);
    for (const depth of [1, 1, 2, 1, 4, 5, 1]) {
      const before = await chainOf(client);
      const { disconnected, connected } = await reorg(client, { depth });
      expect(disconnected).toEqual(before.slice(-depth));
      expect(await chainOf(client)).toEqual([...before.slice(0, -depth), ...connected]);
      // Blocks made the same way for the same place must not be the very blocks that are to go.
      expect(connected).not.toContain(disconnected[0]);
    }
    expect((await client.info.chain.query()).height).toBe(8);
  });

  test('outweighs what it replaces where the difficulty follows the timestamps, however late it is', async () => {
    await using node = await testNode({ params: HARD });
    const { client } = node;
    await mineBlocks(client, walletKey(0).address, 14);
    const { time } = await client.node.ping.query();
    const { work } = await client.block.last.query();
    // With timestamps of its own time each of the new blocks would have next to no work.
    const { connected } = await reorg(client, { depth: 6, now: time + 100_000 });
    const after = await client.block.last.query();
    expect(after).toMatchObject({ hash: connected.at(-1), height: 15, timestamp: time + 100_000, version: 2 });
    expect(after.work).toBeGreaterThan(work);
  });

  test('keeps to the median of the timestamps where its clock is behind', async () => {
    await using node = await testNode();
    const { client } = node;
    await mineBlocks(client, walletKey(0).address, 15);
    for (const depth of [1, 2, 1, 3])
      expect((await reorg(client, { depth, now: 0 })).connected).toHaveLength(depth + 1);
  });

  test('knows the figures of the network from the node, and that they are its own', async () => {
    await using node = await testNode({ params: HARD });
    expect(await readParams(node.client)).toEqual({ ...HARD, nodePort: 0 });
    const lying = lyingClient(node.client, {
      'info.params': (params: object) => ({ ...params, coinbaseMaturity: 3 }),
    });
    await expect(readParams(lying)).rejects.toThrow(/names the genesis [0-9a-f]{64}, but/);
  });

  test('of nothing, of more than there is, of more than nodes go back, or for nobody is refused in words', async () => {
    await using node = await testNode();
    const { client } = node;
    await mineBlocks(client, walletKey(0).address, 2);
    for (const depth of [0, -1, 1.5, Number.NaN, DEEPEST_REORG + 1])
      await expect(reorg(client, { depth })).rejects.toThrow(
        `depth ${depth}: a reorganisation replaces 1 to 145 blocks`,
      );
    await expect(reorg(client, { depth: 3 })).rejects.toThrow('the chain has only 2 blocks above genesis; mine more');
    await expect(reorg(client, { depth: 1, address: '0x12' })).rejects.toThrow('0x12 is no address');
  });

  test('as deep as nodes go back is done', async () => {
    await using node = await testNode();
    const { client } = node;
    await client.block.generate.mutate({ address: walletKey(0).address, count: DEEPEST_REORG + 1 });
    const { disconnected } = await reorg(client, { depth: DEEPEST_REORG });
    expect(disconnected).toHaveLength(DEEPEST_REORG);
    const first = await client.block.get.query({ block: toHeight(1) });
    expect(disconnected).not.toContain(first.hash);
  });

  test('starts again when a block comes in between, and gives up where they keep coming', async () => {
    await using node = await testNode();
    const { client } = node;
    await mineBlocks(client, walletKey(0).address, 5);
    let times = 1;
    const restless = lyingClient(client, {
      'block.last': async (last: unknown) => {
        if (times-- > 0) await mineBlocks(client, walletKey(0).address, 1);
        return last;
      },
    });
    expect((await reorg(restless, { depth: 1 })).connected).toHaveLength(2);
    times = Number.POSITIVE_INFINITY;
    await expect(reorg(restless, { depth: 1 })).rejects.toThrow('the chain moved 5 times while its top was read');
  });

  test('that is outrun by other blocks says so', async () => {
    await using node = await testNode();
    const { client } = node;
    await mineBlocks(client, walletKey(0).address, 5);
    const racing = lyingClient(client, {
      'node.ping': async (ping: unknown) => {
        await mineBlocks(client, walletKey(0).address, 2);
        return ping;
      },
    });
    await expect(reorg(racing, { depth: 1 })).rejects.toThrow('the new branch up to height 6 is side, not connected');
  });
});
