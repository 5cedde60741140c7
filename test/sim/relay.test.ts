import { describe, expect, test } from 'vitest';
import { toBase64 } from '../../shared/bytes/base64.js';
import type { Block } from '../../shared/model/block.js';
import { compactBlockOf } from '../../shared/model/compactBlock.js';
import { mineBlocks } from '../kit/actions/mineBlocks.js';
import { assertConverged, assertInvariants } from '../kit/assertions.js';
import { present } from '../kit/assertOk.js';
import { Dice } from '../kit/sim/dice.js';
import { announceCompact, announceTransactions } from '../kit/sim/liar/announce.js';
import { SILENCE } from '../kit/sim/liar/answer.js';
import { Forge } from '../kit/sim/liar/forge.js';
import { joinLiar } from '../kit/sim/liar/joinLiar.js';
import { tellLie } from '../kit/sim/liar/tellLie.js';
import type { SimNode } from '../kit/sim/simNode.js';
import { simulate } from '../kit/sim/simulate.js';
import type { Simulation } from '../kit/sim/simulation.js';
import type { TraceLine } from '../kit/sim/trace.js';

/** Asked of one peer, and then of the next: a few seconds, as against the half minute of a timer. */
const IN_TIME_MS = 3_000;

interface Scene {
  readonly net: Simulation;
  readonly lines: TraceLine[];
}

/** A network whose nodes each have ripe coins, and what happens on it from now on. */
async function scene(nodes: number, between: (net: Simulation) => Promise<void> = async () => {}) {
  const lines: TraceLine[] = [];
  const net = await simulate({ nodes, seed: 11, onLine: (line) => lines.push(line) });
  await net.mine(0, 4);
  await net.settle();
  await between(net);
  lines.length = 0;
  return { net, lines, [Symbol.asyncDispose]: () => net[Symbol.asyncDispose]() };
}

/** Cuts every link but those between neighbours on a circle, and waits until nobody counts on the others. */
async function makeRing(net: Simulation): Promise<void> {
  const { length } = net.nodes;
  const isNear = (a: number, b: number): boolean => (a + 1) % length === b || (b + 1) % length === a;
  for (let a = 0; a < length; a++) for (let b = 0; b < length; b++) if (a !== b && !isNear(a, b)) net.cut(a, b);
  await net.advance(30_000);
  for (const { running } of net.nodes) expect(running?.peers.all()).toHaveLength(2);
}

/** How often each procedure was called, by who called whom. */
function calls(lines: readonly TraceLine[], procedure: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { what } of lines) {
    const [who = '', path = ''] = what.split('  ');
    if (path === procedure && who.includes(' -> ')) counts.set(who, (counts.get(who) ?? 0) + 1);
  }
  return counts;
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

function tipOf({ running }: SimNode): string | undefined {
  return running?.chain.tip.header.hash;
}

/** A liar, and a valid block with a payment that waits nowhere. */
async function forged({ net }: Scene, victim: SimNode) {
  const liar = await joinLiar(net);
  await mineBlocks(net.node(0).client, liar.payee, 2);
  await net.mine(0, 3);
  await net.settle();
  const forge = present(Forge.on(liar, { net, victim, dice: Dice.of(1, 'relay') }));
  const payment = forge.pay(present(forge.freeCoin()));
  return { liar, payment, block: forge.block([forge.coinbase(), payment]) };
}

const submit = (net: Simulation, node: number, block: Block) =>
  net.node(node).client.block.submit.mutate({ block: toBase64(block.raw) });

describe.each([
  ['a ring of six', 6, makeRing],
  ['a full mesh of five', 5, async () => {}],
] as const)('on %s', (_name, size, shape) => {
  test('a payment is announced over each direction of each link once at most, and fetched once by each node', async () => {
    await using at = await scene(size, shape);
    const { net, lines } = at;
    const { txid } = await net.send(0, 1, 1_000n);
    await net.advance(1_000);
    for (const { running } of net.nodes) expect(running?.mempool.pool.get(txid)).toBeDefined();
    expect(Math.max(...calls(lines, 'transaction.announce').values())).toBe(1);
    expect(total(calls(lines, 'transaction.raw'))).toBe(size - 1);
  });

  test('a block crosses each direction of each link once at most, and is put together without a fetch', async () => {
    await using at = await scene(size, shape);
    const { net, lines } = at;
    await net.send(0, 1, 1_000n);
    await net.advance(1_000);
    lines.length = 0;
    await net.mine(0, 1);
    await net.advance(1_000);
    assertConverged(net);
    expect(Math.max(...calls(lines, 'block.announce').values())).toBe(1);
    for (const fetch of ['block.raw', 'block.missing', 'block.headers', 'block.range'])
      expect(total(calls(lines, fetch))).toBe(0);
  });
});

