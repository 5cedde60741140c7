import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../client/createClient.js';
import { Wallet } from '../../client/wallet/wallet.js';
import { parseHeaders } from '../../server/sync/bodies.js';
import { parseBase64, toBase64 } from '../../shared/bytes/base64.js';
import { fromHex } from '../../shared/bytes/hex.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import { decodeBlock, sealBlock } from '../../shared/model/block.js';
import { compactBlockOf, encodeCompactBlock } from '../../shared/model/compactBlock.js';
import { decodeHeader, encodeHeader } from '../../shared/model/header.js';
import type { BlockHash, TxId, Wtxid } from '../../shared/model/ids.js';
import { decodeTransaction } from '../../shared/model/transaction.js';
import { MAX_MISSING, MAX_TEMPLATE_WAIT_MS } from '../../shared/rpc/blockSchemas.js';
import type { BlockChange, TransactionChange } from '../../shared/rpc/events.js';
import { PROTOCOL_VERSION } from '../../shared/rpc/nodeSchemas.js';
import { appRouter } from '../../shared/rpc/router.js';
import { WORDS } from '../codes/walletCases.js';
import { present } from '../kit/assertOk.js';
import { mine } from '../kit/builders.js';
import { closedUrl } from '../support/closedUrl.js';
import { allEngines } from '../support/engines.js';
import { eventually } from '../support/eventually.js';
import { failureFrom } from '../support/failureFrom.js';
import { peerOf } from '../support/peerOf.js';
import { type TestNode, testNode } from '../support/testNode.js';

const BOB = '0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF';
const UNKNOWN = 'ab'.repeat(32);
const DEV = NETWORKS.dev;

/** One chain that all cases read: five blocks, the last with one payment, and another payment that waits. */
interface Scene {
  readonly node: TestNode;
  readonly client: Client;
  readonly wallet: Wallet;
  readonly own: string;
  readonly hashes: readonly BlockHash[];
  readonly paid: TxId;
  readonly waiting: { txid: TxId; wtxid: Wtxid };
}

let scene: Scene;

beforeAll(async () => {
  const node = await testNode();
  const { client } = node;
  const wallet = new Wallet({ client, words: WORDS });
  const own = wallet.address;
  const { hashes } = await client.block.generate.mutate({ address: own, count: 4 });
  const { txid: paid } = await wallet.send({ recipients: [{ to: BOB, amount: 1_000_000n }] });
  const [fifth] = (await client.block.generate.mutate({ address: own })).hashes;
  const waiting = await wallet.send({ recipients: [{ to: BOB, amount: 2_000_000n }] });
  scene = { node, client, wallet, own, hashes: [...hashes, present(fifth)], paid, waiting };
});

afterAll(() => scene.node[Symbol.asyncDispose]());

/** The first event of a subscription. */
function firstOf<Change>(
  subscribe: (listener: { onData: (event: { data: Change }) => void; onError: (error: unknown) => void }) => {
    unsubscribe(): void;
  },
): Promise<Change> {
  return new Promise((resolve, reject) => {
    const subscription = subscribe({
      onData({ data }) {
        subscription.unsubscribe();
        resolve(data);
      },
      onError: reject,
    });
  });
}

