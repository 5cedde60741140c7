import { describe, expect, test } from 'vitest';
import type { Client } from '../../../client/createClient.js';
import { Wallet } from '../../../client/wallet/wallet.js';
import { toBase64 } from '../../../shared/bytes/base64.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import { parseNetwork } from '../../../shared/consensus/params.js';
import { coins } from '../../../shared/model/amount.js';
import type { Block } from '../../../shared/model/block.js';
import type { ChainView } from '../../../shared/rpc/infoSchemas.js';
import { auditNode } from '../../kit/actions/audit.js';
import { mineBlocks } from '../../kit/actions/mineBlocks.js';
import { coinbase, testKey } from '../../kit/builders.js';
import { judgeChain } from '../../kit/model/judgeChain.js';
import { networkOf } from '../../kit/model/network.js';
import { networkOfParams } from '../../kit/model/networkOfParams.js';
import { TestChain } from '../../kit/testChain.js';
import { walletKey } from '../../kit/wallets.js';
import { type Lies, lyingClient } from '../../support/lyingClient.js';
import { type TestNode, testNode } from '../../support/testNode.js';

const params = NETWORKS.dev;

/** Blocks to two addresses, a payment in the last, and one that still waits. */
async function busyNode(): Promise<TestNode> {
  const node = await testNode();
  const { client } = node;
  const [alice, bob] = [0, 1].map((i) => new Wallet({ client, key: walletKey(i) }));
  if (alice === undefined || bob === undefined) throw new Error('no wallets');
  await mineBlocks(client, alice.address, 4);
  await alice.send({ recipients: [{ to: bob.address, amount: coins('1') }] });
  await mineBlocks(client, bob.address, 1);
  await bob.send({ recipients: [{ to: alice.address, amount: coins('0.5') }] });
  return node;
}

/** A chain handed to a node, and lies that put one more block on it. */
async function crowned(client: Client, { chain, tip, crown }: { chain: TestChain; tip: Block; crown: Block }) {
  const { height, hash } = crown.header;
  expect(chain.contextOf(tip).hash).toBe(crown.header.previous);
  return lyingClient(client, {
    'info.chain': (said: ChainView): ChainView => ({ ...said, height, tip: hash }),
    'block.range': ({ blocks }: { blocks: string[] }) => ({ blocks: [...blocks, toBase64(crown.raw)] }),
  });
}