test('only what is missing of a block is fetched, once, from the peer that announced it', async () => {
  await using at = await scene(2);
  const { net, lines } = at;
  const { block } = await forged(at, net.node(1));
  lines.length = 0;
  await submit(net, 0, block);
  await net.advance(1_000);
  expect(tipOf(net.node(1))).toBe(block.header.hash);
  expect(calls(lines, 'block.missing')).toEqual(new Map([['n1 -> n0', 1]]));
  expect(total(calls(lines, 'block.raw'))).toBe(0);
  assertInvariants(net);
});

test('what the first announcer of a block withholds is fetched from the next one within seconds', async () => {
  await using at = await scene(3);
  const { net, lines } = at;
  const victim = net.node(1);
  const { liar, block } = await forged(at, victim);
  liar.story.answers.set('block.missing', SILENCE);
  lines.length = 0;
  expect(await announceCompact(liar, victim, present(compactBlockOf(block)))).toBe(true);
  await submit(net, 0, block);
  await net.advance(IN_TIME_MS);
  expect(tipOf(victim)).toBe(block.header.hash);
  const asked = [...calls(lines, 'block.missing')].filter(([who]) => who.startsWith('n1'));
  expect(asked).toEqual([
    ['n1 -> liar0', 1],
    [expect.stringMatching(/^n1 -> n[02]$/), 1],
  ]);
});

test('a payment that its first announcer withholds is fetched from the next one in bounded time', async () => {
  await using at = await scene(3);
  const { net } = at;
  const victim = net.node(1);
  const { liar, payment } = await forged(at, victim);
  liar.story.transactions.set(payment.wtxid, 'silence');
  expect(await announceTransactions(liar, victim, [payment.wtxid])).toBe(true);
  await net.node(0).client.transaction.submit.mutate({ transaction: toBase64(payment.raw) });
  // The time limit of a call, and the way.
  await net.advance(5_500);
  expect(victim.running?.mempool.pool.byWtxid(payment.wtxid)).toBeDefined();
});

test('a block goes round before its coins are looked at, and where it proves invalid no honest node loses a peer', async () => {
  await using at = await scene(4);
  const { net, lines } = at;
  const { liar } = await forged(at, net.node(1));
  lines.length = 0;
  expect(await tellLie(liar, 'compact-invalid', { net, victim: net.node(1) })).toBe(true);
  await net.advance(1_000);
  const refused = lines.filter(({ what }) => what.includes('a relayed block was refused'));
  expect(refused.map(({ where }) => where).sort()).toEqual(['n0', 'n1', 'n2', 'n3']);
  for (const { what } of lines) expect(what).not.toMatch(/^peer dropped/);
  await net.mine(2, 1);
  await net.settle();
  assertConverged(net);
});

describe('a node that nobody can call', () => {
  /** Three nodes, the last of which has no address, and ripe coins. */
  async function hiddenScene() {
    const lines: TraceLine[] = [];
    const net = await simulate({ nodes: 3, seed: 5, hidden: [2], onLine: (line) => lines.push(line) });
    await net.mine(0, 4);
    await net.settle();
    lines.length = 0;
    return { net, lines, hidden: net.node(2), [Symbol.asyncDispose]: () => net[Symbol.asyncDispose]() };
  }

  test('hears of blocks and payments as they come, by following its peers', async () => {
    await using at = await hiddenScene();
    const { net, lines, hidden } = at;
    for (const { running } of net.nodes) expect(running?.peers.get(hidden.url)).toBeUndefined();
    const { txid } = await net.send(0, 1, 1_000n);
    await net.advance(300);
    expect(hidden.running?.mempool.pool.get(txid)).toBeDefined();
    const [hash] = await net.mine(1, 1);
    await net.advance(300);
    expect(tipOf(hidden)).toBe(hash);
    expect([...calls(lines, 'block.raw').values()]).toEqual([1]);
    expect([...calls(lines, 'transaction.raw')].filter(([who]) => who.startsWith('n2'))).toHaveLength(1);
  });

  test('hands its own blocks only to peers that have them from nobody else', async () => {
    await using at = await hiddenScene();
    const { net, lines } = at;
    const [hash] = await net.mine(2, 1);
    await net.advance(1_000);
    expect(net.nodes.map(tipOf)).toEqual(Array(3).fill(hash));
    expect(calls(lines, 'block.announce').get('n2 -> n0')).toBe(1);
    expect(total(calls(lines, 'block.submit'))).toBeLessThanOrEqual(2);
  });

  test('goes on hearing when the peer it followed is gone for a while, and when its own line was cut', async () => {
    await using at = await hiddenScene();
    const { net, hidden } = at;
    await net.crash(0);
    await net.advance(60_000);
    await net.restart(0);
    await net.advance(60_000);
    const [first] = await net.mine(0, 1);
    await net.advance(300);
    expect(tipOf(hidden)).toBe(first);
    net.partition([0, 1], [2]);
    await net.advance(60_000);
    net.heal();
    await net.advance(90_000);
    const [second] = await net.mine(1, 1);
    await net.advance(300);
    expect(tipOf(hidden)).toBe(second);
  });
});

