import { describe, expect, test } from 'vitest';
import { ROOM_LIMITS } from '../../server/mempool/waitingRoom.js';
import { COMPACT_BLOCKS } from '../../server/net/handshake.js';
import { toBase64 } from '../../shared/bytes/base64.js';
import { toAmount } from '../../shared/model/amount.js';
import { idFromBytes, type TxId } from '../../shared/model/ids.js';
import type { Transaction, TransferBody } from '../../shared/model/transaction.js';
import { sealTransaction } from '../../shared/model/transaction.js';
import { MAX_IDS } from '../../shared/rpc/transactionSchemas.js';
import { mineBlocks } from '../kit/actions/mineBlocks.js';
import { assertInvariants } from '../kit/assertions.js';
import { present } from '../kit/assertOk.js';
import { transferBody } from '../kit/builders.js';
import { Dice } from '../kit/sim/dice.js';
import { announceTransactions } from '../kit/sim/liar/announce.js';
import { FORGED_FEE, Forge } from '../kit/sim/liar/forge.js';
import { joinLiar } from '../kit/sim/liar/joinLiar.js';
import { underJunk } from '../kit/sim/liar/junkSignature.js';
import type { Liar } from '../kit/sim/liar/liar.js';
import type { SimNode } from '../kit/sim/simNode.js';
import { simulate } from '../kit/sim/simulate.js';
import type { Simulation } from '../kit/sim/simulation.js';
import type { TraceLine } from '../kit/sim/trace.js';

/** A few messages there and back: no timer of any node is as short. */
const AT_ONCE_MS = 400;
/** Asked of one peer, and then of the next. */
const IN_TIME_MS = 3_000;

type Transfer = Transaction<TransferBody>;

/**
 * Two nodes, and machines that say what they are told to, in the order they are told to. The first of them has coins, and
 * a forge to spend them with.
 */
async function scene(talkers = 1) {
  const lines: TraceLine[] = [];
  const net = await simulate({ nodes: 2, seed: 11, onLine: (line) => lines.push(line) });
  await net.mine(0, 4);
  await net.settle();
  const others: Liar[] = [];
  for (let number = 0; number < talkers; number++) others.push(await joinLiar(net, number));
  const first = present(others[0]);
  await mineBlocks(net.node(0).client, first.payee, 2);
  await net.mine(0, 3);
  await net.settle();
  const victim = net.node(1);
  const forge = present(Forge.on(first, { net, victim, dice: Dice.of(1, 'orphans') }));
  lines.length = 0;
  return { net, lines, victim, forge, talkers: others, [Symbol.asyncDispose]: () => net[Symbol.asyncDispose]() };
}

/** Payments that each spend the one before. */
function chain(forge: Forge, length: number, fee = FORGED_FEE): Transfer[] {
  const [root] = [present(forge.freeCoin())];
  const payments: Transfer[] = [];
  for (let coin = root; payments.length < length; coin = forge.coinOf(present(payments.at(-1))))
    payments.push(forge.pay(coin, coin.coin.value - fee));
  return payments;
}

/** Has a machine hand over transactions where they are asked for by name, and by txid only if it is to. */
function serve({ story }: Liar, transactions: readonly Transfer[], { byTxid = false } = {}): void {
  for (const each of transactions) {
    story.transactions.set(each.wtxid, each);
    story.parents.set(each.txid, byTxid ? each : 'absent');
  }
}

const waits = ({ running }: SimNode, { wtxid }: Transaction): boolean =>
  running?.mempool.pool.byWtxid(wtxid) !== undefined;

const orphansOf = async ({ client }: SimNode): Promise<number> => (await client.info.health.query()).orphans;

const submit = (net: Simulation, node: number, { raw }: Transaction) =>
  net.node(node).client.transaction.submit.mutate({ transaction: toBase64(raw) });

/** Whom the second node asked for bodies, in order. */
function asked(lines: readonly TraceLine[]): string[] {
  return lines.flatMap(({ what }) => /^n1 -> (\S+) {2}transaction\.raw(?: |$)/.exec(what)?.[1] ?? []);
}

