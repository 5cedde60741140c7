import { AssertionError } from 'node:assert';
import { createHash } from 'node:crypto';
import { parseId, type TxId } from '../../shared/model/ids.js';
import { auditNode } from './actions/audit.js';
import { checkAudits, checkConfirmed, checkConverged } from './checks.js';
import { type ChainVerdict, judgeChain } from './model/judgeChain.js';
import type { Network, NetworkNode, TransparentNetwork } from './network.js';
import { viewNodes } from './nodeView.js';

/**
 * Asserts that all nodes that run stand on one tip, all of a network or, as `{ nodes }`, those of a group: of a simulation
 * at once, of processes when they have answered.
 */
export function assertConverged(net: TransparentNetwork): void;
export function assertConverged(net: Pick<Network, 'nodes'>): Promise<void>;
export function assertConverged(net: Pick<Network, 'nodes'> | TransparentNetwork): void | Promise<void> {
  if ('look' in net) report('assertConverged', checkConverged(net.look.views()));
  else return viewNodes(net).then((views) => report('assertConverged', checkConverged(views)));
}

/** What is asked of a transaction. */
export interface ConfirmedOptions {
  /** How many confirmations at least; 1 unless said otherwise: it stands in a block of the active chain. */
  readonly confirmations?: number | undefined;
  /** The nodes that are asked; all that run unless said otherwise. */
  readonly nodes?: readonly number[] | undefined;
}

/** Asserts that a transaction stands in the active chain of nodes. */
export function assertConfirmed(net: TransparentNetwork, txid: string, options?: ConfirmedOptions): void;
export function assertConfirmed(net: Pick<Network, 'nodes'>, txid: string, options?: ConfirmedOptions): Promise<void>;
export function assertConfirmed(
  net: Pick<Network, 'nodes'> | TransparentNetwork,
  txid: string,
  options: ConfirmedOptions = {},
): void | Promise<void> {
  if (!('look' in net)) return askForConfirmations(net, txid, options);
  const asked = askedOf(net, txid, options);
  report('assertConfirmed', checkConfirmed(net.look.views(), { ...asked, found: net.look.confirmations(asked.txid) }));
}

async function askForConfirmations(
  net: Pick<Network, 'nodes'>,
  txid: string,
  options: ConfirmedOptions,
): Promise<void> {
  const asked = askedOf(net, txid, options);
  const found = await Promise.all(net.nodes.map((node) => confirmationsAt(node, asked.txid)));
  report('assertConfirmed', checkConfirmed(await viewNodes(net), { ...asked, found }));
}

/** What is asked, complete. Throws where it makes no sense. */
function askedOf({ nodes: all }: Pick<Network, 'nodes'>, txid: string, { confirmations = 1, nodes }: ConfirmedOptions) {
  const id = parseId<TxId>(txid);
  if (id === undefined) throw new RangeError(`${txid} is no txid: 64 lower-case hex digits`);
  const strange = nodes?.find((place) => all[place] === undefined);
  if (strange !== undefined) throw new RangeError(`there is no node ${strange}: this network has ${all.length}`);
  const running = all.filter(({ isRunning }) => isRunning).map(({ index }) => index);
  return { txid: id, confirmations, nodes: nodes ?? running };
}

/**
 * Asserts what has to hold at any moment: that each node that runs has a valid chain by the plain second validator, and
 * that its figures of money are what the blocks of that chain come to.
 */
export function assertInvariants(net: TransparentNetwork): void;
export function assertInvariants(net: Pick<Network, 'nodes' | 'params'>): Promise<void>;
export function assertInvariants(net: Pick<Network, 'nodes' | 'params'> | TransparentNetwork): void | Promise<void> {
  if ('look' in net) report('assertInvariants', checkAudits(net.look.views(), net.look.faults()));
  else return auditAll(net);
}

async function auditAll(net: Pick<Network, 'nodes' | 'params'>): Promise<void> {
  const judge = rememberingJudge();
  const faults: (string | undefined)[] = [];
  for (const { client, isRunning } of net.nodes)
    faults.push(isRunning ? await auditNode(client, net.params, { judge }).catch(String) : undefined);
  report('assertInvariants', checkAudits(await viewNodes(net), faults));
}

/** How often a node has a transaction confirmed: 0 while it waits, `undefined` where the node does not know it. */
async function confirmationsAt({ client, isRunning }: NetworkNode, txid: TxId): Promise<number | undefined> {
  if (!isRunning) return undefined;
  const answer = await client.transaction.get.query({ txid }).catch(() => undefined);
  return answer === undefined ? undefined : (answer.block?.confirmations ?? 0);
}

/** Nodes that agree have the same blocks, byte by byte: those are judged once. */
function rememberingJudge(): typeof judgeChain {
  const known = new Map<string, ChainVerdict>();
  return (blocks, by) => {
    const digest = createHash('sha256');
    for (const bytes of blocks) digest.update(bytes);
    const name = digest.digest('hex');
    const verdict = known.get(name) ?? judgeChain(blocks, by);
    known.set(name, verdict);
    return verdict;
  };
}

function report(operator: string, fault: string | undefined): void {
  if (fault !== undefined) throw new AssertionError({ message: fault, operator });
}
