import { describe, expect, test } from 'vitest';
import type { DroppedEvent } from '../../server/mempool/events.js';
import { usageOf } from '../../server/mempool/usage.js';
import { toBase64 } from '../../shared/bytes/base64.js';
import type { Transaction, TransferBody } from '../../shared/model/transaction.js';
import { assertConverged } from '../kit/assertions.js';
import { present } from '../kit/assertOk.js';
import { type Spendable, transfer } from '../kit/builders.js';
import { Dice } from '../kit/sim/dice.js';
import { type SimulateOptions, simulate } from '../kit/sim/simulate.js';
import type { Simulation } from '../kit/sim/simulation.js';
import { walletKey } from '../kit/wallets.js';

const key = walletKey(0);
const COIN = 1_000_000n;

/** A network on which wallet 0 has so many small coins. */
async function scene(coins: number, options: SimulateOptions): Promise<{ net: Simulation; coins: Spendable[] }> {
  const net = await simulate(options);
  await net.mine(0, 3);
  await net.settle();
  const rows = present(net.node(0).running).chain.store.coinsOf(key.address, { limit: 10 });
  const ripe = present(rows.find((row) => row.value.height === 1));
  const { outpoint } = ripe.key;
  const { value } = ripe.value;
  const outputs = Array.from({ length: coins }, () => ({ address: key.address, value: COIN }));
  expect(outputs.length * Number(COIN)).toBeLessThan(Number(value));
  const divided = sign(net, [{ outpoint, coin: { address: key.address, value }, key }], outputs);
  await submit(net, 0, divided);
  await net.mine(0, 1);
  await net.settle();
  const made = divided.body.outputs.map((coin, index) => ({ outpoint: { txid: divided.txid, index }, coin, key }));
  return { net, coins: made };
}

function sign(net: Simulation, spend: readonly Spendable[], outputs: Parameters<typeof transfer>[0]['outputs']) {
  const genesis = present(net.node(0).running).chain.genesis.header.hash;
  return transfer({ genesis, spend, outputs });
}

/** Pays a coin to a wallet, at a rate. */
function payment(net: Simulation, coin: Spendable, { to, rate }: { to: number; rate: number }) {
  const plan = (value: bigint) => sign(net, [coin], [{ address: walletKey(to).address, value }]);
  const { length } = plan(COIN).raw;
  return plan(COIN - BigInt(Math.ceil(length * rate)));
}

function submit(net: Simulation, node: number, { raw }: Transaction) {
  return net.node(node).client.transaction.submit.mutate({ transaction: toBase64(raw) });
}

/** What leaves each node without being confirmed, by node, from now on. */
function listen(net: Simulation): readonly DroppedEvent[][] {
  return net.nodes.map(({ running }) => {
    const dropped: DroppedEvent[] = [];
    present(running).mempool.events.on('dropped', (event) => dropped.push(event));
    return dropped;
  });
}

const waitsAt = (net: Simulation, { txid }: Transaction): boolean[] =>
  net.nodes.map(({ running }) => running?.mempool.pool.get(txid) !== undefined);

test('a flood fills no node beyond its bound, is given up cheapest first, and keeps out no payment at a fair rate', async () => {
  const maxPoolBytes = 60_000;
  const { net, coins } = await scene(90, { nodes: 3, seed: 21, maxPoolBytes });
  await using _net = net;
  const peaks = net.nodes.map(() => 0);
  const look = (): void => {
    for (const [i, { running }] of net.nodes.entries())
      peaks[i] = Math.max(peaks[i] ?? 0, present(running).mempool.pool.usage);
  };
  const dropped = listen(net);
  let refused = 0;
  const flood = async (some: readonly Spendable[], rate: number): Promise<void> => {
    for (const [i, coin] of some.entries()) {
      await submit(net, 0, payment(net, coin, { to: 0, rate: rate + i / 20 })).catch(() => {
        refused += 1;
      });
      await net.advance(20);
      look();
    }
  };
  await flood(coins.slice(0, 40), 1);
  const honest = payment(net, present(coins[89]), { to: 1, rate: 30 });
  await submit(net, 1, honest);
  await flood(coins.slice(40, 80), 5);
  await net.advance(5_000);
  look();
  expect(waitsAt(net, honest)).toEqual([true, true, true]);
  expect(Math.max(...peaks)).toBeLessThanOrEqual(maxPoolBytes);
  // It was a flood: more than twice of what fits was handed in, and somebody had to go or stay outside.
  expect(80 * usageOf(honest)).toBeGreaterThan(2 * maxPoolBytes);
  expect(refused + present(dropped[0]).length).toBeGreaterThan(40);
  for (const gone of dropped) for (const { code } of gone) expect(code).toBe('pool-full');
  for (const { running } of net.nodes) expect(present(running).mempool.minFeeRate).toBeGreaterThan(2);
  await net.mine(2, 1);
  await net.settle();
  expect(net.look.confirmations(honest.txid)).toEqual([1, 1, 1]);
});

