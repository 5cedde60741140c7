import { AssertionError } from 'node:assert';
import { describe, expect, test } from 'vitest';
import { createClient } from '../../../client/createClient.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import type { ChainView } from '../../../shared/rpc/infoSchemas.js';
import { mineBlocks } from '../../kit/actions/mineBlocks.js';
import { assertConfirmed, assertConverged, assertInvariants } from '../../kit/assertions.js';
import { checkAudits, checkConfirmed, checkConverged } from '../../kit/checks.js';
import type { Network, NetworkNode } from '../../kit/network.js';
import { describeViews, type NodeView, viewNode } from '../../kit/nodeView.js';
import { walletKey } from '../../kit/wallets.js';
import { closedUrl } from '../../support/closedUrl.js';
import { lyingClient } from '../../support/lyingClient.js';
import { testNode } from '../../support/testNode.js';

const ONE = `01${'ab'.repeat(31)}`;
const TWO = `02${'cd'.repeat(31)}`;
const NOTHING = { height: undefined, tip: undefined, waiting: undefined };

const view = (name: string, height: number, tip: string): NodeView => ({
  ...{ name, state: 'running', height, tip, waiting: height - 9 },
});
const [alice, bob, carol] = [view('alice', 12, ONE), view('bob', 9, TWO), view('carol', 12, ONE)];
const down: NodeView = { name: 'dave', state: 'down', ...NOTHING };
const silent: NodeView = { name: 'eve', state: 'silent', ...NOTHING };

describe('what people read', () => {
  test('is a table with a line for each node, numbers under numbers', () => {
    expect(`\n${describeViews([alice, bob, down, silent])}`).toMatchInlineSnapshot(`
      "
        node   height  tip           waiting  state
        alice      12  01ababababab        3  running
        bob         9  02cdcdcdcdcd        0  running
        dave        -  -                   -  down
        eve         -  -                   -  silent"
    `);
  });

  test('begins with what was expected and what is instead: of tips', () => {
    expect(checkConverged([alice, bob, down])).toMatchInlineSnapshot(`
      "All nodes that run should stand on one tip, but they stand on 2.

        node   height  tip           waiting  state
        alice      12  01ababababab        3  running
        bob         9  02cdcdcdcdcd        0  running
        dave        -  -                   -  down
      "
    `);
    expect(checkConverged([alice, silent])).toMatch(
      /^All nodes that run should stand on one tip, but eve did not answer\.\n/,
    );
    expect(checkConverged([down])).toMatch(/^All nodes that run should stand on one tip, but none runs\.\n/);
  });

  test('of a transaction', () => {
    const asked = { txid: TWO, confirmations: 2, nodes: [0, 1, 2], found: [2, 1, 0, undefined] };
    expect(checkConfirmed([alice, bob, carol, down], asked)).toMatchInlineSnapshot(`
      "Transaction 02cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd should have 2 confirmations or more, but not so at bob and carol.

        node   height  tip           waiting  state    transaction
        alice      12  01ababababab        3  running  2 confirmations
        bob         9  02cdcdcdcdcd        0  running  1 confirmation
        carol      12  01ababababab        3  running  waiting
        dave        -  -                   -  down     unknown
      "
    `);
  });

  test('of what a node says of its chain', () => {
    expect(
      checkAudits([alice, bob], [undefined, 'supply: the node says 2, its blocks come to 1']),
    ).toMatchInlineSnapshot(`
        "Every node that runs should hold a valid chain and tell the truth of it, but bob does not: supply: the node says 2, its blocks come to 1.

          node   height  tip           waiting  state
          alice      12  01ababababab        3  running
          bob         9  02cdcdcdcdcd        0  running
        "
      `);
  });
});

