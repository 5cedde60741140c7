import { describe, expect, test } from 'vitest';
import { Wallet } from '../../client/wallet/wallet.js';
import { PROTOCOL_VERSION } from '../../shared/rpc/nodeSchemas.js';
import { WORDS } from '../codes/walletCases.js';
import { eventually } from '../support/eventually.js';
import { peerOf } from '../support/peerOf.js';
import { type TestNode, testNode } from '../support/testNode.js';
import { version1Node } from './version1Node.js';

const BOB = '0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF';

async function agree(a: TestNode, b: TestNode, height: number): Promise<void> {
  for (const { client } of [a, b])
    await eventually(`height ${height}`, async () => (await client.info.chain.query()).height === height);
  const tips = await Promise.all([a, b].map(async ({ client }) => (await client.info.chain.query()).tip));
  expect(new Set(tips).size).toBe(1);
}

async function waitingOn({ client }: TestNode, txid: string): Promise<void> {
  await eventually('the transaction waits', async () =>
    (await client.transaction.list.query({})).items.some((item) => item.txid === txid),
  );
}

async function connectedTo({ client }: TestNode, url: string): Promise<void> {
  await eventually('connected', async () =>
    (await client.node.list.query()).nodes.some((node) => node.url === url && node.connected),
  );
}

describe('a node of the version before', () => {
  test('meets, synchronizes and relays with today’s, both ways, and neither sends what the other cannot read', async () => {
    await using today = await testNode();
    const wallet = new Wallet({ client: today.client, words: WORDS });
    await today.client.block.generate.mutate({ address: wallet.address, count: 10 });
    await using former = await version1Node({ peers: [today.url] });
    await agree(today, former, 10);
    await connectedTo(former, today.url);
    await connectedTo(today, former.url);

    await today.client.block.generate.mutate({ address: wallet.address });
    await agree(today, former, 11);
    await former.client.block.generate.mutate({ address: wallet.address });
    await agree(today, former, 12);

    const { txid } = await wallet.send({ recipients: [{ to: BOB, amount: 1_000n }] });
    await waitingOn(former, txid);
    const later = new Wallet({ client: former.client, words: WORDS });
    const { txid: second } = await later.send({ recipients: [{ to: BOB, amount: 2_000n }] });
    await waitingOn(today, second);
    await former.client.block.generate.mutate({ address: wallet.address });
    await agree(today, former, 13);
    expect(former.violations).toEqual([]);
  });

  test('finds today’s nodes by being dialled, too', async () => {
    await using former = await version1Node();
    await former.client.block.generate.mutate({ address: BOB, count: 3 });
    await using today = await testNode({ config: { peers: [former.url] } });
    await agree(today, former, 3);
    expect(former.violations).toEqual([]);
  });
});

test('a caller of a later version is answered in ours, whatever more it says of itself', async () => {
  await using node = await testNode();
  const { genesis, tip } = await node.client.node.ping.query();
  const hello = { protocol: PROTOCOL_VERSION + 1, contract: 'ab'.repeat(8), capabilities: ['telepathy'], genesis, tip };
  const rest = { url: null, nonce: '00'.repeat(16), userAgent: 'later', mood: 'curious' };
  const answer = await node.client.node.hello.mutate({ ...hello, ...rest });
  expect(answer.protocol).toBe(PROTOCOL_VERSION);
  expect(answer.contract).toMatch(/^[0-9a-f]{16}$/);
  expect((await node.client.node.self.query()).contract).toBe(answer.contract);
  await expect(peerOf(node)).resolves.toBeDefined();
});