/** Every procedure of the contract with what it answers on that chain. */
const cases: Record<string, () => Promise<void>> = {
  'block.get': async () => {
    const { client, hashes, own } = scene;
    const byHeight = await client.block.get.query({ block: 5 });
    expect(byHeight).toMatchObject({
      height: 5,
      transactionCount: 2,
      creator: own,
      reward: 150_000_000n,
      active: true,
      confirmations: 1,
    });
    expect(byHeight.fees).toBeGreaterThan(0n);
    expect(await client.block.get.query({ block: present(hashes[4]) })).toEqual(byHeight);
    expect(await client.block.get.query({ block: 'last' })).toEqual(byHeight);
    expect((await client.block.get.query({ block: 2 })).confirmations).toBe(4);
    expect((await failureFrom(client.block.get.query({ block: 6 }))).code).toBe('not-found');
  },
  'block.last': async () => {
    expect((await scene.client.block.last.query()).hash).toBe(scene.hashes[4]);
  },
  'block.list': async () => {
    const { client } = scene;
    const heights: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await client.block.list.query({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
      heights.push(...page.items.map(({ height }) => height));
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(heights).toEqual([5, 4, 3, 2, 1, 0]);
    expect((await failureFrom(client.block.list.query({ cursor: 'nonsense' }))).code).toBe('bad-request');
  },
  'block.headers': async () => {
    const { client, hashes } = scene;
    const answer = await client.block.headers.query({ locator: ['00'.repeat(32), present(hashes[1])], limit: 2 });
    expect(present(parseHeaders(answer.headers)).map(({ hash }) => hash)).toEqual(hashes.slice(2, 4));
    const none = await client.block.headers.query({ locator: [present(hashes[4])] });
    expect(none.headers).toBe('');
    const all = await client.block.headers.query({ locator: ['11'.repeat(32)] });
    expect(present(parseHeaders(all.headers))).toHaveLength(6);
  },
  'block.range': async () => {
    const { client, hashes } = scene;
    const { blocks } = await client.block.range.query({ from: 3, count: 9 });
    expect(blocks.map(hashOfRaw)).toEqual(hashes.slice(2));
    expect((await client.block.range.query({ from: present(hashes[0]), count: 1 })).blocks).toHaveLength(1);
  },
  'block.raw': async () => {
    const { client, hashes } = scene;
    const { hash, raw } = await client.block.raw.query({ block: 'last' });
    expect([hash, hashOfRaw(raw)]).toEqual([hashes[4], hashes[4]]);
  },
  'block.transactions': async () => {
    const { client, paid } = scene;
    const first = await client.block.transactions.query({ block: 5, limit: 1 });
    expect(first.items.map(({ kind }) => kind)).toEqual(['coinbase']);
    const second = await client.block.transactions.query({ block: 5, cursor: present(first.next) });
    expect(second.items.map(({ txid }) => txid)).toEqual([paid]);
    expect(second.next).toBeNull();
  },
  'block.transaction': async () => {
    const { client, paid, hashes, own } = scene;
    const view = await client.block.transaction.query({ block: 5, transaction: paid });
    expect(await client.block.transaction.query({ block: 'last', transaction: 1 })).toEqual(view);
    expect(view).toMatchObject({
      txid: paid,
      kind: 'transfer',
      block: { hash: hashes[4], height: 5, position: 1, confirmations: 1 },
    });
    const [input] = view.inputs;
    expect(input).toMatchObject({ position: 0, address: own, value: 150_000_000n });
    expect(view.value + present(view.fee)).toBe(150_000_000n);
    expect((await failureFrom(client.block.transaction.query({ block: 5, transaction: 7 }))).code).toBe('not-found');
  },
  'block.inputs': async () => {
    const { client, own } = scene;
    const { items, next } = await client.block.inputs.query({ block: 5, transaction: 1 });
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ address: own, value: 150_000_000n });
    expect(next).toBeNull();
    expect(await client.block.inputs.query({ block: 5, transaction: 0 })).toEqual({ items: [], next: null });
  },
  'block.input': async () => {
    const { client } = scene;
    const input = await client.block.input.query({ block: 5, transaction: 1, input: 0 });
    expect(input).toEqual((await client.block.inputs.query({ block: 5, transaction: 1 })).items[0]);
    expect((await failureFrom(client.block.input.query({ block: 5, transaction: 1, input: 1 }))).code).toBe(
      'not-found',
    );
  },
  'block.outputs': async () => {
    const { client } = scene;
    const first = await client.block.outputs.query({ block: 5, transaction: 1, limit: 1 });
    expect(first.items).toEqual([{ position: 0, address: BOB, value: 1_000_000n }]);
    const second = await client.block.outputs.query({ block: 5, transaction: 1, cursor: present(first.next) });
    expect(second.items.map(({ position }) => position)).toEqual([1]);
    expect(second.next).toBeNull();
  },
  'block.output': async () => {
    const output = await scene.client.block.output.query({ block: 5, transaction: 1, output: 0 });
    expect(output).toEqual({ position: 0, address: BOB, value: 1_000_000n });
  },
  'block.template': async () => {
    const { client, own, hashes } = scene;
    const template = await client.block.template.query({ address: own });
    expect(template).toMatchObject({ height: 6, previous: hashes[4], transactionCount: 2, reward: 150_000_000n });
    // A long poll ends as soon as the tip moves; this one would last longer than the test otherwise.
    await using other = await testNode();
    const first = await other.client.block.template.query({ address: own });
    const polling = other.client.block.template.query({
      address: own,
      current: first.id,
      waitMs: MAX_TEMPLATE_WAIT_MS,
    });
    await other.client.block.generate.mutate({ address: own });
    expect((await polling).height).toBe(2);
  },
  'block.submit': async () => {
    const { own } = scene;
    await using node = await testNode();
    const template = await node.client.block.template.query({ address: own });
    const header = mine(present(decoded(decodeHeader(fromHex(template.header)))));
    const { timestamp, nonce } = header;
    const solved = { template: template.id, timestamp, nonce };
    expect(await node.client.block.submit.mutate(solved)).toEqual({
      hash: header.hash,
      height: 1,
      status: 'connected',
    });
    expect((await node.client.block.submit.mutate(solved)).status).toBe('known');
    const { raw } = await scene.client.block.raw.query({ block: 1 });
    expect((await node.client.block.submit.mutate({ block: raw })).status).toBe('side');
    expect((await failureFrom(node.client.block.submit.mutate({ ...solved, template: '00'.repeat(8) }))).code).toBe(
      'not-found',
    );
  },
  'block.missing': async () => {
    const { client, hashes } = scene;
    const fifth = present(hashes[4]);
    const { raw } = await client.block.raw.query({ block: 5 });
    const block = present(decoded(decodeBlock(present(parseBase64(raw)))));
    const whole = block.transactions.map((transaction) => toBase64(transaction.raw));
    const { missing } = client.block;
    expect(await missing.query({ block: fifth, positions: [0, 1] })).toEqual({ transactions: whole });
    expect(await missing.query({ block: fifth, positions: [1] })).toEqual({ transactions: whole.slice(1) });
    expect((await failureFrom(missing.query({ block: fifth, positions: [1, 2] }))).code).toBe('not-found');
    expect((await failureFrom(missing.query({ block: UNKNOWN, positions: [0] }))).code).toBe('not-found');
    for (const positions of [[], [1, 0], [0, 0], Array.from({ length: MAX_MISSING + 1 }, (_, i) => i)])
      expect((await failureFrom(missing.query({ block: fifth, positions }))).code).toBe('bad-request');
  },
  'block.announce': async () => {
    const { client, node } = scene;
    const peer = await peerOf(node);
    const { raw } = await client.block.raw.query({ block: 5 });
    const block = present(decoded(decodeBlock(present(parseBase64(raw)))));
    const { header } = block;
    const compact = encodeCompactBlock(present(compactBlockOf(block)));
    const [encoded, short] = [toBase64(encodeHeader(header)), toBase64(compact)];
    expect(await peer.block.announce.mutate({ header: encoded, compact: short })).toEqual({ known: true });
    const other = toBase64(encodeHeader(mine({ ...header, timestamp: header.timestamp + 1 })));
    expect((await failureFrom(peer.block.announce.mutate({ header: other, compact: short }))).code).toBe('bad-request');
    const cut = { header: encoded, compact: toBase64(compact.subarray(1)) };
    expect((await failureFrom(peer.block.announce.mutate(cut))).code).toBe('block-malformed');
    expect(await peer.block.announce.mutate({ header: toBase64(encodeHeader(header)) })).toEqual({ known: true });
    const unknown = mine({ ...header, timestamp: header.timestamp + 1 });
    expect(await peer.block.announce.mutate({ header: toBase64(encodeHeader(unknown)) })).toEqual({ known: false });
    expect((await failureFrom(client.block.announce.mutate({ header: '' }))).code).toBe('unauthorized');
  },
  'block.generate': async () => {
    await using main = await testNode({ params: NETWORKS.main });
    expect((await failureFrom(main.client.block.generate.mutate({ address: BOB }))).code).toBe('bad-request');
  },
  'block.onChange': async () => {
    const { client, hashes } = scene;
    const first = await firstOf<BlockChange>((listener) =>
      client.block.onChange.subscribe({ after: hashes[3] }, listener),
    );
    const [previous, hash] = [hashes[3], hashes[4]];
    expect(first).toEqual({ kind: 'connected', height: 5, hash, previous, cursor: hash });
  },
  'transaction.onChange': async () => {
    const { client, hashes, paid } = scene;
    const watch = { after: `${hashes[3]}:1`, txids: [paid] };
    const first = await firstOf<TransactionChange>((listener) =>
      client.transaction.onChange.subscribe(watch, listener),
    );
    const cursor = `${hashes[4]}:2`;
    expect(first).toEqual({ kind: 'confirmed', txid: paid, height: 5, hash: hashes[4], position: 1, cursor });
  },
  'block.invalidate': async () => {
    await using node = await testNode();
    const { hashes } = await node.client.block.generate.mutate({ address: BOB, count: 3 });
    const { tip } = await node.client.block.invalidate.mutate({ block: present(hashes[1]) });
    expect(tip).toMatchObject({ height: 1, hash: hashes[0] });
    const { hash: genesis } = await node.client.block.get.query({ block: 0 });
    expect((await failureFrom(node.client.block.invalidate.mutate({ block: genesis }))).code).toBe('bad-request');
    expect((await failureFrom(node.client.block.invalidate.mutate({ block: UNKNOWN }))).code).toBe('not-found');
  },
  'block.reconsider': async () => {
    await using node = await testNode();
    const { hashes } = await node.client.block.generate.mutate({ address: BOB, count: 3 });
    await node.client.block.invalidate.mutate({ block: present(hashes[0]) });
    const { tip } = await node.client.block.reconsider.mutate({ block: present(hashes[1]) });
    expect(tip).toMatchObject({ height: 3, hash: hashes[2] });
  },
  'transaction.get': async () => {
    const { client, paid, waiting } = scene;
    expect((await client.transaction.get.query({ txid: paid })).block).toMatchObject({ height: 5, position: 1 });
    const view = await client.transaction.get.query({ txid: waiting.txid });
    expect(view).toMatchObject({ wtxid: waiting.wtxid, block: null });
    expect(view.inputs[0]?.value).not.toBeNull();
  },
  'transaction.list': async () => {
    const { items, next } = await scene.client.transaction.list.query({});
    expect(items.map(({ txid }) => txid)).toEqual([scene.waiting.txid]);
    expect(next).toBeNull();
  },
  'transaction.ids': async () => {
    const { client, waiting } = scene;
    expect(await client.transaction.ids.query({})).toEqual({ items: [waiting.wtxid], next: null });
    expect(await client.transaction.ids.query({ cursor: waiting.wtxid })).toEqual({ items: [], next: null });
  },
  'transaction.raw': async () => {
    const { client, waiting } = scene;
    const { transactions } = await client.transaction.raw.query({ wtxids: ['00'.repeat(32), waiting.wtxid] });
    expect(transactions).toHaveLength(1);
    const transaction = present(decoded(decodeTransaction(present(parseBase64(present(transactions[0]))))));
    expect(transaction.wtxid).toBe(waiting.wtxid);
    const byTxid = { wtxids: [], txids: ['00'.repeat(32), waiting.txid] };
    expect(await client.transaction.raw.query(byTxid)).toEqual({ transactions });
    // Named both ways, it comes once.
    expect(await client.transaction.raw.query({ ...byTxid, wtxids: [waiting.wtxid] })).toEqual({ transactions });
    const many = Array<string>(600).fill(waiting.txid);
    for (const wrong of [{ wtxids: [] }, { wtxids: [], txids: [] }, { wtxids: many, txids: many }])
      expect((await failureFrom(client.transaction.raw.query(wrong))).code).toBe('bad-request');
  },
  'transaction.submit': async () => {
    const { client, waiting } = scene;
    const { transactions } = await client.transaction.raw.query({ wtxids: [waiting.wtxid] });
    const again = client.transaction.submit.mutate({ transaction: present(transactions[0]) });
    expect(await failureFrom(again)).toEqual({ code: 'pool-known', txid: waiting.txid, confirmedAt: null });
    // In a list, what waits already is passed over.
    const list = await client.transaction.submit.mutate({ transactions: [present(transactions[0])] });
    expect(list).toMatchObject({ txid: waiting.txid, parents: [] });
    const many = Array<string>(26).fill(present(transactions[0]));
    expect((await failureFrom(client.transaction.submit.mutate({ transactions: many }))).code).toBe('bad-request');
  },
  'transaction.status': async () => {
    const { client, paid, waiting, hashes } = scene;
    const confirmed = { state: 'confirmed', txid: paid, height: 5, hash: hashes[4], position: 1, depth: 1 };
    expect(await client.transaction.status.query({ txid: paid })).toEqual(confirmed);
    const { txid } = waiting;
    expect(await client.transaction.status.query({ txid })).toMatchObject({ state: 'pending', ahead: { count: 0 } });
    const unknown = { state: 'unknown', txid: UNKNOWN };
    expect(await client.transaction.status.query({ txid: UNKNOWN })).toEqual(unknown);
  },
  'transaction.explain': async () => {
    const { client, waiting } = scene;
    const { transactions } = await client.transaction.raw.query({ wtxids: [waiting.wtxid] });
    const known = await client.transaction.explain.query({ transaction: present(transactions[0]) });
    const reason = { code: 'pool-known', txid: waiting.txid, confirmedAt: null };
    expect(known).toMatchObject({ accepted: false, txid: waiting.txid, missing: [], conflicts: [] });
    expect(known.fee).toBeGreaterThan(0n);
    expect(known.rules[2]).toEqual({ code: 'pool-known', result: 'failed', reason });
    const { rules } = await client.transaction.explain.query({ transaction: 'AAEC' });
    expect(rules[0]).toMatchObject({ code: 'tx-malformed', result: 'failed' });
    expect(rules[1]).toEqual({ code: 'tx-coinbase-loose', result: 'not-reached' });
    expect((await failureFrom(client.transaction.explain.query({ transaction: '?' }))).code).toBe('bad-request');
  },
  'transaction.estimateFee': async () => {
    const { client } = scene;
    const nothing = { feeRate: null, blocks: 6, samples: 1, reason: 'too-little-data' };
    expect(await client.transaction.estimateFee.query({})).toEqual(nothing);
    for (const blocks of [0, 145])
      expect((await failureFrom(client.transaction.estimateFee.query({ blocks }))).code).toBe('bad-request');
  },
  'transaction.announce': async () => {
    const peer = await peerOf(scene.node);
    // A peer without a URL cannot be asked, so nothing is wanted from it.
    expect(await peer.transaction.announce.mutate({ wtxids: ['ab'.repeat(32)] })).toEqual({ wanted: 0 });
    const reason = await failureFrom(scene.client.transaction.announce.mutate({ wtxids: ['ab'.repeat(32)] }));
    expect(reason.code).toBe('unauthorized');
  },
  'node.self': async () => {
    const { client, node, hashes } = scene;
    const self = await client.node.self.query();
    const engine = (await allEngines()).at(-1)?.name;
    expect(self).toMatchObject({ network: 'dev', protocol: PROTOCOL_VERSION, url: node.url, signatureEngine: engine });
    expect(self.tip).toEqual({ height: 5, hash: hashes[4], work: 10n });
  },
  'node.list': async () => {
    expect(await scene.client.node.list.query()).toEqual({ nodes: [] });
  },
  'node.random': async () => {
    expect(await scene.client.node.random.query({ count: 3 })).toEqual({ urls: [] });
  },
  'node.ping': async () => {
    const { genesis, tip } = await scene.client.node.ping.query();
    expect(genesis).toBe((await scene.client.info.params.query()).genesis);
    expect(tip.height).toBe(5);
  },
  'node.hello': async () => {
    const { client } = scene;
    const { genesis, tip } = await client.node.ping.query();
    const nonce = '00'.repeat(16);
    const hello = { protocol: 1, capabilities: [], genesis, url: null, nonce, tip, userAgent: 'test' };
    const answer = await client.node.hello.mutate(hello);
    expect(answer).toMatchObject({ protocol: 1, genesis, confirmed: false, tip });
    expect(answer.session).toMatch(/^[0-9a-f]{32}$/);
    // A URL that is somebody else's is gossip: it opens a session, and proves nothing.
    const gossip = await client.node.hello.mutate({ ...hello, url: 'http://127.0.0.2:9' });
    expect(gossip.confirmed).toBe(false);
  },
  'node.confirm': async () => {
    expect(await scene.client.node.confirm.query({ nonce: '00'.repeat(16) })).toEqual({ mine: false });
  },
  'node.add': async () => {
    const { client, node } = scene;
    const url = await closedUrl();
    expect(await client.node.add.mutate({ url: `${url}/` })).toEqual({ url, known: false });
    expect(await client.node.add.mutate({ url })).toEqual({ url, known: true });
    expect((await failureFrom(client.node.add.mutate({ url: `${url}/path` }))).code).toBe('peer-address');
    expect((await failureFrom(client.node.add.mutate({ url: node.url }))).code).toBe('peer-self');
    await client.node.remove.mutate({ url });
  },
  'node.remove': async () => {
    await using other = await testNode();
    const { client } = scene;
    const { url } = other;
    await client.node.add.mutate({ url });
    await eventually('a session', async () => (await client.node.peers.query()).peers.length === 1);
    expect(await client.node.remove.mutate({ url })).toEqual({ url, known: true, connected: true });
    expect(await client.node.remove.mutate({ url })).toEqual({ url, known: false, connected: false });
    expect((await client.node.peers.query()).peers).toEqual([]);
  },
  'node.ban': async () => {
    await using other = await testNode();
    const { client } = scene;
    const { url } = other;
    await client.node.add.mutate({ url });
    await eventually('a session', async () => (await client.node.peers.query()).peers.length === 1);
    const before = Date.now();
    const ban = await client.node.ban.mutate({ url, minutes: 60 });
    expect(ban).toMatchObject({ target: url, why: 'operator' });
    expect(ban.until - before).toBeGreaterThanOrEqual(3_600_000);
    expect(await client.node.peers.query()).toEqual({ peers: [], bans: [ban] });
    expect(await failureFrom(client.node.add.mutate({ url }))).toEqual({
      ...{ code: 'peer-banned', target: url, until: ban.until },
    });
    // Neither side gets through: the one that is banned does not get in.
    expect((await failureFrom(peerOf(scene.node, url))).code).toBe('peer-banned');
    await client.node.unban.mutate({ url });
    const network = await client.node.ban.mutate({ address: '2001:db8::1' });
    expect(network.target).toBe('2001:db8:0:0::/64');
    await client.node.unban.mutate({ address: '2001:db8::2' });
    const neither: Parameters<typeof client.node.ban.mutate>[0] = { minutes: 1 };
    expect((await failureFrom(client.node.ban.mutate(neither))).code).toBe('bad-request');
  },
  'node.unban': async () => {
    const { client } = scene;
    const address = '192.0.2.7';
    await client.node.ban.mutate({ address });
    expect(await client.node.unban.mutate({ address })).toEqual({ target: address, lifted: true });
    expect(await client.node.unban.mutate({ address })).toEqual({ target: address, lifted: false });
    expect((await client.node.peers.query()).bans).toEqual([]);
  },
  'node.peers': async () => {
    await using other = await testNode();
    const { client } = scene;
    const { url } = other;
    await client.node.add.mutate({ url });
    await eventually('a session', async () => (await client.node.peers.query()).peers.length === 1);
    const { peers, bans } = await client.node.peers.query();
    expect(peers).toMatchObject([
      { url, sought: true, height: 0, points: 0, address: '127.0.0.1', group: `private:${new URL(url).host}` },
    ]);
    expect(bans).toEqual([]);
    await client.node.remove.mutate({ url });
  },
  'node.stop': async () => {
    await using node = await testNode();
    expect(await node.client.node.stop.mutate()).toEqual({ stopping: true });
    await node.running.stopped;
    expect((await failureFrom(node.client.node.ping.query())).code).toBe('peer-unreachable');
  },
  'info.chain': async () => {
    const { client, hashes, own } = scene;
    const chain = await client.info.chain.query();
    expect(chain).toMatchObject({
      name: 'dev',
      height: 5,
      tip: hashes[4],
      work: 10n,
      totalTransactions: 7,
      totalAddresses: 2,
      blockTime: 1,
      blockReward: 150_000_000n,
      supply: 750_000_000n,
      difficulty: 1,
    });
    expect(chain.richList).toEqual([
      { address: own, balance: 749_000_000n },
      { address: BOB, balance: 1_000_000n },
    ]);
  },
  'info.params': async () => {
    const params = await scene.client.info.params.query();
    expect(params).toMatchObject({
      name: 'dev',
      blockIntervalMs: 1_000,
      coinbaseMaturity: 2,
      reward: DEV.reward,
      maxSupply: DEV.maxSupply,
    });
  },
  'info.richList': async () => {
    const { client, own } = scene;
    const first = await client.info.richList.query({ limit: 1 });
    expect(first.items.map(({ address }) => address)).toEqual([own]);
    const second = await client.info.richList.query({ limit: 1, cursor: present(first.next) });
    expect(second.items.map(({ address }) => address)).toEqual([BOB]);
    expect(second.next).toBeNull();
  },
  'info.address': async () => {
    const { client, own } = scene;
    const mineView = await client.info.address.query({ address: own.toLowerCase() });
    expect(mineView).toMatchObject({ address: own, balance: 749_000_000n, transactionCount: 6, coinCount: 5 });
    expect(mineView.received - mineView.sent).toBe(mineView.balance);
    expect(mineView.pending.spent).toBeGreaterThan(mineView.pending.received);
    const nobody = await client.info.address.query({ address: `0x${'00'.repeat(20)}` });
    expect(nobody).toMatchObject({ balance: 0n, received: 0n, sent: 0n, transactionCount: 0, coinCount: 0 });
    const wrong = `0x${'Ab'.repeat(20)}`;
    expect((await failureFrom(client.info.address.query({ address: wrong }))).code).toBe('bad-request');
  },
  'info.utxos': async () => {
    const { client, own, waiting } = scene;
    const items = [];
    let cursor: string | undefined;
    do {
      const page = await client.info.utxos.query({
        address: own,
        limit: 2,
        ...(cursor === undefined ? {} : { cursor }),
      });
      items.push(...page.items);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(items.filter(({ height }) => height !== null)).toHaveLength(5);
    expect(items.filter(({ spender }) => spender === waiting.txid)).toHaveLength(1);
    expect(items.filter(({ height, txid }) => height === null && txid === waiting.txid)).toHaveLength(1);
    const bobs = await client.info.utxos.query({ address: BOB, limit: 100 });
    expect(bobs.items.map(({ value }) => value)).toEqual([1_000_000n]);
    // A cursor of another address must not lead into that one's coins.
    const foreign = await client.info.utxos.query({ address: BOB, cursor: '00', limit: 100 });
    expect(foreign.items.map(({ value }) => value)).toEqual([1_000_000n]);
  },
  'info.history': async () => {
    const { client, own, paid } = scene;
    const first = await client.info.history.query({ address: own, limit: 2 });
    expect(first.items.map(({ height, position }) => [height, position])).toEqual([
      [5, 1],
      [5, 0],
    ]);
    expect(first.items[0]).toMatchObject({ txid: paid, spent: 150_000_000n });
    const rest = await client.info.history.query({ address: own, cursor: present(first.next) });
    expect(rest.items.map(({ height }) => height)).toEqual([4, 3, 2, 1]);
  },
  'info.mempool': async () => {
    const { histogram, flow, ...rest } = await scene.client.info.mempool.query();
    expect(rest).toMatchObject({ count: 1, minFeeRate: 1 });
    expect(histogram).toEqual([{ rate: expect.any(Number), count: 1, bytes: rest.bytes }]);
    expect(flow).toEqual({ windowMs: expect.any(Number), accepted: 2, confirmed: 1, dropped: 0 });
  },
  'info.sync': async () => {
    expect(await scene.client.info.sync.query()).toMatchObject({ phase: 'idle', height: 5, bestHeader: 5, peer: null });
  },
  'info.onSync': async () => {
    const heard = await new Promise((resolve, reject) => {
      const { unsubscribe } = scene.client.info.onSync.subscribe(undefined, {
        onData(view) {
          unsubscribe();
          resolve(view);
        },
        onError: reject,
      });
    });
    expect(heard).toMatchObject({ phase: 'idle', height: 5, target: null, remainingMs: null, peers: [] });
  },
  'info.health': async () => {
    const health = await scene.client.info.health.query();
    // Those of the calls above may not have been found to be gone yet.
    expect(health).toMatchObject({ ok: true, peers: expect.any(Number) });
    expect(health.peakRssBytes).toBeGreaterThan(10_000_000);
  },
};

describe('every procedure answers what the contract says', () => {
  test.each(Object.entries(cases))('%s', (_name, run) => run());

  test('the cases are the contract, no more and no less', () => {
    expect(Object.keys(cases).sort()).toEqual(Object.keys(appRouter._def.procedures).sort());
  });

  test('every procedure has a schema for its input and one for its output', () => {
    const procedures: Record<string, object> = appRouter._def.procedures;
    for (const [name, procedure] of Object.entries(procedures)) {
      const definition: unknown = Reflect.get(procedure, '_def');
      expect(definition, name).toMatchObject({ inputs: [expect.anything()], output: expect.anything() });
    }
  });

  test('what is read back decodes to what was sealed', async () => {
    const { raw } = await scene.client.block.raw.query({ block: 5 });
    const block = present(decoded(decodeBlock(present(parseBase64(raw)))));
    expect(toBase64(sealBlock(block.header, block.transactions).raw)).toBe(raw);
  });
});

function decoded<T>(result: { ok: true; value: T } | { ok: false }): T | undefined {
  return result.ok ? result.value : undefined;
}

function hashOfRaw(raw: string): BlockHash {
  return present(decoded(decodeBlock(present(parseBase64(raw))))).header.hash;
}
