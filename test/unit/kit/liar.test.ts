import { describe, expect, test } from 'vitest';
import { toBase64 } from '../../../shared/bytes/base64.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import { type BlockHash, parseId } from '../../../shared/model/ids.js';
import { mineBlocks } from '../../kit/actions/mineBlocks.js';
import { assertInvariants } from '../../kit/assertions.js';
import { present } from '../../kit/assertOk.js';
import { transfer } from '../../kit/builders.js';
import { Dice } from '../../kit/sim/dice.js';
import { respond } from '../../kit/sim/liar/answer.js';
import { forestallTransaction } from '../../kit/sim/liar/forestallTransaction.js';
import { joinLiar } from '../../kit/sim/liar/joinLiar.js';
import type { Liar } from '../../kit/sim/liar/liar.js';
import { LIE_NAMES, type LieName } from '../../kit/sim/liar/lies.js';
import { tellLie } from '../../kit/sim/liar/tellLie.js';
import type { SimNode } from '../../kit/sim/simNode.js';
import { simulate } from '../../kit/sim/simulate.js';
import type { Simulation } from '../../kit/sim/simulation.js';
import { formatLine, type TraceLine } from '../../kit/sim/trace.js';
import { walletKey } from '../../kit/wallets.js';

const SEED = 7;

/** What an honest node notices of a liar, as the trace has it. */
interface Noticed {
  /** The codes of the rules by which it refused something. */
  readonly refused: readonly string[];
  /** Why it parted with the liar, the first time; `null` where it did not. */
  readonly dropped: string | null;
  /** What it asked that it does not ask of every peer on a timer, with the status of the answer where one came. */
  readonly asked: readonly string[];
  /** What it was told without having asked, with the status that it answered. */
  readonly told: readonly string[];
  /** What became of the header of a block that it refused; `null` where it refused none. */
  readonly header: 'invalid' | 'not marked' | null;
}

/** Nothing out of the ordinary. */
const NOTHING: Noticed = { refused: [], dropped: null, asked: [], told: [], header: null };
const ANNOUNCED: Noticed = { ...NOTHING, told: ['block.announce 200'] };

