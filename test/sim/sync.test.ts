import { describe, expect, test, vi } from 'vitest';
import { toBase64 } from '../../shared/bytes/base64.js';
import { contextAfter, expectedBits } from '../../shared/consensus/checkHeader.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import { type NetworkParams, parseNetwork } from '../../shared/consensus/params.js';
import type { Block } from '../../shared/model/block.js';
import type { Header } from '../../shared/model/header.js';
import { toHeight } from '../../shared/model/height.js';
import { idFromBytes } from '../../shared/model/ids.js';
import { MAX_HEADERS, rangeInput } from '../../shared/rpc/blockSchemas.js';
import { assertOk, present } from '../kit/assertOk.js';
import { mine } from '../kit/builders.js';
import { SILENCE, value } from '../kit/sim/liar/answer.js';
import { FeignedChain } from '../kit/sim/liar/feignedChain.js';
import { joinLiar } from '../kit/sim/liar/joinLiar.js';
import type { Liar } from '../kit/sim/liar/liar.js';
import { tellLie } from '../kit/sim/liar/tellLie.js';
import { EPOCH_MS } from '../kit/sim/simClock.js';
import type { SimNode } from '../kit/sim/simNode.js';
import { type SimulateOptions, simulate } from '../kit/sim/simulate.js';
import type { Simulation } from '../kit/sim/simulation.js';
import type { TraceLine } from '../kit/sim/trace.js';
import { TestChain } from '../kit/testChain.js';

const HOUR_MS = 3_600_000;

// Hundreds of blocks and thousands of headers.
vi.setConfig({ testTimeout: 120_000 });

/** A network, liars on it, and what its trace says. */
async function scene(options: SimulateOptions, liars = 0) {
  const lines: TraceLine[] = [];
  const net = await simulate({ seed: 3, ...options, onLine: (line) => lines.push(line) });
  const joined: Liar[] = [];
  for (let number = 0; number < liars; number++) joined.push(await joinLiar(net, number));
  return {
    net,
    liars: joined,
    lines,
    /** Whom a node has dropped. */
    dropped: (node: SimNode): string[] =>
      lines.flatMap(({ where, what }) =>
        where === node.name && what.startsWith('peer dropped') ? (/peer=(\S+)/.exec(what)?.[1] ?? '') : [],
      ),
    [Symbol.asyncDispose]: () => net[Symbol.asyncDispose](),
  };
}

function heightOf({ running }: SimNode): number | undefined {
  return running?.chain.tip.header.height;
}

/** Lets a node start with nothing, and the liars meet it. Answers the virtual milliseconds until it has a height. */
async function timeToSync(
  net: Simulation,
  node: number,
  { height, liars }: { height: number; liars: readonly Liar[] },
) {
  await net.crash(node);
  net.wipe(node);
  await net.restart(node);
  const from = net.now;
  for (const liar of liars) await liar.meet(net.node(node));
  const isThere = await net.scheduler.advanceUntil(() => heightOf(net.node(node)) === height, 120_000);
  expect(isThere).toBe(true);
  return net.now - from;
}

/** Bodies as an honest node has them, each with its last byte changed. */
function spoiled(source: SimNode) {
  return (input: unknown) => {
    const { from, count } = rangeInput.parse(input);
    const { chain } = present(source.running);
    const first = typeof from === 'string' && from !== 'last' ? present(chain.headers.get(from)).header.height : 0;
    const raws = Array.from({ length: count }, (_, i) => chain.at(first + i)).flatMap((record) =>
      record === undefined ? [] : present(chain.store.rawBlock(record.header.hash)).slice(),
    );
    for (const raw of raws) raw[raw.length - 1] = (raw.at(-1) ?? 0) ^ 1;
    return value({ blocks: raws.map(toBase64) });
  };
}