describe('the verdict', () => {
  test('on tips leaves out who is down, and nobody else', () => {
    expect(checkConverged([alice, carol, down])).toBeUndefined();
    expect(checkConverged([bob])).toBeUndefined();
    for (const views of [[alice, bob], [alice, silent], [silent], [silent, silent], [down], []])
      expect(checkConverged(views)).toBeDefined();
  });

  test('on a transaction asks the nodes that are named, and at least one', () => {
    const views = [alice, bob, down];
    const found = [3, 0, undefined];
    const check = (confirmations: number, nodes: number[]) =>
      checkConfirmed(views, { txid: ONE, confirmations, nodes, found });
    expect(check(3, [0])).toBeUndefined();
    expect(check(0, [0, 1])).toBeUndefined();
    expect(check(4, [0])).toMatch('but not so at alice.');
    expect(check(1, [0, 1])).toMatch('1 confirmation or more, but not so at bob.');
    expect(check(0, [0, 1, 2])).toMatch('but not so at dave.');
    expect(check(1, [])).toMatch('but no node runs.');
  });

  test('on audits names the first that found something', () => {
    expect(checkAudits([alice, bob], [undefined, undefined])).toBeUndefined();
    expect(checkAudits([alice, bob], ['this', 'that'])).toMatch('but alice does not: this.');
  });
});

/** As much of a network as assertions look at. */
function networkOf(...nodes: readonly Omit<NetworkNode, 'index'>[]): Pick<Network, 'params' | 'nodes'> {
  return { params: NETWORKS.dev, nodes: nodes.map((node, index) => ({ ...node, index })) };
}

describe('assertions ask the nodes', () => {
  test('and pass or fail by what they answer', async () => {
    await using node = await testNode();
    await using behind = await testNode();
    const { client, url } = node;
    await mineBlocks(client, walletKey(0).address, 3);
    const txid = (await client.block.transaction.query({ block: 'last', transaction: 0 })).txid;
    const first = { name: 'first', url, client, isRunning: true };
    const second = { name: 'second', url: behind.url, client: behind.client, isRunning: true };
    const nowhere = await closedUrl();
    const gone = { name: 'gone', url: nowhere, client: createClient({ url: nowhere }), isRunning: false };

    await assertConverged(networkOf(first, first, gone));
    await assertConfirmed(networkOf(first, gone), txid);
    await assertConfirmed(networkOf(first, second), txid, { nodes: [0] });
    await assertInvariants(networkOf(first, second, gone));

    await expect(assertConverged(networkOf(first, second))).rejects.toThrow(AssertionError);
    await expect(assertConverged(networkOf(first, { ...gone, isRunning: true }))).rejects.toThrow(
      'gone did not answer',
    );
    await expect(assertConfirmed(networkOf(first, second), txid)).rejects.toThrow(/not so at second.*unknown/s);
    await expect(assertConfirmed(networkOf(first), txid, { confirmations: 2 })).rejects.toThrow('1 confirmation\n');
    await expect(assertConfirmed(networkOf(first, gone), txid, { nodes: [1] })).rejects.toThrow('not so at gone');
    await expect(assertConfirmed(networkOf(first), txid, { nodes: [1] })).rejects.toThrow('there is no node 1');
    await expect(assertConfirmed(networkOf(first), '0xab')).rejects.toThrow('0xab is no txid');
    await expect(assertInvariants(networkOf({ ...gone, isRunning: true }))).rejects.toThrow(/gone does not: .*answer/);
    const liar = lyingClient(client, { 'info.chain': (said: ChainView) => ({ ...said, supply: 1n }) });
    await expect(assertInvariants(networkOf(first, { ...first, name: 'liar', client: liar }))).rejects.toThrow(
      'but liar does not: supply: the node says 1, its blocks come to 450000000.',
    );
    const forger = lyingClient(client, {
      'block.range': ({ blocks }: { blocks: string[] }) => ({ blocks: [...blocks.slice(0, 3), blocks[2]] }),
    });
    await expect(assertInvariants(networkOf(first, { ...first, name: 'forger', client: forger }))).rejects.toThrow(
      /forger does not: block 3 .* known\./,
    );
  });

  test('a view says what a node has, that it is down, or that it does not answer', async () => {
    await using node = await testNode();
    const { client, url } = node;
    await mineBlocks(client, walletKey(0).address, 1);
    const { tip } = await client.info.chain.query();
    const shown = { index: 0, name: 'n', url, client, isRunning: true };
    expect(await viewNode(shown)).toEqual({ name: 'n', state: 'running', height: 1, tip, waiting: 0 });
    expect(await viewNode({ ...shown, isRunning: false })).toEqual({ name: 'n', state: 'down', ...NOTHING });
    const silentClient = createClient({ url: await closedUrl() });
    expect(await viewNode({ ...shown, client: silentClient })).toEqual({ name: 'n', state: 'silent', ...NOTHING });
  });
});