describe('payments that go round a mesh', () => {
  const SIZE = 8;
  const PAYERS = 4;

  /** Nodes of which some have ripe coins. */
  const mesh = () =>
    scene(SIZE, async (net) => {
      for (let payer = 1; payer < PAYERS; payer++) {
        await net.mine(payer, 3);
        await net.settle();
      }
      await net.mine(0, 3);
      await net.settle();
    });

  /** Sends a payment, and answers how many calls told of it at once, and how many nodes have heard of it by that. */
  async function sent(
    { net, lines }: Scene,
    from: number,
  ): Promise<{ readonly calls: number; readonly heard: number }> {
    lines.length = 0;
    const { txid } = await net.send(from, (from + 1) % SIZE, 1_000n);
    await net.advance(500);
    const heard = net.nodes.filter(({ running }) => running?.mempool.pool.get(txid) !== undefined).length;
    const count = total(calls(lines, 'transaction.announce'));
    await net.advance(5_000);
    for (const { running } of net.nodes) if (running) expect(running.mempool.pool.get(txid)).toBeDefined();
    return { calls: count, heard };
  }

  test('come to be told by few calls, from wherever they come: one for each node that must hear of it', async () => {
    await using at = await mesh();
    const rounds = [];
    for (let i = 0; i < 24; i++) {
      rounds.push(await sent(at, i % PAYERS));
      if (i % PAYERS === PAYERS - 1) await at.net.mine(0, 1);
    }
    // Four of seven peers each at first. Then seven calls must be made, and whoever sends tells two at the least.
    expect(rounds[0]?.calls).toBeGreaterThan(2 * SIZE);
    for (const round of rounds.slice(-PAYERS)) {
      expect(round.heard, JSON.stringify(rounds)).toBe(SIZE);
      expect(round.calls, JSON.stringify(rounds)).toBeLessThanOrEqual(SIZE);
    }
  });

  test('still reach all within seconds when those go that used to tell them', async () => {
    await using at = await mesh();
    const { net, lines } = at;
    for (let i = 0; i < 6; i++) await sent(at, 0);
    lines.length = 0;
    await net.send(0, 1, 1_000n);
    await net.advance(5_000);
    const tellers = new Set([...calls(lines, 'transaction.raw').keys()].map((who) => who.split(' -> ')[1]));
    const gone = net.nodes.flatMap(({ name }, index) => (index > 0 && tellers.has(name) ? [index] : [])).slice(0, 3);
    expect(gone.length).toBeGreaterThan(0);
    for (const index of gone) await net.stop(index);
    const { txid } = await net.send(0, 1, 1_000n);
    await net.advance(IN_TIME_MS + 1_000);
    for (const { running } of net.nodes) if (running) expect(running.mempool.pool.get(txid)).toBeDefined();
  });
});

test('a payment that was confirmed or refused lately is not fetched again from whoever still names it', async () => {
  await using at = await scene(2);
  const { net, lines } = at;
  const victim = net.node(1);
  const { liar, payment } = await forged(at, victim);
  liar.story.transactions.set(payment.wtxid, payment);
  expect(await announceTransactions(liar, victim, [payment.wtxid])).toBe(true);
  await net.advance(500);
  await net.mine(1, 1);
  expect(victim.running?.mempool.pool.byWtxid(payment.wtxid)).toBeUndefined();
  lines.length = 0;
  expect(await announceTransactions(liar, victim, [payment.wtxid])).toBe(true);
  await net.advance(500);
  expect(total(calls(lines, 'transaction.raw'))).toBe(0);
});