describe('an audit', () => {
  test('finds nothing wrong with a node that tells the truth, money under way or not', async () => {
    await using node = await busyNode();
    expect(await auditNode(node.client, params)).toBeUndefined();
  });

  test('reads all pages of a chain and of its coins', async () => {
    await using node = await testNode();
    await node.client.block.generate.mutate({ address: walletKey(0).address, count: 130 });
    for (let i = 1; i <= 101; i++) await mineBlocks(node.client, testKey(i).address, 1);
    expect(await auditNode(node.client, params)).toBeUndefined();
  });

  const lies: readonly [said: string, lies: Lies, fault: RegExp][] = [
    [
      'its supply',
      { 'info.chain': (chain: ChainView) => ({ ...chain, supply: chain.supply + 1n }) },
      /^supply: the node says 750000001, its blocks come to 750000000$/,
    ],
    ['its height', { 'info.chain': (chain: ChainView) => ({ ...chain, height: chain.height - 1 }) }, /^tip: /],
    ['its work', { 'info.chain': (chain: ChainView) => ({ ...chain, work: chain.work + 1n }) }, /^work: /],
    ['its name', { 'info.chain': (chain: ChainView) => ({ ...chain, name: 'main' }) }, /^name: .*main.*dev/],
    [
      'the next reward',
      { 'info.chain': (chain: ChainView) => ({ ...chain, blockReward: 1n }) },
      /^blockReward: the node says 1, its blocks come to 150000000$/,
    ],
    [
      'how many transactions there are',
      { 'info.chain': (chain: ChainView) => ({ ...chain, totalTransactions: 6 }) },
      /^totalTransactions: the node says 6, its blocks come to 7$/,
    ],
    [
      'how many addresses there are',
      { 'info.chain': (chain: ChainView) => ({ ...chain, totalAddresses: 3 }) },
      /^totalAddresses: the node says 3, its blocks come to 2$/,
    ],
    [
      'the ten richest',
      { 'info.chain': (chain: ChainView) => ({ ...chain, richList: chain.richList.slice(1) }) },
      /^info.chain richList row 0: the node says 0x/,
    ],
    [
      'the order of the rich list',
      { 'info.richList': ({ items, next }: { items: object[]; next: null }) => ({ items: items.toReversed(), next }) },
      /^info.richList row 0: the node says 0x/,
    ],
    [
      'the end of the rich list',
      { 'info.richList': ({ items, next }: { items: object[]; next: null }) => ({ items: items.slice(0, 1), next }) },
      /^info.richList row 1: the node says nothing, its blocks come to 0x/,
    ],
    ...(['balance', 'received', 'sent', 'transactionCount', 'coinCount'] as const).map(
      (figure): [string, Lies, RegExp] => [
        `the ${figure} of an address`,
        { 'info.address': (view: object) => ({ ...view, [figure]: 77 }) },
        new RegExp(`^${figure} of 0x[0-9a-f]{40}: the node says 77, its blocks come to \\d+$`),
      ],
    ),
    [
      'the coins of an address',
      { 'info.utxos': ({ items, ...page }: { items: object[] }) => ({ ...page, items: items.slice(1) }) },
      /^utxos of 0x/,
    ],
    [
      'when a coin may be spent',
      {
        'info.utxos': ({ items, ...page }: { items: { spendableAt: number }[] }) => ({
          ...page,
          items: items.map((coin) => ({ ...coin, spendableAt: coin.spendableAt + 1 })),
        }),
      },
      /^utxos of 0x/,
    ],
  ];

  test.each(lies)('notices a lie about %s', async (_said, lie, fault) => {
    await using node = await busyNode();
    expect(await auditNode(lyingClient(node.client, lie), params)).toMatch(fault);
  });

  test('notices a block that no rule lets pass, and says which and why', async () => {
    await using node = await testNode();
    const { client } = node;
    const chain = new TestChain(params);
    const blocks = chain.grow(chain.genesis, 3);
    for (const { raw } of blocks) await client.block.submit.mutate({ block: toBase64(raw) });
    const tip = blocks.at(-1) ?? chain.genesis;
    const greedy = coinbase({ params, height: 4, address: testKey(1).address, fees: 1n });
    const crown = chain.raw(tip, [greedy]);
    expect(await auditNode(await crowned(client, { chain, tip, crown }), params)).toBe(
      `block 4 (${crown.header.hash}) stands on the active chain, but by the rules it is block-coinbase-value`,
    );
  });

  test('judges timestamps by the clock of the node', async () => {
    await using node = await testNode();
    const { client } = node;
    const chain = new TestChain(params);
    const [tip = chain.genesis] = chain.grow(chain.genesis, 1);
    await client.block.submit.mutate({ block: toBase64(tip.raw) });
    const { time } = await client.node.ping.query();
    const crown = chain.extend(tip, { timestamp: time + 3_600_000 });
    const lying = await crowned(client, { chain, tip, crown });
    expect(await auditNode(lying, params)).toMatch(/^block 2 .* header-time-future$/);
    const late = lyingClient(lying, { 'node.ping': (ping: object) => ({ ...ping, time: time + 3_600_000 }) });
    expect(await auditNode(late, params)).toMatch(/^work: /);
  });

  test('notices another network', async () => {
    await using node = await testNode();
    expect(await auditNode(node.client, NETWORKS.test)).toMatch(/^block 0 is not the genesis of network test, /);
  });

  test('starts again when the chain moves, whatever it found, and gives up where it never stands still', async () => {
    await using node = await busyNode();
    const { client } = node;
    let times = 1;
    const moving = lyingClient(client, {
      'block.range': async () => {
        if (times-- <= 0) return undefined;
        await mineBlocks(client, walletKey(0).address, 1);
        return { blocks: Array.from({ length: 100 }, () => 'no base64') };
      },
    });
    expect(await auditNode(moving, params)).toBeUndefined();
    times = Number.POSITIVE_INFINITY;
    await expect(auditNode(moving, params)).rejects.toThrow('the chain moved at each of 5 readings');
  });

  test('fails where the node does while its chain stands still', async () => {
    await using node = await busyNode();
    const failing = lyingClient(node.client, {
      'info.richList': () => {
        throw new Error('the disk is gone');
      },
    });
    await expect(auditNode(failing, params)).rejects.toThrow('the disk is gone');
  });
});

describe('the second validator', () => {
  const file = {
    name: 'mine',
    blockIntervalSeconds: 7,
    retarget: 'asert',
    halfLifeIntervals: 20,
    genesisBits: 0x207fffff,
    reward: '1.25',
    halvingInterval: 3,
    coinbaseMaturity: 4,
    maxSupply: '1000',
    minimumWork: '9',
    upgrades: [{ height: 3, version: 2 }],
    nodePort: 45_000,
  } as const;

  test('knows a network by its parameters as by its file', () => {
    expect(networkOfParams(parseNetwork(file))).toEqual(networkOf({ ...file, upgrades: [...file.upgrades] }));
  });

  test('asks for the least work of a whole chain, not of its first blocks, and not of genesis', () => {
    const chain = new TestChain(parseNetwork(file));
    const network = networkOfParams(chain.params);
    const blocks = chain.grow(chain.genesis, 5).map(({ raw }) => raw);
    const judge = (count: number) =>
      judgeChain([chain.genesis.raw, ...blocks.slice(0, count)], { network, now: 1_000_000 });
    expect(judge(0).ok).toBe(true);
    expect(judge(4)).toEqual({ ok: false, reject: 'the chain has a work of 8, and the network asks for 9' });
    expect(judge(5).ok).toBe(true);
  });

  test('takes what is no block for what it is', () => {
    const network = networkOfParams(params);
    const { genesis } = new TestChain(params);
    expect(judgeChain([genesis.raw, new Uint8Array(0)], { network, now: 0 })).toEqual({
      ok: false,
      reject: 'block 1 (of no hash) stands on the active chain, but by the rules it is block-malformed',
    });
    expect(judgeChain([], { network, now: 0 }).ok).toBe(false);
  });
});
