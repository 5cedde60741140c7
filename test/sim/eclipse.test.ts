import { describe, expect, test, vi } from 'vitest';
import { present } from '../kit/assertOk.js';
import { joinLiar } from '../kit/sim/liar/joinLiar.js';
import type { Liar } from '../kit/sim/liar/liar.js';
import { surround } from '../kit/sim/liar/surround.js';
import type { SimNode } from '../kit/sim/simNode.js';
import { simulate } from '../kit/sim/simulate.js';
import type { Simulation } from '../kit/sim/simulation.js';

/** Minutes of a dozen machines' time, on a machine that may be busy. */
vi.setConfig({ testTimeout: 90_000 });

/** Honest nodes, and the victim after them. */
const HONEST = [0, 1, 2, 3];
const VICTIM = 4;
/** The victim knows this one, and none of the others can reach it. */
const FRIEND = 0;
const LIARS = 12;
/** Each node and each liar is in a group of its own. */
const ADDRESSES = [...HONEST.map((n) => `30.${n}.0.1`), '50.0.0.1'];
const SOUGHT = 8;

const tipOf = (node: SimNode): string => present(node.running).chain.tip.header.hash;
const soughtBy = (node: SimNode): string[] =>
  present(node.running)
    .peers.all()
    .filter(({ sought }) => sought)
    .map(({ url }) => url);

/** A network in which a victim has been found by liars, and knows the one honest node or has known it. */
async function eclipsed(seed: number): Promise<{
  net: Simulation;
  liars: Liar[];
  victim: SimNode;
  told: (urls: readonly string[]) => void;
}> {
  let told: readonly string[] = [];
  const urls = ADDRESSES.map((address) => `http://${address}:42221`);
  const knows = (node: number): readonly string[] =>
    node === VICTIM ? told : urls.filter((_, other) => other !== node && other !== VICTIM);
  const net = await simulate({ nodes: ADDRESSES.length, seed, addresses: ADDRESSES, knows, invariants: false });
  expect(net.nodes.map(({ url }) => url)).toEqual(urls);
  for (const honest of HONEST)
    if (honest !== FRIEND) {
      net.cut(honest, VICTIM);
      net.cut(VICTIM, honest);
    }
  const liars: Liar[] = [];
  for (let n = 0; n < LIARS; n++) liars.push(await joinLiar(net, n, { address: `40.${n}.0.1`, isQuiet: true }));
  surround(liars, net);
  return {
    net,
    liars,
    victim: net.node(VICTIM),
    told: (urls) => {
      told = urls;
    },
  };
}

async function restart(net: Simulation): Promise<void> {
  await net.crash(VICTIM);
  await net.restart(VICTIM);
}

describe('a node whose peers want to surround it (Heilman et al. 2015)', () => {
  test('follows the most work by the only honest one of eight, at once', async () => {
    const { net, liars, victim, told } = await eclipsed(1);
    await using _net = net;
    told([net.node(FRIEND).url, present(liars[0]).url]);
    await restart(net);
    await net.advance(30_000);
    expect(soughtBy(victim)).toHaveLength(SOUGHT);
    expect(soughtBy(victim).filter((url) => liars.some((liar) => liar.url === url))).toHaveLength(SOUGHT - 1);
    await net.mine(3, 5);
    await net.advance(10_000);
    expect(tipOf(victim)).toBe(tipOf(net.node(3)));
  });

  test.each([1, 2])('finds out of it by an honest address of its book, within four minutes (seed %i)', async (seed) => {
    const { net, liars, victim, told } = await eclipsed(seed);
    await using _net = net;
    // It has known an honest node, which by now knows nothing of it.
    told([net.node(FRIEND).url]);
    await restart(net);
    await net.advance(10_000);
    expect(soughtBy(victim)).toEqual([net.node(FRIEND).url]);
    await net.crash(FRIEND);
    net.wipe(FRIEND);
    // It is away while the victim starts again among liars.
    told([present(liars[0]).url]);
    await restart(net);
    await net.advance(30_000);
    expect(soughtBy(victim)).toHaveLength(SOUGHT);
    await net.restart(FRIEND);
    await net.mine(3, 5);
    await net.advance(240_000);
    expect(tipOf(victim)).toBe(tipOf(net.node(3)));
    expect(present(victim.running).peers.all().length).toBeLessThanOrEqual(SOUGHT + 1);
  });
});

test('nodes that were sought longest are dialled first after a restart', async () => {
  const greeted: string[] = [];
  const addresses = Array.from({ length: 8 }, (_, n) => `30.${n}.0.1`);
  const url = (n: number): string => `http://${addresses[n]}:42221`;
  const last = addresses.length - 1;
  let told = [url(0)];
  await using net = await simulate({
    nodes: addresses.length,
    addresses,
    // The last hears of the others by the first, and at its second start of nobody.
    knows: (node) => (node === last ? told : addresses.flatMap((_, n) => (n === node || n === last ? [] : url(n)))),
    onLine: ({ what }) => {
      const [, to] = new RegExp(`^n${last} -> n(\\d) {2}node\\.hello`).exec(what) ?? [];
      if (to !== undefined) greeted.push(url(Number(to)));
    },
  });
  await net.advance(30_000);
  const sought = soughtBy(net.node(last)).filter((each) => each !== url(0));
  expect(sought.length).toBeGreaterThan(1);
  told = [];
  greeted.length = 0;
  await net.crash(last);
  await net.restart(last);
  await net.advance(10_000);
  expect(greeted.slice(0, 2).sort()).toEqual(sought.slice(0, 2).sort());
});

test('nodes that come and go: those that are left agree, and tell nobody of those that are gone', async () => {
  const addresses = Array.from({ length: 10 }, (_, n) => `30.${n}.0.1`);
  const url = (n: number): string => `http://${addresses[n]}:42221`;
  const knows = (node: number): string[] => (node === 0 ? [url(1)] : [url(0)]);
  await using net = await simulate({
    nodes: addresses.length,
    addresses,
    knows,
    links: { loss: 0.01 },
    invariants: false,
  });
  const gone = [7, 8, 9];
  for (let round = 0; round < 12; round++) {
    // Every node but the first is away for a while, one after the other and sometimes two at once.
    const away = [1 + (round % 6), 1 + ((round * 3 + 2) % 6)];
    for (const node of new Set(away)) await net.crash(node);
    const leaves = gone[round / 3];
    if (leaves !== undefined) await net.crash(leaves);
    await net.mine(0, 1);
    await net.advance(12_000);
    for (const node of new Set(away)) await net.restart(node);
    await net.advance(8_000);
  }
  await net.advance(60_000);
  await net.settle();
  const left = net.nodes.filter(({ isRunning }) => isRunning);
  expect(left.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  for (const node of left) {
    expect(tipOf(node)).toBe(tipOf(net.node(0)));
    expect(present(node.running).peers.all().length).toBe(left.length - 1);
    const { nodes } = await node.client.node.list.query();
    for (const away of gone)
      expect(
        nodes.map((known) => known.url),
        node.name,
      ).not.toContain(url(away));
  }
});
