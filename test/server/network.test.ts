import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createClient } from '../../client/createClient.js';
import { Wallet } from '../../client/wallet/wallet.js';
import { startDirectory } from '../../server/directory.js';
import type { RunningServer } from '../../server/launch.js';
import { PeerBook } from '../../server/net/peerBook.js';
import { parsePeerUrl } from '../../server/net/peerUrl.js';
import type { Kv } from '../../server/store/kv.js';
import { memoryKv } from '../../server/store/memoryKv.js';
import { systemRandom } from '../../server/system/random.js';
import { toBase64 } from '../../shared/bytes/base64.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import { TrestleError } from '../../shared/errors.js';
import { encodeHeader } from '../../shared/model/header.js';
import { toHeight } from '../../shared/model/height.js';
import { type BlockHash, parseId, type TxId, type Wtxid } from '../../shared/model/ids.js';
import { WORDS } from '../codes/walletCases.js';
import { present } from '../kit/assertOk.js';
import { testKey, transfer } from '../kit/builders.js';
import { TestChain } from '../kit/testChain.js';
import { closedUrl } from '../support/closedUrl.js';
import { eventually } from '../support/eventually.js';
import { failureFrom } from '../support/failureFrom.js';
import { type FakeCall, fakeNode } from '../support/fakeNode.js';
import { peerOf } from '../support/peerOf.js';
import { temporaryDirectory } from '../support/temporary.js';
import { type TestNode, testNode } from '../support/testNode.js';

const ADDRESS = '0x9858EfFD232B4033E47d90003D41EC34EcaEda94';
const OTHER = '0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF';

async function tipOf({ client }: TestNode): Promise<string> {
  return (await client.info.chain.query()).tip;
}

/** Waits until all nodes are on the first one's tip. */
async function agree(first: TestNode, ...others: readonly TestNode[]): Promise<void> {
  for (const other of others) await eventually('one tip', async () => (await tipOf(other)) === (await tipOf(first)));
}

async function peersOf({ client }: TestNode): Promise<string[]> {
  return (await client.node.list.query()).nodes.flatMap(({ url, connected }) => (connected ? [url] : []));
}

async function connected(...nodes: readonly TestNode[]): Promise<void> {
  for (const node of nodes)
    await eventually('all others connected', async () => (await peersOf(node)).length === nodes.length - 1);
}

async function directory(dataDir: string): Promise<RunningServer> {
  return startDirectory(NETWORKS.dev, { name: 'directory', port: 0, dataDir, allowPrivate: true, logLevel: 'silent' });
}