describe('bodies', () => {
  test('come as fast from a good peer among those that stall, and these are asked for little', async () => {
    await using started = await scene({ nodes: 2, invariants: false }, 2);
    const { net, liars } = started;
    await net.mine(0, 150);
    await net.settle();
    const alone = await timeToSync(net, 1, { height: 150, liars: [] });
    let asked = 0;
    for (const liar of liars)
      liar.story.answers.set('block.range', () => {
        asked += 1;
        return SILENCE;
      });
    const among = await timeToSync(net, 1, { height: 150, liars });
    expect(among).toBeLessThan(alone + 10_000);
    expect(asked).toBeLessThanOrEqual(liars.length);
  });

  test('that are not what the header says are held against their sender, and against nobody else', async () => {
    await using started = await scene({ nodes: 3 }, 1);
    const { net, liars, dropped } = started;
    await net.mine(0, 100);
    await net.settle();
    for (const liar of liars) liar.story.answers.set('block.range', spoiled(net.node(0)));
    await timeToSync(net, 2, { height: 100, liars });
    await net.settle();
    const own = dropped(net.node(2)).filter((url) => liars.some((liar) => liar.url === url));
    expect(own.length).toBeGreaterThan(0);
    expect(dropped(net.node(2))).toEqual(own);
    const { chain } = present(net.node(2).running);
    expect([...chain.headers.tips()].filter(({ invalid }) => invalid)).toEqual([]);
  });

  test('are not fetched again after a crash, but for the few that were on their way', async () => {
    await using started = await scene({ nodes: 2, links: { bandwidth: 20 }, invariants: false }, 1);
    const { net, liars } = started;
    await net.mine(0, 300);
    await net.settle();
    net.partition([0], [1]);
    const [carrier] = liars;
    let wanted = 0;
    present(carrier).story.answers.set('block.range', (input) => {
      wanted += rangeInput.parse(input).count;
      return undefined;
    });
    await net.crash(1);
    net.wipe(1);
    net.heal();
    net.cut(0, 1);
    net.cut(1, 0);
    await net.restart(1);
    await present(carrier).meet(net.node(1));
    const isHalfWay = (): boolean => (heightOf(net.node(1)) ?? 0) >= 100;
    expect(await net.scheduler.advanceUntil(isHalfWay, 120_000)).toBe(true);
    await net.crash(1);
    await net.restart(1);
    expect(heightOf(net.node(1))).toBeGreaterThanOrEqual(100);
    await present(carrier).meet(net.node(1));
    const isThere = (): boolean => heightOf(net.node(1)) === 300;
    expect(await net.scheduler.advanceUntil(isThere, 120_000)).toBe(true);
    expect(wanted).toBeLessThan(300 + 150);
  });
});

describe('a download', () => {
  test('goes on while those who serve it are killed and started again, one after the other', async () => {
    await using started = await scene({ nodes: 3, links: { bandwidth: 20 }, invariants: false });
    const { net } = started;
    await net.mine(0, 200);
    await net.settle();
    await net.crash(2);
    net.wipe(2);
    await net.restart(2);
    for (let round = 0; round < 6; round++) {
      await net.crash(round % 2);
      await net.advance(1_500);
      await net.restart(round % 2);
    }
    const isThere = (): boolean => heightOf(net.node(2)) === 200;
    expect(await net.scheduler.advanceUntil(isThere, 120_000)).toBe(true);
  });
});

describe('clocks', () => {
  test.each([3 * HOUR_MS, -3 * HOUR_MS])('that are off by %d ms cost no peer its good name', async (aheadMs) => {
    await using started = await scene({ nodes: 3 });
    const { net, dropped } = started;
    net.node(2).clockError.aheadMs = aheadMs;
    await net.mine(0, 20);
    await net.advance(60_000);
    expect(dropped(net.node(2))).toEqual([]);
    net.node(2).clockError.aheadMs = 0;
    await net.settle();
    expect(net.nodes.map(heightOf)).toEqual([20, 20, 20]);
  });

  test('that jump by a day amid a download stop nothing', async () => {
    await using started = await scene({ nodes: 2, links: { bandwidth: 20 }, invariants: false });
    const { net, dropped } = started;
    await net.mine(0, 200);
    await net.settle();
    await net.crash(1);
    net.wipe(1);
    await net.restart(1);
    await net.scheduler.advanceUntil(() => (heightOf(net.node(1)) ?? 0) > 50, 60_000);
    net.node(1).clockError.aheadMs = 24 * HOUR_MS;
    const isThere = (): boolean => heightOf(net.node(1)) === 200;
    expect(await net.scheduler.advanceUntil(isThere, 60_000)).toBe(true);
    expect(dropped(net.node(1))).toEqual([]);
  });
});

/** `dev` with a difficulty: a chain that was mined fast has far more work in a block than one made up on schedule. */
const HARD: NetworkParams = parseNetwork({
  ...{ name: 'hard', blockIntervalSeconds: 1, retarget: 'asert', halfLifeIntervals: 50, genesisBits: 0x207fffff },
  ...{ reward: '1.5', halvingInterval: 0, coinbaseMaturity: 2, maxSupply: '90000000', minimumWork: '0' },
  ...{ upgrades: [], nodePort: 42_221 },
});
/** How many blocks are mined in no time, and how many then as they should be. */
const [FAST, STEADY] = [250, 250];

function hardChain(): Block[] {
  const source = new TestChain(HARD);
  const blocks: Block[] = [];
  let timestamp = EPOCH_MS - HOUR_MS;
  for (let height = 1; height <= FAST + STEADY; height++) {
    timestamp += height <= FAST ? 1 : HARD.blockInterval;
    blocks.push(source.extend(blocks.at(-1) ?? source.genesis, { timestamp }));
  }
  return blocks;
}