describe('a payment whose parent is not known yet', () => {
  test('gets in as soon as the parent comes from elsewhere, and is passed on', async () => {
    await using at = await scene();
    const { net, victim, forge, talkers } = at;
    const liar = present(talkers[0]);
    const [parent, child] = chain(forge, 2);
    serve(liar, [present(child)]);
    liar.story.parents.set(present(parent).txid, 'absent');
    await announceTransactions(liar, victim, [present(child).wtxid]);
    await net.advance(AT_ONCE_MS);
    expect(await orphansOf(victim)).toBe(1);
    await submit(net, 0, present(parent));
    await net.advance(AT_ONCE_MS);
    for (const node of net.nodes) {
      expect(waits(node, present(parent))).toBe(true);
      expect(waits(node, present(child))).toBe(true);
      expect(await orphansOf(node)).toBe(0);
    }
    assertInvariants(net);
  });

  test('gets in where a block brings the parent, and goes where a block spends its coin otherwise', async () => {
    await using at = await scene();
    const { net, victim, forge, talkers } = at;
    const liar = present(talkers[0]);
    const [parent, child] = chain(forge, 2);
    const rival = forge.pay(forge.coinOf(present(parent)), 5n * FORGED_FEE);
    serve(liar, [present(child), rival]);
    liar.story.parents.set(present(parent).txid, 'absent');
    await announceTransactions(liar, victim, [present(child).wtxid, rival.wtxid]);
    await net.advance(AT_ONCE_MS);
    expect(await orphansOf(victim)).toBe(2);
    const block = forge.block([forge.coinbase(), present(parent), rival]);
    await net.node(0).client.block.submit.mutate({ block: toBase64(block.raw) });
    await net.advance(AT_ONCE_MS);
    expect(victim.running?.chain.tip.header.hash).toBe(block.header.hash);
    expect(await orphansOf(victim)).toBe(0);
    expect(waits(victim, present(child))).toBe(false);
    const [next, grandchild] = chain(present(Forge.on(liar, { net, victim, dice: Dice.of(2, 'orphans') })), 2);
    serve(liar, [present(grandchild)]);
    liar.story.parents.set(present(next).txid, 'absent');
    await announceTransactions(liar, victim, [present(grandchild).wtxid]);
    await net.advance(AT_ONCE_MS);
    expect(await orphansOf(victim)).toBe(1);
    const { client } = net.node(0);
    const later = present(Forge.on(liar, { net, victim, dice: Dice.of(3, 'orphans') }));
    await client.block.submit.mutate({
      block: toBase64(later.block([later.coinbase(), present(next)]).raw),
    });
    await net.advance(AT_ONCE_MS);
    expect(waits(victim, present(grandchild))).toBe(true);
  });

  test.each([
    ['after it came', false],
    ['before it came', true],
  ])('goes with the last peer that named it, be it %s', async (_name, isAtOnce) => {
    await using at = await scene(2);
    const { net, lines, victim, forge, talkers } = at;
    const [, child] = chain(forge, 2);
    for (const liar of talkers) serve(liar, [present(child)]);
    const tell = (liar: Liar) => announceTransactions(liar, victim, [present(child).wtxid]);
    if (isAtOnce) await Promise.all(talkers.map(tell));
    else for (const liar of talkers) await tell(liar).then(() => net.advance(AT_ONCE_MS));
    await net.advance(AT_ONCE_MS);
    // Whoever handed it over leaves first.
    const first = present(talkers.find(({ name }) => name === asked(lines)[0]));
    const second = present(talkers.find((talker) => talker !== first));
    victim.running?.peers.leave(first.url);
    expect(await orphansOf(victim)).toBe(1);
    victim.running?.peers.leave(second.url);
    expect(await orphansOf(victim)).toBe(0);
  });
});

