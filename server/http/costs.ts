import { MAX_BATCH } from '../../shared/rpc/limits.js';
import type { AppRouter } from '../../shared/rpc/router.js';

type Routers = AppRouter['_def']['record'];
/** The path of every procedure of the contract, such as `block.get`. */
export type ProcedurePath = {
  [Name in keyof Routers & string]: `${Name}.${keyof Routers[Name] & string}`;
}[keyof Routers & string];

/**
 * What a call costs, in milliseconds of the main thread: about what was measured for the largest answer of each, with the
 * HTTP and tRPC around it. A new procedure has to be placed here before it compiles. Calls that peers have to make without
 * being asked, and those that only an operator may make, cost what they cost, too: the operator is not counted at all.
 */
const COSTS: Readonly<Record<ProcedurePath, number>> = {
  'block.get': 0.5,
  'block.last': 0.5,
  'block.list': 2,
  'block.headers': 3,
  'block.range': 12,
  'block.raw': 5,
  'block.missing': 3,
  'block.transactions': 8,
  'block.transaction': 1,
  'block.inputs': 2,
  'block.input': 1,
  'block.outputs': 2,
  'block.output': 1,
  'block.template': 5,
  'block.submit': 10,
  'block.onChange': 2,
  'block.announce': 1,
  'block.generate': 20,
  'block.invalidate': 20,
  'block.reconsider': 20,
  'transaction.get': 0.7,
  'transaction.list': 3,
  'transaction.ids': 3,
  'transaction.raw': 5,
  'transaction.submit': 2,
  'transaction.onChange': 2,
  'transaction.announce': 2,
  'node.self': 0.4,
  'node.list': 1,
  'node.random': 0.5,
  'node.ping': 0.4,
  // It may have us call back, and takes a place among the sessions.
  'node.hello': 10,
  'node.confirm': 0.4,
  'node.stop': 1,
  'node.add': 1,
  'node.remove': 1,
  'node.ban': 1,
  'node.unban': 1,
  'node.peers': 1,
  'info.chain': 1,
  'info.params': 0.5,
  'info.richList': 2,
  'info.address': 0.5,
  'info.utxos': 2,
  'info.history': 3,
  'info.mempool': 0.5,
  'info.sync': 0.5,
  'info.health': 0.5,
  'info.onSync': 2,
};

/** What every call costs at the least, whatever is called. */
const LEAST = 0.3;

/** What a request costs, by the procedures in its path; those that do not exist cost what a refusal does. */
export function costOf(path: string): number {
  const costs: Readonly<Record<string, number>> = COSTS;
  let sum = 0;
  // More than a batch may hold are refused as one.
  for (const call of path.split(',', MAX_BATCH + 1)) sum += Object.hasOwn(costs, call) ? (costs[call] ?? LEAST) : LEAST;
  return sum;
}
