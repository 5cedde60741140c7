import { reasonOf } from 'trestle/client';
import type { Dice, SimNode, Simulation } from 'trestle/testing';
import { CUSTOMERS, type Exchange } from './exchange.js';

/** What takes part in a day. */
interface Day {
  readonly net: Simulation;
  readonly exchange: Exchange;
  /** All chance comes from here, so that a seed decides it. */
  readonly dice: Dice;
}

/** Something that happens. */
type Event = (day: Day) => Promise<unknown> | undefined;

/** What happens, each thing as often as it is listed. */
const EVENTS: readonly Event[] = [
  ...[pass, pass, deposit, deposit, deposit, mine, mine, mine, reorganise, reorganise],
  ...[part, heal, crash, restart, restart, killWatcher, moveWatcher],
];

/** Lets a number of things happen that a network and an exchange have to bear. */
export async function randomDay(day: Day, events: number): Promise<void> {
  for (let i = 0; i < events; i++) await day.dice.pick(EVENTS)?.(day);
}

function pass({ net, dice }: Day): Promise<void> {
  return net.advance(dice.between(1, 5_000));
}

function deposit(day: Day): Promise<unknown> | undefined {
  const { net, dice } = day;
  const payer = someNode(day);
  const address = dice.pick([...CUSTOMERS.keys()]);
  if (payer === undefined || address === undefined) return undefined;
  return net.send(payer.index, address, BigInt(dice.between(1_000, 1_000_000))).catch((error: unknown) => {
    // Nothing to pay with, because blocks that paid this wallet have lost their place.
    if (reasonOf(error)?.code !== 'wallet-funds') throw error;
  });
}

function mine(day: Day): Promise<unknown> | undefined {
  const miner = someNode(day);
  return miner && day.net.mine(miner.index, day.dice.between(1, 3));
}

async function reorganise(day: Day): Promise<void> {
  const node = someNode(day);
  if (node === undefined) return;
  const depth = day.dice.between(1, 4);
  const { height } = await node.client.info.chain.query();
  if (height > depth) await day.net.reorg({ depth, node: node.index });
}

function part({ net, dice }: Day): undefined {
  const places = dice.shuffled(net.nodes.map(({ index }) => index));
  const size = dice.between(1, places.length - 1);
  net.partition(places.slice(0, size), places.slice(size));
}

function heal({ net }: Day): undefined {
  net.heal();
}

function crash(day: Day): Promise<void> | undefined {
  const node = someNode(day);
  return node && day.net.crash(node.index, day.dice.pick(['process', 'power']));
}

function restart({ net, dice }: Day): Promise<void> | undefined {
  const node = dice.pick(net.nodes.filter(({ isRunning }) => !isRunning));
  // Now and then its disk is gone, too: it starts from nothing.
  if (node !== undefined && dice.chance(0.3)) net.wipe(node.index);
  return node && net.restart(node.index);
}

function killWatcher({ exchange, dice }: Day): undefined {
  exchange.store.killAtNextSave(dice.pick(['before', 'after']));
}

/** To a node that may be parted from where it was, behind, or down. */
function moveWatcher({ net, exchange, dice }: Day): Promise<void> | undefined {
  return exchange.moveTo(net.node(dice.below(net.nodes.length)).client);
}

function someNode({ net, dice }: Day): SimNode | undefined {
  return dice.pick(net.nodes.filter(({ isRunning }) => isRunning));
}