/** Valid headers of the easiest target on genesis. */
function easyHeaders(count: number): Header[] {
  const source = new TestChain(HARD);
  let context = source.contextOf(source.genesis);
  const headers: Header[] = [];
  for (let height = 1; height <= count; height++) {
    const timestamp = EPOCH_MS - 10 * HOUR_MS + height * HARD.blockInterval;
    const fields = { version: 1, height: toHeight(height), previous: context.hash, merkleRoot: new Uint8Array(32) };
    const header = mine({ ...fields, timestamp, bits: expectedBits(HARD, context), nonce: 0n });
    headers.push(header);
    context = contextAfter(context, header);
  }
  return headers;
}

describe('headers', () => {
  test('of little work are not kept, whoever claims a lot is dropped, and the others go on meanwhile', async () => {
    await using started = await scene({ nodes: 2, network: HARD, invariants: false }, 1);
    const { net, liars, lines, dropped } = started;
    const chain = hardChain();
    for (const block of chain.slice(0, -1))
      assertOk(await net.scheduler.during(present(net.node(0).running).chain.submitBlock(block)));
    await net.settle();
    const [liar] = liars;
    const headers = easyHeaders(2 * MAX_HEADERS + 7);
    const { story } = present(liar);
    story.chain = new FeignedChain(new TestChain(HARD).genesis.header, headers);
    story.tip = { height: toHeight(1_000_000), hash: idFromBytes(new Uint8Array(32).fill(7)), work: 2n ** 200n };
    const victim = net.node(1);
    expect(await net.scheduler.advanceUntil(() => dropped(victim).includes(present(liar).url), 60_000)).toBe(true);
    expect(
      lines.filter(({ where, what }) => where === 'n1' && what.startsWith('a branch of little work')),
    ).toHaveLength(1);
    const { chain: own } = present(victim.running);
    expect(headers.filter(({ hash }) => own.headers.get(hash) !== undefined)).toEqual([]);
    const last = present(chain.at(-1));
    assertOk(await net.scheduler.during(present(net.node(0).running).chain.submitBlock(last)));
    await net.settle();
    expect(own.tip.header.hash).toBe(last.header.hash);
  });

  test('that have work enough only in the end are heard twice and stored', async () => {
    const network: NetworkParams = { ...NETWORKS.dev, minimumWork: 2n * 3_500n };
    await using started = await scene({ nodes: 1, network }, 1);
    const { net, liars, lines } = started;
    const victim = net.node(0);
    expect(await tellLie(present(liars[0]), 'endless-headers', { net, victim })).toBe(true);
    await net.advance(3_000);
    expect(present(victim.running).chain.bestHeader.header.height).toBe(4_000);
    const asked = lines.filter(({ what }) => what.startsWith('n0 -> liar0  block.headers')).length;
    expect(asked).toBeGreaterThanOrEqual(4);
  });

  test('that are others the second time are not stored, and cost no more than a rest', async () => {
    const network: NetworkParams = { ...NETWORKS.dev, minimumWork: 2n * 3_500n };
    await using started = await scene({ nodes: 1, network }, 1);
    const { net, liars } = started;
    const victim = net.node(0);
    const [liar] = liars;
    expect(await tellLie(present(liar), 'endless-headers', { net, victim })).toBe(true);
    const { story } = present(liar);
    const whole = present(story.chain);
    let asked = 0;
    const genesis = new TestChain().genesis.header;
    const other = new TestChain().grow(new TestChain().genesis, 30).map(({ header }) => header);
    story.answers.set('block.headers', () => {
      asked += 1;
      story.chain = asked <= 2 ? whole : new FeignedChain(genesis, other);
      return undefined;
    });
    await net.advance(10_000);
    expect(present(victim.running).chain.bestHeader.header.height).toBe(0);
    expect(asked).toBeLessThan(6);
  });

  test('begin where the active chain is, also after somebody has made up a longer branch from genesis on', async () => {
    await using started = await scene({ nodes: 2, invariants: false }, 1);
    const { net, liars, lines } = started;
    await net.mine(0, 200);
    await net.settle();
    const victim = net.node(1);
    expect(await tellLie(present(liars[0]), 'endless-headers', { net, victim })).toBe(true);
    await net.advance(1_000);
    expect(present(victim.running).chain.bestHeader.header.height).toBe(4_000);
    net.partition([0], [1]);
    await net.mine(0, 20);
    const from = lines.length;
    net.heal();
    await net.settle();
    expect(heightOf(victim)).toBe(220);
    const answers = lines.slice(from).filter(({ what }) => what.startsWith('n0 => n1  block.headers  200'));
    // Thirty headers in base64 at most.
    for (const { what } of answers) expect(Number(/200 (\d+) B/.exec(what)?.[1])).toBeLessThan(4_200);
    expect(answers.length).toBeGreaterThan(0);
  });
});