/** What each lie comes to with its victim. The compiler refuses this table where a lie is left out. */
const EXPECTED: Record<LieName, Noticed> = {
  'block-double-spend': badBlock('block-double-spend'),
  'block-duplicate-input': badBlock('tx-duplicate-input', 'block-tx'),
  'block-overspend': badBlock('tx-overspend', 'block-tx'),
  'block-missing-coin': badBlock('tx-input-missing', 'block-tx'),
  'block-immature': badBlock('tx-immature', 'block-tx'),
  'block-child-first': badBlock('block-order'),
  'block-stolen-coin': badBlock('tx-signature-owner', 'block-tx'),
  'block-junk-signature': badBlock('tx-signature-invalid', 'block-tx'),
  'block-rich-coinbase': badBlock('block-coinbase-value'),
  'block-second-coinbase': badBlock('block-extra-coinbase'),
  'block-no-coinbase': badBlock('block-no-coinbase'),
  'block-coinbase-height': badBlock('block-coinbase-height'),
  // No body fits it, and a header without a body is not kept.
  'block-wrong-root': { ...badBlock('block-root'), header: null },
  'block-mutated-body': { ...badBlock('block-root'), header: 'not marked' },
  'compact-junk-ids': { ...ANNOUNCED, asked: ['block.missing 200'], dropped: 'peer-protocol' },
  'compact-withheld': { ...ANNOUNCED, asked: ['block.missing'] },
  // Nobody has to have lied where names collide: the whole block is fetched, and it is a good one.
  'compact-wrong-coinbase': { ...ANNOUNCED, asked: ['block.raw 200'] },
  // Announced before it was connected, as by anybody: the block is marked, and its sender stays.
  'compact-invalid': { ...ANNOUNCED, refused: ['block-coinbase-value'], header: 'invalid' },
  'header-false-work': badHeader('header-work'),
  'header-wrong-bits': badHeader('header-bits'),
  'header-wrong-version': badHeader('header-version'),
  'header-wrong-height': badHeader('header-height'),
  'header-old': badHeader('header-time-old'),
  // Nobody's fault: it may be our own clock.
  'header-future': { ...badHeader('header-time-future'), dropped: null },
  'header-unknown-parent': { ...ANNOUNCED, asked: ['block.headers 200'] },
  'fork-overspend': badBranch('tx-overspend'),
  'fork-junk-signature': badBranch('tx-signature-invalid'),
  'withheld-honest-block': { ...ANNOUNCED, asked: ['block.raw'] },
  'withheld-block-silent': { ...ANNOUNCED, asked: ['block.raw'] },
  'withheld-block-absent': { ...ANNOUNCED, asked: ['block.raw 400', 'block.headers 200'] },
  'withheld-block-other': { ...ANNOUNCED, asked: ['block.raw 200'], dropped: 'peer-protocol' },
  'withheld-branch': { ...ANNOUNCED, asked: ['block.headers 200', 'block.range'] },
  'junk-signatures': {
    ...NOTHING,
    told: ['transaction.submit 400', 'transaction.announce 200'],
    asked: ['transaction.raw 200'],
    refused: ['tx-signature-invalid'],
    dropped: 'tx-signature-invalid',
  },
  'withheld-transaction-silent': withheldTransaction('transaction.raw'),
  'withheld-transaction-absent': withheldTransaction('transaction.raw 200'),
  'withheld-transaction-other': { ...withheldTransaction('transaction.raw 200'), dropped: 'peer-protocol' },
  'garbage-page': { ...ANNOUNCED, asked: ['block.headers 200'], dropped: 'peer-unreachable' },
  'garbage-shape': { ...ANNOUNCED, asked: ['block.headers 200'], dropped: 'peer-protocol' },
  'garbage-huge': { ...ANNOUNCED, asked: ['block.headers 200'], dropped: 'too-large' },
  'garbage-silence': { ...ANNOUNCED, asked: ['block.headers'], dropped: 'timeout' },
  // Whom it repeats has had enough of it, too, and what it cannot hand on is taken for silence.
  'flood-announcements': {
    ...{ ...NOTHING, told: ['transaction.announce 200'], asked: ['transaction.raw 429'], dropped: 'peer-quota' },
  },
  'flood-headers': { ...ANNOUNCED, asked: ['block.headers 200'] },
  'flood-transactions': { ...NOTHING, told: ['transaction.submit 400'] },
  'endless-headers': { ...ANNOUNCED, asked: ['block.headers 200', 'block.range 404'] },
  'repeated-headers': { ...ANNOUNCED, asked: ['block.headers 200', 'block.range 404'] },
  'claimed-work': { ...NOTHING, asked: ['block.headers 200'], dropped: 'peer-protocol' },
  // The other payment of the same coin, which comes by relay from the node that took it.
  'block-verified-junk': badVerified(),
  'coin-twice': { ...NOTHING, told: ['transaction.submit 400'] },
  'double-spend': { ...NOTHING, told: ['transaction.submit 200'], refused: ['pool-replacement-fee'] },
};

/** A block that was fetched, refused by this rule and marked; its sender was let go. */
function badBlock(code: string, dropped = code): Noticed {
  return { ...ANNOUNCED, asked: ['block.raw 200'], refused: [code], dropped, header: 'invalid' };
}

/** A header for which nothing was fetched. */
function badHeader(code: string): Noticed {
  return { ...ANNOUNCED, refused: [code], dropped: code };
}

/** A branch that was taken, left again at the block that breaks this rule, and marked from there: here it is the top one. */
function badBranch(code: string): Noticed {
  const asked = ['block.headers 200', 'block.range 200'];
  return { ...ANNOUNCED, asked, refused: [code], dropped: 'block-tx', header: 'invalid' };
}

/** The same payment under good signatures before. */
function badVerified(): Noticed {
  const bad = badBlock('tx-signature-invalid', 'block-tx');
  return { ...bad, told: ['transaction.submit 200', ...bad.told] };
}

function withheldTransaction(asked: string): Noticed {
  return { ...NOTHING, told: ['transaction.announce 200'], asked: [asked] };
}