describe('a chain of ten', () => {
  test('that comes in the reverse order gets in with its first, without a timer', async () => {
    await using at = await scene();
    const { net, victim, forge, talkers } = at;
    const liar = present(talkers[0]);
    const payments = chain(forge, 10);
    serve(liar, payments);
    for (const payment of payments.slice(1).reverse()) {
      await announceTransactions(liar, victim, [payment.wtxid]);
      await net.advance(AT_ONCE_MS);
    }
    expect(await orphansOf(victim)).toBe(9);
    await submit(net, 1, present(payments[0]));
    await net.advance(AT_ONCE_MS);
    for (const payment of payments) for (const node of net.nodes) expect(waits(node, payment)).toBe(true);
  });

  test('of which only the last is named is asked for step by step, of whoever named it', async () => {
    await using at = await scene();
    const { net, lines, victim, forge, talkers } = at;
    const liar = present(talkers[0]);
    const payments = chain(forge, 10);
    serve(liar, payments, { byTxid: true });
    await announceTransactions(liar, victim, [present(payments.at(-1)).wtxid]);
    await net.advance(IN_TIME_MS);
    for (const payment of payments) expect(waits(victim, payment)).toBe(true);
    // Once by its name, and nine times by what spends from it.
    expect(asked(lines)).toEqual(Array(10).fill('liar0'));
  });

  test('and twenty more, more than may wait together, is asked for no further than that', async () => {
    await using at = await scene();
    const { net, lines, victim, forge, talkers } = at;
    const liar = present(talkers[0]);
    const payments = chain(forge, 30);
    serve(liar, payments, { byTxid: true });
    await announceTransactions(liar, victim, [present(payments.at(-1)).wtxid]);
    await net.advance(IN_TIME_MS);
    expect(asked(lines)).toHaveLength(1 + ROOM_LIMITS.depth);
  });
});

test('a parent that its first peer withholds is asked of the next within seconds, and comes once', async () => {
  await using at = await scene(2);
  const { net, lines, victim, forge, talkers } = at;
  const [parent, child] = chain(forge, 2);
  const [silent, honest] = [present(talkers[0]), present(talkers[1])];
  for (const liar of talkers) serve(liar, [present(child)]);
  silent.story.parents.set(present(parent).txid, 'silence');
  serve(honest, [present(parent)], { byTxid: true });
  await announceTransactions(silent, victim, [present(child).wtxid]);
  await net.advance(AT_ONCE_MS);
  await announceTransactions(honest, victim, [present(child).wtxid]);
  await net.advance(IN_TIME_MS);
  expect(waits(victim, present(child))).toBe(true);
  expect(asked(lines)).toEqual(['liar0', 'liar0', 'liar1']);
});

test.each([
  ['', false],
  [', be it that its announcement comes later', true],
])(
  'whoever answers with a parent under junk signatures is banned, and the next one is asked%s',
  async (_name, isLater) => {
    await using at = await scene(2);
    const { net, victim, forge, talkers } = at;
    const [parent, child] = chain(forge, 2);
    const [forger, honest] = [present(talkers[0]), present(talkers[1])];
    for (const liar of talkers) serve(liar, [present(child)]);
    forger.story.parents.set(present(parent).txid, underJunk(present(parent), forge.dice));
    serve(honest, [present(parent)], { byTxid: true });
    const { url } = forger;
    forger.story.transactions.set(present(child).wtxid, present(child));
    await announceTransactions(forger, victim, [present(child).wtxid]);
    if (isLater) await net.advance(IN_TIME_MS);
    await announceTransactions(honest, victim, [present(child).wtxid]);
    await net.advance(IN_TIME_MS);
    expect(waits(victim, present(child))).toBe(true);
    expect(victim.running?.bans.find(url)).toBeDefined();
  },
);

test('junk signatures that are found when the parent comes are charged to whoever sent them, and to nobody else', async () => {
  await using at = await scene(2);
  const { net, victim, forge, talkers } = at;
  const [parent, child] = chain(forge, 2);
  const [forger, honest] = [present(talkers[0]), present(talkers[1])];
  const junk = underJunk(present(child), forge.dice);
  serve(forger, [junk]);
  serve(honest, [present(child)]);
  for (const liar of talkers) liar.story.parents.set(present(parent).txid, 'absent');
  await announceTransactions(forger, victim, [junk.wtxid]);
  await announceTransactions(honest, victim, [present(child).wtxid]);
  await net.advance(AT_ONCE_MS);
  expect(await orphansOf(victim)).toBe(2);
  expect(victim.running?.bans.all()).toEqual([]);
  const { url } = forger;
  await submit(net, 0, present(parent));
  await net.advance(AT_ONCE_MS);
  expect(waits(victim, present(child))).toBe(true);
  expect(victim.running?.bans.find(url)).toBeDefined();
  expect(victim.running?.peers.get(honest.url)).toBeDefined();
});

