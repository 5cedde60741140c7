import { MAX_BATCH } from '../../shared/rpc/limits.js';
import type { AppRouter } from '../../shared/rpc/router.js';

type Routers = AppRouter['_def']['record'];
/** The path of every procedure of the contract, such as `block.get`. */
export type ProcedurePath = {
  [Name in keyof Routers & string]: `${Name}.${keyof Routers[Name] & string}`;
}[keyof Routers & string];

/**
 * What a call costs, in milliseconds of the main thread: about what was measured for the largest answer of each. A new procedure has to be placed here before it compiles. Calls that peers have to make without
 * being asked, and those that only an operator may make, cost what they cost, too: the operator is not counted at all.
 */
const COSTS: Readonly<Record<ProcedurePath, number>> = {
  'block.get': 0.3,
  'block.last': 0.3,
  'block.list': 2,
  'block.headers': 8,
  'block.range': 12,
  'block.raw': 5,
  'block.missing': 3,
  'block.transactions': 8,
  'block.transaction': 0.5,
  'block.inputs': 2,
  'block.input': 0.5,
  'block.outputs': 2,
  'block.output': 0.5,
  'block.template': 5,
  'block.submit': 10,
  'block.onChange': 2,
  'block.announce': 1,
  'block.generate': 20,
  'block.invalidate': 20,
  'block.reconsider': 20,
  'transaction.get': 0.5,
  'transaction.list': 3,
  'transaction.ids': 3,
  'transaction.raw': 5,
  'transaction.submit': 2,
  'transaction.status': 0.2,
  'transaction.explain': 2,
  'transaction.estimateFee': 1,
  'transaction.onChange': 2,
  'transaction.announce': 2,
  'node.self': 0.1,
  'node.list': 1,
  'node.random': 0.2,
  'node.ping': 0.1,
  // It may have us call back, and takes a place among the sessions.
  'node.hello': 10,
  'node.confirm': 0.1,
  'node.stop': 1,
  'node.add': 1,
  'node.remove': 1,
  'node.ban': 1,
  'node.unban': 1,
  'node.peers': 1,
  'info.chain': 0.5,
  'info.params': 0.2,
  'info.richList': 2,
  'info.address': 0.2,
  'info.utxos': 2,
  'info.history': 3,
  'info.mempool': 0.2,
  'info.sync': 0.2,
  'info.health': 0.2,
  'info.onSync': 2,
};

/** What a request costs beside its calls: HTTP and JSON both ways. */
const REQUEST = 0.8;

/** What a request costs, by the procedures in its path. */
export function costOf(path: string): number {
  let sum = REQUEST;
  // More than a batch may hold are refused as one.
  for (const call of path.split(',', MAX_BATCH + 1)) sum += isProcedure(call) ? COSTS[call] : 0;
  return sum;
}

/** Whether everything that a request calls exists. */
export function isKnown(path: string): boolean {
  return path.split(',', MAX_BATCH + 1).every(isProcedure);
}

function isProcedure(path: string): path is ProcedurePath {
  return Object.hasOwn(COSTS, path);
}