describe('two payments of one coin, each on its side of a partition', () => {
  test.each([
    ['for the same fee', 5, 5],
    ['the second for more', 5, 50],
    ['the first for more', 50, 5],
  ])('%s: one is confirmed, the other leaves everywhere with the reason', async (_name, first, second) => {
    const { net, coins } = await scene(2, { nodes: 4, seed: 22 });
    await using _net = net;
    const dropped = listen(net);
    const coin = present(coins[0]);
    const sides = [payment(net, coin, { to: 1, rate: first }), payment(net, coin, { to: 3, rate: second })] as const;
    net.partition([0, 1], [2, 3]);
    await submit(net, 0, sides[0]);
    await submit(net, 2, sides[1]);
    await net.advance(5_000);
    expect(sides.map((each) => waitsAt(net, each))).toEqual([
      [true, true, false, false],
      [false, false, true, true],
    ]);
    net.heal();
    await net.settle();
    for (const [i, isThere] of waitsAt(net, sides[0]).entries())
      expect(Number(isThere) + Number(waitsAt(net, sides[1])[i])).toBe(1);
    const [tip] = await net.mine(0, 1);
    await net.settle();
    assertConverged(net);
    const confirmed = sides.filter(({ txid }) => net.look.confirmations(txid).every((each) => each === 1));
    expect(confirmed).toHaveLength(1);
    const winner = present(confirmed[0]);
    const loser = present(sides.find((each) => each !== winner));
    expect(net.look.confirmations(loser.txid)).toEqual([undefined, undefined, undefined, undefined]);
    for (const had of loser === sides[0] ? [0, 1] : [2, 3]) {
      const told = present(dropped[had]).filter(({ transaction }) => transaction.txid === loser.txid);
      expect(told).toHaveLength(1);
      expect([
        ['pool-replaced', winner.txid],
        ['tx-input-missing', tip],
      ]).toContainEqual([told[0]?.code, told[0]?.by]);
    }
  });
});

test('blocks that were withheld with a double spend push payments off the chain: each waits again, or leaves with the reason', async () => {
  const { net, coins } = await scene(4, { nodes: 4, seed: 23 });
  await using _net = net;
  const dropped = listen(net);
  const [first, second, third] = coins.map((coin) => payment(net, coin, { to: 1, rate: 5 }));
  const [cheated, honest, late] = [present(first), present(second), present(third)];
  const doubleSpend: Transaction<TransferBody> = payment(net, present(coins[0]), { to: 3, rate: 6 });
  net.partition([0, 1, 2], [3]);
  await submit(net, 3, doubleSpend);
  await net.mine(3, 1);
  for (const each of [cheated, honest]) await submit(net, 0, each);
  await net.advance(3_000);
  await net.mine(0, 1);
  await submit(net, 1, late);
  await net.advance(3_000);
  expect(net.look.confirmations(cheated.txid)).toEqual([1, 1, 1, undefined]);
  await net.mine(3, 2);
  net.heal();
  await net.settle();
  assertConverged(net);
  expect(net.look.confirmations(doubleSpend.txid)).toEqual([3, 3, 3, 3]);
  for (const [i, gone] of dropped.entries())
    expect(gone.map(({ transaction, code }) => [transaction.txid, code])).toEqual(
      i === 3 ? [] : [[cheated.txid, 'tx-input-missing']],
    );
  for (const waiting of [honest, late]) expect(waitsAt(net, waiting).slice(0, 3)).toEqual([true, true, true]);
  await net.mine(0, 1);
  await net.settle();
  for (const { txid } of [honest, late]) expect(net.look.confirmations(txid)).toEqual([1, 1, 1, 1]);
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'a payment handed in before a switch of branches, a crash and a restart is confirmed, or its coin has gone to another, seed %i',
  async (seed) => {
    const dice = Dice.of(seed, 'crash amid a switch');
    const { net, coins } = await scene(2, { nodes: 3, seed });
    await using _net = net;
    const [coin, other] = [present(coins[0]), present(coins[1])];
    const paid = payment(net, coin, { to: 1, rate: 5 });
    const alongside = payment(net, other, { to: 2, rate: 5 });
    // Half of the time, somebody else's branch has the coin already.
    const rival = dice.chance(0.5) ? payment(net, coin, { to: 2, rate: 5 }) : undefined;
    net.partition([0], [1, 2]);
    await submit(net, 0, paid);
    if (dice.chance(0.5)) await net.mine(0, 1);
    await submit(net, 0, alongside);
    if (rival !== undefined) await submit(net, 1, rival);
    await net.advance(2_000);
    await net.mine(1, dice.between(2, 3));
    net.heal();
    // Before, amid or after the switch.
    await net.advance(dice.below(4_000));
    // A loss of power may take with it what was handed in last, for nobody waits for the disk there.
    await net.crash(0, 'process');
    await net.restart(0);
    await net.settle();
    await net.mine(0, 1);
    await net.settle();
    assertConverged(net);
    expect(net.look.confirmations(alongside.txid).every((each) => each !== undefined && each > 0)).toBe(true);
    const winner = rival ?? paid;
    expect(net.look.confirmations(winner.txid).every((each) => each !== undefined && each > 0)).toBe(true);
    if (rival !== undefined) expect(net.look.confirmations(paid.txid)).toEqual([undefined, undefined, undefined]);
  },
);
