import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type Client, createClient } from '../../client/createClient.js';
import { reasonOf } from '../../client/failure.js';
import { Wallet } from '../../client/wallet/wallet.js';
import { MAX_SUBSCRIPTIONS_PER_ADDRESS } from '../../server/events/subscriptions.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { BlockChange, TransactionChange } from '../../shared/rpc/events.js';
import { WORDS } from '../codes/walletCases.js';
import { present } from '../kit/assertOk.js';
import { eventually } from '../support/eventually.js';
import { temporaryDirectory } from '../support/temporary.js';
import { type TestNode, testNode } from '../support/testNode.js';

const ADDRESS = '0x9858EfFD232B4033E47d90003D41EC34EcaEda94';
const OTHER = '0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF';

interface Heard<Change> extends Disposable {
  readonly changes: Change[];
  readonly errors: unknown[];
}

function hearBlocks({ block }: Client, after?: BlockHash): Heard<BlockChange> {
  const [changes, errors]: [BlockChange[], unknown[]] = [[], []];
  const { unsubscribe } = block.onChange.subscribe(
    { after },
    { onData: ({ data }) => changes.push(data), onError: (error) => errors.push(error) },
  );
  return { changes, errors, [Symbol.dispose]: unsubscribe };
}

function hearTransactions({ transaction }: Client, addresses?: string[]): Heard<TransactionChange> {
  const [changes, errors]: [TransactionChange[], unknown[]] = [[], []];
  const { unsubscribe } = transaction.onChange.subscribe(
    { addresses },
    { onData: ({ data }) => changes.push(data), onError: (error) => errors.push(error) },
  );
  return { changes, errors, [Symbol.dispose]: unsubscribe };
}

const mine = (node: TestNode, count: number, address = ADDRESS) =>
  node.client.block.generate.mutate({ address, count });

/** A subscription as any client may open it, with its first bytes. */
async function openRaw(url: string, path: string): Promise<{ status: string; socket: ReturnType<typeof connect> }> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(`GET /trpc/${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/event-stream\r\n\r\n`);
  const [first] = await once(socket, 'data');
  return { status: String(first).split('\r\n', 1)[0] ?? '', socket };
}

describe('subscriptions over HTTP', () => {
  test('a client hears each change as it comes, for longer than any request may take', async () => {
    await using node = await testNode();
    // No request of this client could be answered in time.
    using heard = hearBlocks(createClient({ url: node.url, timeoutMs: 1 }));
    await eventually('the start', async () => heard.changes.length === 1);
    const { hashes } = await mine(node, 3);
    await eventually('three blocks', async () => heard.changes.length === 4);
    expect(heard.changes.map(({ kind }) => kind)).toEqual(['reset', 'connected', 'connected', 'connected']);
    expect(heard.changes.slice(1).map(({ hash }) => hash)).toEqual(hashes);
    expect(heard.errors).toEqual([]);
  });

  test('a client whose node was away, and is on another branch since, hears what it missed once each', async () => {
    await using home = await temporaryDirectory();
    const config = { dataDir: home.path };
    let port: number;
    let old: readonly BlockHash[];
    let heard: Heard<BlockChange>;
    {
      await using node = await testNode({ config });
      port = Number(new URL(node.url).port);
      old = (await mine(node, 4)).hashes;
      heard = hearBlocks(node.client, old[3]);
      const { hashes } = await mine(node, 1);
      await eventually('one block', async () => heard.changes.length === 1);
      expect(heard.changes[0]).toMatchObject({ kind: 'connected', hash: hashes[0] });
      old = [...old, ...hashes];
    }
    using _ = heard;
    let branch: readonly BlockHash[];
    {
      // The client does not find this one: it listens elsewhere.
      await using elsewhere = await testNode({ config });
      await elsewhere.client.block.invalidate.mutate({ block: present(old[2]) });
      branch = (await mine(elsewhere, 4, OTHER)).hashes;
    }
    await using again = await testNode({ config: { ...config, port } });
    expect((await again.client.info.chain.query()).tip).toBe(branch[3]);
    await eventually('all that was missed', async () => heard.changes.length === 8);
    expect(heard.changes.slice(1).map(({ kind, hash }) => `${kind} ${hash}`)).toEqual([
      ...[4, 3, 2].map((i) => `disconnected ${old[i]}`),
      ...branch.map((hash) => `connected ${hash}`),
    ]);
    expect(heard.errors).toEqual([]);
  });

  test('a wallet hears of its payment: waiting, then confirmed', async () => {
    await using node = await testNode();
    const wallet = new Wallet({ client: node.client, words: WORDS });
    await mine(node, 4, wallet.address);
    using heard = hearTransactions(createClient({ url: node.url }), [OTHER]);
    await eventually('the start', async () => heard.changes.length === 1);
    const { txid } = await wallet.send({ recipients: [{ to: OTHER, amount: 1_000_000n }] });
    await eventually('the payment', async () => heard.changes.length === 2);
    const { hashes } = await mine(node, 1);
    await eventually('the confirmation', async () => heard.changes.length === 3);
    expect(heard.changes.slice(1)).toEqual([
      expect.objectContaining({ kind: 'waiting', txid }),
      { kind: 'confirmed', txid, height: 5, hash: hashes[0], position: 1, cursor: `${hashes[0]}:2` },
    ]);
  });

  test('a cursor that is none is refused with a typed error, and the subscription ends', async () => {
    await using node = await testNode();
    using heard = hearBlocks(node.client, 'last' as BlockHash);
    await eventually('the refusal', async () => heard.errors.length === 1);
    expect(reasonOf(heard.errors[0])?.code).toBe('bad-request');
    expect(heard.changes).toEqual([]);
  });

  test('more than one address may hold are refused as busy, and room is there again when one ends', async () => {
    await using node = await testNode();
    const sockets = [];
    for (let i = 0; i < MAX_SUBSCRIPTIONS_PER_ADDRESS; i++) {
      const { status, socket } = await openRaw(node.url, 'block.onChange?input={"json":{}}');
      expect(status).toContain('200');
      sockets.push(socket);
    }
    using heard = hearBlocks(node.client);
    const refused = await fetch(`${node.url}/trpc/block.onChange?input={"json":{}}`);
    expect(await refused.text()).toContain('"code":"busy"');
    expect(heard.changes).toEqual([]);
    // A client waits for its turn: it tries again by itself.
    sockets.pop()?.destroy();
    await eventually('room', async () => heard.changes.length === 1);
    for (const socket of sockets) socket.destroy();
  });

  test('a client that subscribes, reads nothing and goes away harms nobody', async () => {
    await using node = await testNode();
    const { socket } = await openRaw(node.url, 'transaction.onChange?input={"json":{}}');
    socket.pause();
    for (let i = 0; i < 4; i++) await mine(node, 100);
    socket.destroy();
    expect((await mine(node, 1)).hashes).toHaveLength(1);
    expect((await node.client.info.health.query()).ok).toBe(true);
  });
});
