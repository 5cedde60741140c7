import { type Client, coins } from 'trestle/client';
import { assertConverged, Dice, type Simulation, simulate } from 'trestle/testing';
import { expect, test } from 'vitest';
import type { Entry } from '../src/ledger.js';
import { CUSTOMERS, ENOUGH, Exchange } from './exchange.js';
import { randomDay } from './randomDay.js';

const [adasAddress = ''] = CUSTOMERS.keys();
const SEEDS = [1, 2, 3, 4, 5, 6];
const slow = { timeout: 60_000 };

/** A network whose wallets all have something to pay with. */
async function networkOf(nodes: number, seed: number): Promise<Simulation> {
  const net = await simulate({ nodes, seed });
  for (const { index } of net.nodes) {
    await net.mine(index, 3);
    await net.settle();
  }
  return net;
}

test('a deposit is credited as soon as it is deep enough, also where the watcher is killed over it', async () => {
  await using net = await networkOf(2, 1);
  await using exchange = new Exchange(net.node(0).client);
  await net.send(1, adasAddress, coins('0.5'));
  await net.mine(1, ENOUGH - 1);
  await net.settle();
  expect(exchange.balanceOf('Ada')).toBe(0n);
  exchange.store.killAtNextSave('after');
  await net.mine(1);
  await net.settle();
  expect(exchange.balanceOf('Ada')).toBe(coins('0.5'));
  await net.mine(1);
  await net.settle();
  expect(exchange.store.ledger.entries).toHaveLength(1);
});

test('a reorganisation takes a credit back only where it goes deeper than credits wait', async () => {
  await using net = await networkOf(2, 1);
  await using exchange = new Exchange(net.node(0).client);
  await net.send(1, adasAddress, coins('0.5'));
  await net.mine(1, ENOUGH);
  await net.settle();
  const kinds = () => exchange.store.ledger.entries.map(({ kind }) => kind);
  await net.reorg({ depth: ENOUGH - 1 });
  await net.settle();
  expect(kinds()).toEqual(['credited']);
  // One block more has come than was lost.
  await net.reorg({ depth: ENOUGH + 1 });
  await net.settle();
  expect(kinds()).toEqual(['credited', 'taken-back']);
  await net.mine(1, ENOUGH);
  await net.settle();
  expect(kinds()).toEqual(['credited', 'taken-back', 'credited']);
});

test('a node that dies as soon as it has told of a block is asked again when it is back', async () => {
  await using net = await networkOf(2, 1);
  await using exchange = new Exchange(net.node(0).client);
  await net.send(1, adasAddress, coins('0.5'));
  await net.mine(1, ENOUGH - 1);
  await net.settle();
  const trap = net
    .node(0)
    .client.block.onChange.subscribe({}, { onData: ({ data }) => void (data.kind === 'connected' && net.crash(0)) });
  await net.mine(1);
  await net.advance(1_000);
  trap.unsubscribe();
  expect(exchange.balanceOf('Ada')).toBe(0n);
  await net.restart(0);
  await net.advance(5_000);
  expect(exchange.balanceOf('Ada')).toBe(coins('0.5'));
});

test('a node that has lost its disk and catches up makes the exchange take nothing back', async () => {
  await using net = await networkOf(2, 1);
  await using exchange = new Exchange(net.node(0).client);
  await net.send(1, adasAddress, coins('0.5'));
  await net.mine(1, ENOUGH);
  await net.settle();
  await net.stop(0);
  net.wipe(0);
  net.partition([0], [1]);
  await net.restart(0);
  await net.mine(0);
  await net.advance(5_000);
  net.heal();
  await net.settle();
  await net.mine(1);
  await net.settle();
  expect(exchange.store.ledger.entries).toHaveLength(1);
  expect(exchange.store.ledger.blocks.at(-1)?.height).toBe(6 + ENOUGH + 1);
});

test.each(SEEDS)(
  'after forks, crashes and kills all that is deep enough is credited, and once: seed %i',
  slow,
  async (seed) => {
    await using net = await networkOf(4, seed);
    await using exchange = new Exchange(net.node(0).client);
    await net.send(1, adasAddress, coins('0.1'));
    await randomDay({ net, exchange, dice: Dice.of(seed, 'day') }, 50);

    // In the evening all are back, and of branches with equal work one gets the next block.
    net.heal();
    for (const { index, isRunning } of net.nodes) if (!isRunning) await net.restart(index);
    await net.advance(60_000);
    await net.mine(0, ENOUGH);
    await net.settle();
    await net.advance(5_000);
    assertConverged(net);

    const { entries } = exchange.store.ledger;
    expect(wrongEntries(entries)).toEqual([]);
    for (const [address, customer] of CUSTOMERS)
      expect(exchange.balanceOf(customer)).toBe(await confirmedAt(net.node(0).client, address));
    expect(entries).not.toEqual([]);
  },
);

/** What an address has got in blocks that are deep enough, by the node's own index. */
async function confirmedAt(client: Client, address: string): Promise<bigint> {
  const { height } = await client.info.chain.query();
  let sum = 0n;
  let cursor: string | undefined;
  do {
    const page = await client.info.history.query({ address, cursor });
    for (const row of page.items) if (height - row.height + 1 >= ENOUGH) sum += row.received;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return sum;
}

/** Deposits that were credited while they were credited, or taken back while they were not. */
function wrongEntries(entries: readonly Entry[]): Entry[] {
  const credited = new Set<string>();
  return entries.filter(({ kind, deposit: { id } }) => {
    const wasCredited = credited.has(id);
    if (kind === 'credited') credited.add(id);
    else credited.delete(id);
    return wasCredited === (kind === 'credited');
  });
}