describe('a network of real nodes', () => {
  test('nodes that know only a directory find each other, and relay blocks and transactions to all', async () => {
    await using home = await temporaryDirectory();
    await using index = await directory(home.path);
    const config = { directories: [index.url] };
    await using a = await testNode({ config });
    await using b = await testNode({ config });
    await using c = await testNode({ config });
    await connected(a, b, c);
    const known = await createClient({ url: index.url }).node.list.query();
    expect(known.nodes.map(({ url }) => url).sort()).toEqual([a.url, b.url, c.url].sort());

    const wallet = new Wallet({ client: a.client, words: WORDS });
    await a.client.block.generate.mutate({ address: wallet.address, count: 4 });
    await agree(a, b, c);
    const { txid } = await wallet.send({ recipients: [{ to: OTHER, amount: 1_000n }] });
    for (const node of [b, c])
      await eventually('the payment arrives', async () => {
        const { items } = await node.client.transaction.list.query({});
        return items.some((item) => item.txid === txid);
      });
    // Mined by another node than the one it was posted to, and gone from every mempool.
    await c.client.block.generate.mutate({ address: OTHER });
    await agree(c, a, b);
    for (const node of [a, b, c]) expect((await node.client.info.mempool.query()).count).toBe(0);
    expect((await a.client.transaction.get.query({ txid })).block?.height).toBe(5);
  });

  test('a directory answers the node router and nothing else, and forgets nodes that are gone', async () => {
    await using home = await temporaryDirectory();
    await using index = await directory(home.path);
    const client = createClient({ url: index.url });
    expect((await failureFrom(client.block.last.query())).code).toBe('not-found');
    expect(await client.node.self.query()).toMatchObject({ network: 'dev', tip: { height: 0 } });
    {
      await using node = await testNode({ config: { directories: [index.url] } });
      await eventually('registered', async () => (await client.node.list.query()).nodes[0]?.url === node.url);
      expect((await client.node.random.query({ count: 5 })).urls).toEqual([node.url]);
    }
    await eventually('no longer listed', async () => (await client.node.list.query()).nodes.length === 0);
  });

  test('an operator sets a branch aside that all others follow: nobody is blamed, and taken back it is followed again', async () => {
    await using a = await testNode();
    await using b = await testNode({ config: { peers: [a.url] } });
    await connected(a, b);
    await a.client.block.generate.mutate({ address: ADDRESS, count: 3 });
    await agree(a, b);
    const second = present((await b.client.block.get.query({ block: 2 })).hash);
    const { tip } = await b.client.block.invalidate.mutate({ block: second });
    expect(tip.height).toBe(1);
    // More comes on the branch, by announcement and by synchronization; the one after it must reach B's own branch still.
    await a.client.block.generate.mutate({ address: ADDRESS, count: 2 });
    const own = await b.client.block.generate.mutate({ address: OTHER, count: 2 });
    await a.client.block.generate.mutate({ address: ADDRESS });
    await eventually('the last announcement', async () => {
      const { nodes } = await b.client.node.list.query();
      return nodes.some(({ height }) => height === 6);
    });
    expect(await tipOf(b)).toBe(own.hashes[1]);
    expect([await peersOf(a), await peersOf(b)]).toEqual([[b.url], [a.url]]);
    await b.client.block.reconsider.mutate({ block: second });
    await agree(a, b);
  });

  test('a node that was away catches up, and keeps the peers it knew', async () => {
    await using home = await temporaryDirectory();
    await using a = await testNode();
    {
      await using first = await testNode({ config: { dataDir: home.path, peers: [a.url] } });
      await connected(a, first);
      await a.client.block.generate.mutate({ address: ADDRESS, count: 3 });
      await agree(a, first);
    }
    await a.client.block.generate.mutate({ address: ADDRESS, count: 40 });
    // It is told of nobody this time: its own book knows.
    await using again = await testNode({ config: { dataDir: home.path } });
    expect((await again.client.info.chain.query()).height).toBe(3);
    await agree(a, again);
  });

  test('a latecomer synchronizes hundreds of blocks from nothing, and takes over what waits', async () => {
    await using a = await testNode();
    const wallet = new Wallet({ client: a.client, words: WORDS });
    await a.client.block.generate.mutate({ address: wallet.address, count: 300 });
    const sent = [await wallet.send({ recipients: [{ to: OTHER, amount: 500n }] })];
    for (let i = 0; i < 5; i++) {
      // Each spends the change of the one before: they have to arrive parents first.
      const { txid } = present(sent.at(-1));
      sent.push(await wallet.send({ recipients: [{ to: OTHER, amount: 500n }], memo: Uint8Array.of(i, txid.length) }));
    }
    await using late = await testNode({ config: { peers: [a.url] } });
    await agree(a, late);
    await eventually('the waiting payments', async () => {
      const [ours, theirs] = await Promise.all([a, late].map(({ client }) => client.transaction.ids.query({})));
      return ours?.items.length === sent.length && ours.items.join() === theirs?.items.join();
    });
    expect(await late.client.info.chain.query()).toEqual(await a.client.info.chain.query());
    const sync = await late.client.info.sync.query();
    expect(sync).toMatchObject({ height: 300, bestHeader: 300, runs: 1, blocks: 300, transactions: 300 });
  });

  test('two chains that grew apart become the one with more work, and the payments of the other wait again', async () => {
    await using a = await testNode();
    await using b = await testNode();
    const wallet = new Wallet({ client: a.client, words: WORDS });
    const own = wallet.address;
    const shared = await a.client.block.generate.mutate({ address: own, count: 5 });
    for (const hash of shared.hashes) {
      const { raw } = await a.client.block.raw.query({ block: hash });
      await b.client.block.submit.mutate({ block: raw });
    }
    const { txid } = await wallet.send({ recipients: [{ to: OTHER, amount: 1_000n }] });
    await a.client.block.generate.mutate({ address: own, count: 2 });
    await b.client.block.generate.mutate({ address: OTHER, count: 6 });
    await using c = await testNode({ config: { peers: [a.url, b.url] } });
    await agree(b, c);
    await eventually('a learns of the better chain', async () => {
      await a.client.node.list.query();
      return (await tipOf(a)) === (await tipOf(b));
    });
    expect((await a.client.transaction.get.query({ txid })).block).toBeNull();
    await eventually('the payment is back with everybody', async () => {
      const { items } = await b.client.transaction.list.query({});
      return items.some((item) => item.txid === txid);
    });
  });

  test('a full disk of our own is no reason to leave a peer, and all is caught up with once there is room', async () => {
    await using a = await testNode();
    await a.client.block.generate.mutate({ address: ADDRESS, count: 3 });
    const disk = memoryKv();
    let isFull = false;
    const refused: number[] = [];
    const kv: Kv = {
      ...disk,
      async commit(batch) {
        // Its list of peers still fits; the next block does not.
        if (isFull && batch.length > 1) {
          refused.push(batch.length);
          throw new TrestleError({ code: 'store-full', directory: '/full' });
        }
        await disk.commit(batch);
      },
    };
    await using b = await testNode({ config: { peers: [a.url] }, ports: { kv } });
    await agree(a, b);
    isFull = true;
    await a.client.block.generate.mutate({ address: ADDRESS, count: 2 });
    await eventually('blocks do not fit', async () => refused.length > 3);
    expect(await peersOf(b)).toEqual([a.url]);
    expect((await b.client.info.chain.query()).height).toBe(3);
    const own = b.client.block.generate.mutate({ address: ADDRESS });
    expect(await failureFrom(own)).toEqual({ code: 'store-full', directory: '' });
    isFull = false;
    await agree(a, b);
  });

  test('a peer that claims more work than it can show is dropped, and the node goes on', async () => {
    const tip = { height: toHeight(1_000_000), hash: present(parseId<BlockHash>('11'.repeat(32))), work: 2n ** 200n };
    const nowhere = { url: 'http://127.0.0.1:9/x?#', lastSeen: null, connected: false, height: null };
    await using liar = await fakeNode({
      tip,
      answers: {
        'node.list': { nodes: [nowhere] },
        'block.headers': { headers: Buffer.alloc(92 * 3, 7).toString('base64') },
      },
    });
    await using node = await testNode({ config: { peers: [liar.url] } });
    await eventually('the liar was asked for headers', async () =>
      liar.calls.some(({ path }) => path === 'block.headers'),
    );
    await eventually('the liar is dropped', async () => (await peersOf(node)).length === 0);
    await node.client.block.generate.mutate({ address: ADDRESS, count: 2 });
    expect((await node.client.info.chain.query()).height).toBe(2);
  });

  test('headers whose bodies nobody has keep nobody from another branch', async () => {
    const source = new TestChain();
    const withheld = source.grow(source.genesis, 3);
    const last = present(withheld.at(-1));
    const tip = { height: last.header.height, hash: last.header.hash, work: 2n ** 200n };
    const headers = toBase64(Buffer.concat(withheld.map(({ header }) => encodeHeader(header))));
    await using teaser = await fakeNode({
      tip,
      answers: {
        'block.headers': { headers },
        'block.range': { blocks: [toBase64(source.genesis.raw)] },
        'block.raw': { hash: source.genesis.header.hash, raw: toBase64(source.genesis.raw) },
      },
    });
    await using honest = await testNode();
    await honest.client.block.generate.mutate({ address: ADDRESS, count: 2 });
    await using node = await testNode({ config: { peers: [teaser.url] } });
    await eventually('the headers came', async () => (await node.client.info.sync.query()).bestHeader === 3);
    await using introduced = await testNode({ config: { peers: [honest.url, node.url] } });
    await agree(honest, introduced, node);
    expect((await node.client.info.chain.query()).height).toBe(2);
  });

  test('a peer that pages through nothing for ever is left, and others are caught up with meanwhile', async () => {
    let page = 0n;
    const ids = () => {
      page += 1n;
      return { items: [], next: page.toString(16).padStart(64, '0') };
    };
    await using endless = await fakeNode({ answers: { 'transaction.ids': ids } });
    await using honest = await testNode();
    await honest.client.block.generate.mutate({ address: ADDRESS, count: 3 });
    await using node = await testNode({ config: { peers: [endless.url] } });
    await eventually('it was left', async () => page > 0n && (await peersOf(node)).length === 0);
    expect(page).toBe(1n);
    await using introduced = await testNode({ config: { peers: [honest.url, node.url] } });
    await agree(honest, introduced, node);
  });

  test('a peer that forgets each session at once is greeted once more, and then left', async () => {
    const calls: FakeCall[] = [];
    const forgetful = new TrestleError({ code: 'unauthorized', detail: 'no session' });
    await using peer = await fakeNode({ calls, answers: { 'transaction.ids': forgetful } });
    await using node = await testNode({ config: { peers: [peer.url] } });
    const hellos = (): number => calls.filter(({ path }) => path === 'node.hello').length;
    await eventually('it was left', async () => hellos() > 1 && (await peersOf(node)).length === 0);
    for (let i = 0; i < 20; i++) await node.client.node.ping.query();
    expect(hellos()).toBe(2);
  });

  test('what was merged from one peer is told to the others, and not to that one', async () => {
    const source = new TestChain();
    const blocks = source.grow(source.genesis, 4);
    const paid = transfer({
      genesis: source.genesis.header.hash,
      spend: [source.coinOf(present(blocks[0]))],
      outputs: [{ address: testKey(2).address, value: 1_000n }],
    });
    const calls: FakeCall[] = [];
    await using node = await testNode();
    for (const { raw } of blocks) await node.client.block.submit.mutate({ block: toBase64(raw) });
    await using other = await fakeNode({ name: 'other', calls });
    await using holder = await fakeNode({
      name: 'holder',
      calls,
      answers: {
        'transaction.ids': { items: [paid.wtxid], next: null },
        'transaction.raw': { transactions: [toBase64(paid.raw)] },
      },
    });
    // Each says hello from where it can be called, so that the node seeks it in turn; the holder last.
    await peerOf(node, other.url);
    await eventually('the other is a peer', async () => (await peersOf(node)).length === 1);
    await peerOf(node, holder.url);
    const told = (): string[] => calls.filter(({ path }) => path === 'transaction.announce').map(({ at }) => at);
    await eventually('the other was told', async () => told().length > 0);
    expect(told()).toEqual(['other']);
  });

  test('a node that nobody can reach takes part: what it makes reaches the others', async () => {
    await using open = await testNode();
    // Listening on every address and told no name, it can tell nobody where it is.
    await using hidden = await testNode({ config: { host: '0.0.0.0', peers: [open.url] } });
    await eventually('connected', async () => (await peersOf(hidden)).length === 1);
    expect((await hidden.client.node.self.query()).url).toBeNull();
    const wallet = new Wallet({ client: hidden.client, words: WORDS });
    await hidden.client.block.generate.mutate({ address: wallet.address, count: 4 });
    await agree(hidden, open);
    const { txid } = await wallet.send({ recipients: [{ to: OTHER, amount: 1_000n }] });
    await eventually('the payment arrives', () => open.client.transaction.get.query({ txid }).catch(() => undefined));
  });

  test('a name that a node is given is a name it answers to, so that its peers can call it back', async () => {
    await using a = await testNode();
    const port = Number(new URL(await closedUrl()).port);
    const publicUrl = `http://localhost:${port}`;
    await using b = await testNode({ config: { port, publicUrl, peers: [a.url] } });
    await eventually('a calls it by its name', async () => (await peersOf(a)).includes(publicUrl));
    expect((await peersOf(b)).length).toBe(1);
  });

  test('a node named by the operator is waited for, however late it comes', async () => {
    const book = new PeerBook({ kv: memoryKv(), clock: { now: () => now }, random: systemRandom });
    let now = 0;
    const seed = present(parsePeerUrl('http://10.0.0.1:80'));
    await book.keep(seed);
    for (let i = 0; i < 50; i++) await book.failed(seed);
    now = 30_000;
    expect(book.due(1, () => false)).toEqual([seed]);
  });

  test('known nodes are asked first, then whom they know, and the directory last', async () => {
    const calls: FakeCall[] = [];
    await using friend = await fakeNode({ name: 'friend of the known', calls });
    const listed = { url: friend.url, lastSeen: 1, connected: true, height: toHeight(0) };
    await using known = await fakeNode({ name: 'known', calls, answers: { 'node.list': { nodes: [listed] } } });
    await using index = await fakeNode({ name: 'directory', calls });
    await using node = await testNode({ config: { peers: [known.url], directories: [index.url] } });
    await eventually('all three have been met', async () => new Set(calls.map(({ at }) => at)).size === 3);
    const hellos = calls.filter(({ path }) => path === 'node.hello').map(({ at }) => at);
    expect(hellos).toEqual(['known', 'friend of the known', 'directory']);
    expect((await peersOf(node)).sort()).toEqual([known.url, friend.url].sort());
  });

  test('a body that two peers announce is fetched from one of them, and from the other where that one withholds it', async () => {
    const source = new TestChain();
    const blocks = source.grow(source.genesis, 5);
    const genesis = source.genesis.header.hash;
    const [one, two] = [0, 1].map((i) => {
      const spend = [source.coinOf(present(blocks[i]))];
      return transfer({ genesis, spend, outputs: [{ address: testKey(2).address, value: 1_000n }] });
    });
    const bodies = new Map([present(one), present(two)].map(({ wtxid, raw }) => [wtxid, toBase64(raw)]));
    const deliver = ({ wtxids }: { wtxids: Wtxid[] }) => ({ transactions: wtxids.map((id) => bodies.get(id)) });
    const calls: FakeCall[] = [];
    await using a = await fakeNode({ name: 'a', calls, answers: { 'transaction.raw': deliver } });
    await using b = await fakeNode({ name: 'b', calls, answers: { 'transaction.raw': deliver } });
    await using node = await testNode({ config: { peers: [a.url, b.url] } });
    for (const { raw } of blocks) await node.client.block.submit.mutate({ block: toBase64(raw) });
    await eventually('both are peers', async () => (await peersOf(node)).length === 2);
    const [asA, asB] = await Promise.all([peerOf(node, a.url), peerOf(node, b.url)]);
    const requested = (): string[] => calls.filter(({ path }) => path === 'transaction.raw').map(({ at }) => at);
    const waits = (txid: TxId) => node.client.transaction.get.query({ txid }).catch(() => undefined);

    const first = { wtxids: [present(one).wtxid] };
    await asA.transaction.announce.mutate(first);
    await asB.transaction.announce.mutate(first);
    await eventually('the transaction waits', () => waits(present(one).txid));
    expect(requested()).toEqual(['a']);

    a.answers['transaction.raw'] = { transactions: [] };
    const second = { wtxids: [present(two).wtxid] };
    await asA.transaction.announce.mutate(second);
    await asB.transaction.announce.mutate(second);
    await eventually('the other delivers', () => waits(present(two).txid));
    expect(requested()).toEqual(['a', 'a', 'b']);
    // Nothing goes back to where it came from.
    const told = calls.filter(
      ({ path, input }) => path === 'transaction.announce' && inspect(input).includes(present(one).wtxid),
    );
    expect(told.map(({ at }) => at)).not.toContain('a');
  });
});