/** Lies that end in a real block, which the nodes take. */
const WITH_A_BLOCK: readonly LieName[] = ['block-mutated-body', 'withheld-honest-block', 'compact-wrong-coinbase'];
/** Lies about a real payment, which all nodes take. */
const WITH_A_PAYMENT: readonly LieName[] = [
  'block-verified-junk',
  'double-spend',
  ...(['junk-signatures', 'withheld-transaction-silent'] as const),
  ...(['withheld-transaction-absent', 'withheld-transaction-other'] as const),
];
/** How long a victim needs to see through a lie, where one second is not enough. */
const SLOW: Partial<Record<LieName, number>> = { 'garbage-silence': 30_000, 'garbage-page': 5_000 };

/** What every peer is asked on a timer, and told when there is news. */
const ROUTINE = /^node\.|^transaction\.ids|\.announce/;

type Scene = Awaited<ReturnType<typeof arena>>;

/** A liar among nodes, and ripe coins of both. */
async function arena(nodes = 3, seed = SEED) {
  const lines: TraceLine[] = [];
  const net = await simulate({ nodes, seed, onLine: (line) => lines.push(line) });
  const liar = await joinLiar(net);
  await net.mine(0, 2);
  await mineBlocks(net.node(0).client, liar.payee, 2);
  await net.mine(0, 3);
  await net.settle();
  const victim = net.node(0);
  return {
    net,
    liar,
    victim,
    lines,
    tell: (name: LieName, to = victim) => tellLie(liar, name, { net, victim: to, dice: Dice.of(seed, name) }),
    [Symbol.asyncDispose]: () => net[Symbol.asyncDispose](),
  };
}

/** What a node has noticed of a liar since a line of the trace. */
function noticed(lines: readonly TraceLine[], victim: SimNode, liar: Liar): Noticed {
  const own = lines.filter(({ where }) => where === victim.name).map(({ what }) => what);
  const refusals = own.filter((what) => / was refused | is invalid /.test(what));
  const refused = refusals.map((what) => /"code":"([^"]+)"/.exec(what)?.[1] ?? /code=(\S+)/.exec(what)?.[1] ?? what);
  const drop = own.find((what) => what.startsWith('peer dropped') && liar.urls.some((url) => what.includes(url)));
  return {
    refused: [...new Set(refused)],
    dropped: drop === undefined ? null : (/why=(\S+)/.exec(drop)?.[1] ?? drop),
    asked: calls(lines, { from: victim.name, to: liar.name }).filter((call) => !ROUTINE.test(call)),
    told: calls(lines, { from: liar.name, to: victim.name }).filter((call) => !/^node\./.test(call)),
    header: headerOf(refusals, victim),
  };
}

/** Each procedure that one machine called at another, with the status where there was an answer. */
function calls(lines: readonly TraceLine[], { from, to }: { from: string; to: string }): string[] {
  const answers = new Map<string, string>();
  for (const { what } of lines) {
    const [machines = '', path = '', status] = what.split('  ');
    if (machines === `${from} -> ${to}` && !answers.has(path)) answers.set(path, path);
    if (machines === `${to} => ${from}`) answers.set(path, `${path} ${status?.split(' ')[0]}`);
  }
  return [...answers.values()];
}

function headerOf(refusals: readonly string[], { running }: SimNode): Noticed['header'] {
  const ofBlock = refusals.find((what) => /^a relayed block|a block on the better branch/.test(what));
  const hash = parseId<BlockHash>(/ hash=(\w+)/.exec(ofBlock ?? '')?.[1] ?? '');
  const record = hash && running?.chain.headers.get(hash);
  if (record === undefined) return null;
  return record.invalid ? 'invalid' : 'not marked';
}

function tips({ nodes }: Simulation): (string | undefined)[] {
  return nodes.map(({ running }) => running?.chain.tip.header.hash);
}

function waiting({ nodes }: Simulation): (number | undefined)[] {
  return nodes.map(({ running }) => running?.mempool.pool.count);
}

/** Nobody is down, everybody takes the next block, and nothing has failed within. That all is valid is looked at after every event. */
async function expectWhole({ net, lines }: Pick<Scene, 'net' | 'lines'>): Promise<void> {
  const [mined] = await net.mine(1);
  await net.settle();
  expect(tips(net)).toEqual(net.nodes.map(() => mined));
  for (const { what } of lines) expect(what).not.toMatch(/^ERROR|has ended by itself/);
  assertInvariants(net);
}

