import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { waitFor } from '../../client/cli/devnet/wait.js';
import { type Client, createClient } from '../../client/createClient.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import { formatAddress } from '../../shared/model/address.js';
import { toHeight } from '../../shared/model/height.js';
import { assertConverged } from '../kit/assertions.js';
import { testKey } from '../kit/builders.js';
import { Child } from '../kit/processes/child.js';
import { launch } from '../kit/processes/launch.js';
import { TestChain } from '../kit/testChain.js';
import { type FakeNode, fakeNode } from '../support/fakeNode.js';
import * as bad from '../support/misanswers.js';
import { temporaryDirectory } from '../support/temporary.js';
import { testNode } from '../support/testNode.js';

/** Most of it is waiting for answers that never come; a machine that has much else to do takes long over the rest. */
const LIMIT_MS = 120_000;
/** A node of its own process has about 130 MB. What the bomb holds is seven times this. */
const MOST_BYTES = 300_000_000;
/** What even a peer that harms must answer as a node does, or it never becomes one. */
const GREETING = ['node.hello', 'node.confirm'];

const address = formatAddress(testKey(1).address);

/** One that greets as a node does, and then answers so, or not at all. */
interface Attacker {
  readonly name: string;
  readonly misanswer: bad.Misanswer;
  /** The one procedure that it answers so; all but the greeting unless given. */
  readonly path?: string;
  /** Whether it says to have more work than there is in the world. */
  readonly boasts?: boolean;
}

/** Attackers that are up. They go with their scope. */
interface Attack extends AsyncDisposable {
  readonly fakes: readonly FakeNode[];
  /** How often each was asked for something that it answers wrongly. */
  readonly asked: (fake: FakeNode) => number;
}

/** Puts attackers up, each at an address of its own where the system has more than one. */
async function attack(attackers: readonly Attacker[]): Promise<Attack> {
  const { header } = new TestChain().genesis;
  const boast = { height: toHeight(1_000_000), hash: header.hash, work: 2n ** 200n };
  const asked = new Map<string, number>();
  const put = ({ name, misanswer, path, boasts }: Attacker, index: number): Promise<FakeNode> => {
    const isWrong = (called: string): boolean => (path === undefined ? !GREETING.includes(called) : called === path);
    return fakeNode({
      name,
      host: process.platform === 'linux' ? `127.0.7.${index + 1}` : '127.0.0.1',
      ...(boasts ? { tip: boast } : {}),
      raw: (called, response) => {
        if (!isWrong(called)) return false;
        asked.set(name, (asked.get(name) ?? 0) + 1);
        misanswer(response, called);
        return true;
      },
    });
  };
  const fakes = await Promise.all(attackers.map(put));
  return {
    fakes,
    asked: ({ name }) => asked.get(name) ?? 0,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(fakes.map((fake) => fake[Symbol.asyncDispose]()));
    },
  };
}

/** A node in a process of its own, which ends with its scope. */
async function victim(peers: readonly string[]): Promise<AsyncDisposable & { readonly client: Client }> {
  const home = await temporaryDirectory();
  const config = { port: 0, peers: [...peers], dataDir: join(home.path, 'data'), allowPrivate: true };
  const { child, url, token } = await Child.start(
    { kind: 'start', params: NETWORKS.dev, config, cuts: [] },
    join(home.path, 'node.log'),
  );
  return {
    client: createClient({ url, token }),
    [Symbol.asyncDispose]: async () => {
      await child.end('SIGTERM');
      await home[Symbol.asyncDispose]();
    },
  };
}

/** Has a node meet these attackers and one honest node, and holds it to what must be so then. */
async function outlast(attackers: readonly Attacker[]): Promise<void> {
  await using honest = await testNode();
  await honest.client.block.generate.mutate({ address, count: 10 });
  await using attacking = await attack(attackers);
  const { fakes, asked } = attacking;
  await using node = await victim([...fakes.map(({ url }) => url), honest.url]);
  const { client } = node;
  const isAt = (height: number) => async () => (await client.info.chain.query()).height === height;
  await until('the honest chain', isAt(10));
  for (const fake of fakes) {
    await until(`${fake.name} is asked`, async () => asked(fake) > 0);
    await until(`${fake.name} is dropped`, async () => !(await connectedTo(client)).includes(fake.url));
  }
  await honest.client.block.generate.mutate({ address, count: 1 });
  await until('the next honest block', isAt(11));
  await until('the honest peer', async () => (await connectedTo(client)).includes(honest.url));
  const { ok, peakRssBytes } = await client.info.health.query();
  expect(ok).toBe(true);
  expect(peakRssBytes).toBeLessThan(MOST_BYTES);
}

async function connectedTo(client: Client): Promise<string[]> {
  return (await client.node.list.query()).nodes.flatMap(({ url, connected }) => (connected ? [url] : []));
}

function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  return waitFor(look, { what, timeoutMs: LIMIT_MS / 2, signal: new AbortController().signal });
}

describe.concurrent('a node among peers that answer wrongly stays up, small and in touch with the honest one', () => {
  test(
    'where they answer with pages, lengths that are not so, bombs and headers without work',
    { timeout: LIMIT_MS },
    () =>
      outlast([
        { name: 'a web site', misanswer: bad.page(200) },
        { name: 'a proxy before nothing', misanswer: bad.page(502) },
        { name: 'an answer cut short', misanswer: bad.shortOfItsLength },
        { name: 'an answer that goes on', misanswer: bad.beyondItsLength },
        { name: 'a gigabyte of zeros', misanswer: bad.bomb(bad.gzipBomb()) },
        { name: 'a boaster', misanswer: bad.idleHeader, path: 'block.headers', boasts: true },
      ]),
  );

  test('where they never come to an end', { timeout: LIMIT_MS }, () =>
    outlast([
      { name: 'a dripping tap', misanswer: bad.drip },
      { name: 'a silent one', misanswer: bad.hang },
    ]),
  );

  test('where they send it elsewhere: nobody is called there', { timeout: LIMIT_MS }, async () => {
    await using elsewhere = await fakeNode({ name: 'elsewhere' });
    await outlast(
      [301, 302, 307, 308].map((status) => ({
        name: `a redirect with ${status}`,
        misanswer: bad.redirect(status, `${elsewhere.url}/trpc/node.ping`),
      })),
    );
    expect(elsewhere.calls).toEqual([]);
  });
});

test('peers that are killed and come back while a node catches up cost it time and nothing else', {
  timeout: LIMIT_MS,
}, async () => {
  const blocks = 200;
  await using net = await launch({ nodes: 3 });
  const areAt = (height: number, nodes: readonly number[]) => async () => {
    const chains = await Promise.all(nodes.map((node) => net.node(node).client.info.chain.query()));
    return chains.every((chain) => chain.height === height);
  };
  await net.stop(2);
  for (let made = 0; made < blocks; made += 50) await net.node(0).client.block.generate.mutate({ address, count: 50 });
  await until('both have the chain', areAt(blocks, [0, 1]));
  await net.restart(2);
  for (const node of [0, 1]) {
    await net.crash(node);
    await net.restart(node);
  }
  await until('all have the chain', areAt(blocks, [0, 1, 2]));
  await net.mine(2, 1);
  await until('all have the next block', areAt(blocks + 1, [0, 1, 2]));
  await assertConverged(net);
});