test('a peer that floods with orphans pushes out its own, and another one’s pair gets through', {
  timeout: 60_000,
}, async () => {
  await using at = await scene(2);
  const { net, victim, forge, talkers } = at;
  const [flooder, honest] = [present(talkers[0]), present(talkers[1])];
  const [parent, child] = chain(forge, 2);
  serve(honest, [present(parent), present(child)]);
  await announceTransactions(honest, victim, [present(child).wtxid]);
  await net.advance(AT_ONCE_MS);
  const owner = { address: flooder.key.address, value: toAmount(FORGED_FEE) };
  let most = 0;
  for (let round = 0; round < 4; round++) {
    const flood = Array.from({ length: MAX_IDS }, () => {
      const outpoint = { txid: idFromBytes<TxId>(forge.dice.bytes(32)), index: 0 };
      const spend = [{ outpoint, coin: owner, key: flooder.key }];
      return sealTransaction(transferBody({ genesis: forge.genesis, spend, outputs: [owner] }), [forge.dice.bytes(65)]);
    });
    serve(flooder, flood);
    await announceTransactions(
      flooder,
      victim,
      flood.map(({ wtxid }) => wtxid),
    );
    await net.advance(1_000);
    most = Math.max(most, await orphansOf(victim));
  }
  expect(most).toBeGreaterThan(2_000);
  expect(most).toBeLessThanOrEqual(ROOM_LIMITS.places);
  await announceTransactions(honest, victim, [present(parent).wtxid]);
  await net.advance(AT_ONCE_MS);
  expect(waits(victim, present(parent))).toBe(true);
  expect(waits(victim, present(child))).toBe(true);
});

test('nobody is asked by txid who does not say that it answers so', async () => {
  await using at = await scene();
  const { net, lines, victim, forge } = at;
  const former = await joinLiar(net, 5, { capabilities: [COMPACT_BLOCKS] });
  const payments = chain(forge, 2);
  serve(former, payments, { byTxid: true });
  await announceTransactions(former, victim, [present(payments[1]).wtxid]);
  await net.advance(IN_TIME_MS);
  expect(asked(lines)).toEqual([former.name]);
  expect(await orphansOf(victim)).toBe(1);
  await announceTransactions(former, victim, [present(payments[0]).wtxid]);
  await net.advance(AT_ONCE_MS);
  for (const payment of payments) expect(waits(victim, payment)).toBe(true);
});

describe('a parent that pays nothing', () => {
  /** It, and a child that pays for both. */
  function poorPair(forge: Forge): readonly [Transfer, Transfer] {
    const coin = present(forge.freeCoin());
    const parent = forge.pay(coin, coin.coin.value);
    return [parent, forge.pay(forge.coinOf(parent))];
  }

  test.each([
    ['both are named, the parent first', [0, 1]],
    ['both are named, the child first', [1, 0]],
    ['the child alone is named', [1]],
  ])('gets in with its child where %s, and both are passed on', async (_name, order) => {
    await using at = await scene();
    const { net, lines, victim, forge, talkers } = at;
    const liar = present(talkers[0]);
    const pair = poorPair(forge);
    serve(liar, pair, { byTxid: true });
    for (const index of order) {
      await announceTransactions(liar, victim, [present(pair[index]).wtxid]);
      await net.advance(AT_ONCE_MS);
    }
    for (const node of net.nodes) for (const payment of pair) expect(waits(node, payment)).toBe(true);
    expect(await orphansOf(victim)).toBe(0);
    // Each once, by whichever name.
    expect(asked(lines)).toHaveLength(2);
    assertInvariants(net);
  });

  test('is not asked for again and again where its child does not pay for it either', async () => {
    await using at = await scene(2);
    const { net, lines, victim, forge, talkers } = at;
    const coin = present(forge.freeCoin());
    const parent = forge.pay(coin, coin.coin.value);
    const child = forge.pay(forge.coinOf(parent), coin.coin.value - 1n);
    for (const liar of talkers) {
      serve(liar, [parent, child], { byTxid: true });
      await announceTransactions(liar, victim, [child.wtxid]);
      await net.advance(AT_ONCE_MS);
    }
    expect(waits(victim, child)).toBe(false);
    expect(await orphansOf(victim)).toBe(0);
    expect(asked(lines)).toEqual(['liar0', 'liar0']);
    for (const { url } of talkers) expect(victim.running?.peers.get(url)).toBeDefined();
  });
});