describe('a lie', () => {
  test.each(LIE_NAMES)('%s is noticed for what it is, and changes nothing', async (name) => {
    await using scene = await arena(2);
    const { net, liar, victim, lines, tell } = scene;
    const before = tips(net);
    const from = lines.length;
    expect(await tell(name)).toBe(true);
    await net.advance(SLOW[name] ?? 1_000);
    expect(noticed(lines.slice(from), victim, liar)).toEqual(EXPECTED[name]);
    await net.settle();
    const [tip, other] = tips(net);
    expect(other).toBe(tip);
    expect(tip === before[0]).toBe(!WITH_A_BLOCK.includes(name));
    expect(waiting(net)).toEqual(before.map(() => (WITH_A_PAYMENT.includes(name) ? 1 : 0)));
    await expectWhole(scene);
    expect(waiting(net)).toEqual([0, 0]);
  });

  test('is told by nobody else: a liar that was not told to lie passes for a node', async () => {
    await using scene = await arena();
    const { net, liar, lines } = scene;
    const from = lines.length;
    await net.advance(30_000);
    for (const node of net.nodes) expect(noticed(lines.slice(from), node, liar)).toEqual(NOTHING);
    // So none of the expectations above holds by itself.
    for (const name of LIE_NAMES) expect(EXPECTED[name]).not.toEqual(NOTHING);
  });

  test('that is a branch is left where it breaks, from whatever depth, and the old chain is restored', async () => {
    await using scene = await arena();
    const { net, victim, liar } = scene;
    const before = tips(net);
    const depths = new Set<number>();
    for (let seed = 1; depths.size < 3 && seed < 20; seed++) {
      const moves: string[] = [];
      const { events } = present(victim.running).chain;
      const stop = [
        events.on('disconnected', ({ record }) => moves.push(`-${record.header.hash}`)),
        events.on('connected', ({ record }) => moves.push(`+${record.header.hash}`)),
      ];
      await tellLie(liar, 'fork-overspend', { net, victim, dice: Dice.of(seed, 'depth') });
      await net.advance(1_000);
      for (const off of stop) off();
      expect(tips(net)).toEqual(before);
      // Down to the fork, up by the valid block, down again and up to where it was.
      const depth = (moves.length - 2) / 2;
      depths.add(depth);
      const left = moves.slice(0, depth);
      expect(left.every((move) => move.startsWith('-'))).toBe(true);
      expect(moves.slice(-depth)).toEqual(left.map((move) => move.replace('-', '+')).reverse());
    }
    expect([...depths].sort()).toEqual([1, 2, 3]);
    await expectWhole(scene);
  });

  test('about a wallet’s payment does not keep it out, whoever had heard the junk form of it', async () => {
    await using scene = await arena();
    const { net, liar } = scene;
    const key = walletKey(0);
    const { chain } = net.node(0).running ?? {};
    // The oldest: the first by its name may be too young.
    const coins = present(chain).store.coinsOf(key.address, { limit: 100 });
    const { key: place, value } = present(coins.sort((a, b) => a.value.height - b.value.height)[0]);
    const transaction = transfer({
      genesis: present(chain).genesis.header.hash,
      spend: [{ outpoint: place.outpoint, coin: { address: key.address, value: value.value }, key }],
      outputs: [{ address: liar.key.address, value: value.value - 1_000n }],
    });
    const dice = Dice.of(SEED, 'junk');
    expect(await forestallTransaction(liar, { transaction, victims: net.nodes, dice })).toBe(true);
    await net.node(1).client.transaction.submit.mutate({ transaction: toBase64(transaction.raw) });
    await net.settle();
    for (const { running } of net.nodes)
      expect([...present(running).mempool.pool.wtxids()]).toEqual([transaction.wtxid]);
    await expectWhole(scene);
    expect(present(net.node(2).running).chain.store.place(transaction.txid)).toBeDefined();
  });

  test('that has been seen through can be told again, to the same node and to others, by several liars', async () => {
    await using scene = await arena();
    const { net, liar, lines, tell } = scene;
    const second = await joinLiar(net, 1);
    expect(second).not.toMatchObject({ url: liar.url });
    expect(second.payee).not.toBe(liar.payee);
    const from = lines.length;
    for (const victim of net.nodes) {
      expect(await tell('block-rich-coinbase', victim)).toBe(true);
      expect(await tellLie(second, 'header-wrong-bits', { net, victim, dice: Dice.of(2, 'second') })).toBe(true);
      await net.advance(500);
    }
    expect(await tell('block-rich-coinbase')).toBe(true);
    await net.advance(500);
    for (const [i, victim] of net.nodes.entries()) {
      // The others heard of the block from the first, who told them before it looked at the coins, and knew it to be bad.
      const dropped = i === 0 ? 'block-coinbase-value' : 'block-known-invalid';
      expect(noticed(lines.slice(from), victim, liar)).toMatchObject({ dropped });
      expect(noticed(lines.slice(from), victim, second)).toMatchObject({ dropped: 'header-bits' });
    }
    await expectWhole(scene);
  });

  test('can be told to a node that has been started anew since they met', async () => {
    await using scene = await arena();
    const { net, liar, victim, lines, tell } = scene;
    await net.crash(0, 'power');
    expect(await tell('block-rich-coinbase')).toBe(false);
    await net.restart(0);
    await net.advance(1_000);
    const from = lines.length;
    expect(await tell('block-rich-coinbase')).toBe(true);
    await net.advance(500);
    expect(noticed(lines.slice(from), victim, liar)).toEqual(EXPECTED['block-rich-coinbase']);
    await expectWhole(scene);
  });
});

describe('a liar', () => {
  test('says so where a lie cannot be told: without a coin, out of earshot, where mining is work', async () => {
    await using net = await simulate({ nodes: 2, seed: SEED });
    const liar = await joinLiar(net);
    const tell = (name: LieName) => tellLie(liar, name, { net, victim: net.node(0), dice: Dice.of(SEED, name) });
    for (const name of ['block-overspend', 'block-stolen-coin', 'fork-overspend', 'double-spend'] as const)
      expect(await tell(name)).toBe(false);
    expect(await tell('block-rich-coinbase')).toBe(true);
    net.partition([0, 1]);
    expect(await tell('block-rich-coinbase')).toBe(false);
    await using main = await simulate({ nodes: 1, seed: SEED, network: NETWORKS.main });
    const telling = { net: main, victim: main.node(0), dice: Dice.of(SEED, 'main') };
    const another = await joinLiar(main);
    for (const name of ['block-rich-coinbase', 'header-old', 'endless-headers'] as const)
      expect(await tellLie(another, name, telling)).toBe(false);
  });

  test('takes back what it told before it tells the next lie', async () => {
    await using scene = await arena();
    const { net, liar, victim, lines, tell } = scene;
    await tell('garbage-shape');
    await net.advance(500);
    await tell('header-unknown-parent');
    const from = lines.length;
    await net.advance(10_000);
    expect(noticed(lines.slice(from), victim, liar)).toMatchObject({ dropped: null });
  });

  test('finds many shapes that are no answer, and none is taken for one', async () => {
    await using scene = await arena(2);
    const { net, liar, victim, lines } = scene;
    const shapes = new Set<string>();
    for (let seed = 1; shapes.size < 10 && seed < 100; seed++) {
      const from = lines.length;
      expect(await tellLie(liar, 'garbage-shape', { net, victim, dice: Dice.of(seed, 'shape') })).toBe(true);
      await net.advance(100);
      expect(noticed(lines.slice(from), victim, liar)).toMatchObject({ refused: [], dropped: 'peer-protocol' });
      shapes.add(JSON.stringify(await respond(present(liar.story.answerTo('block.headers', undefined)))));
    }
    expect(shapes.size).toBe(10);
    await expectWhole(scene);
  });

  test('does the same with the same seed, and the same again each time the network is put back', async () => {
    const run = async (): Promise<string[]> => {
      await using scene = await arena();
      const { net, lines, tell } = scene;
      net.snapshot('before');
      const runs: string[] = [];
      for (let again = 0; again < 2; again++) {
        await net.restore('before');
        const from = lines.length;
        for (const name of ['fork-overspend', 'block-mutated-body', 'junk-signatures', 'flood-transactions'] as const)
          expect(await tell(name)).toBe(true);
        await net.settle();
        runs.push(lines.slice(from).map(formatLine).join('\n'));
      }
      return [...runs, net.trace.digest()];
    };
    const [first, second] = [await run(), await run()];
    expect(second).toEqual(first);
    expect(first[0]).toBe(first[1]);
  });
});
