import { AssertionError } from 'node:assert';
import { createHash } from 'node:crypto';
import { parseId, type TxId } from '../../shared/model/ids.js';
import { auditNode } from './actions/audit.js';
import { checkAudits, checkConfirmed, checkConverged } from './checks.js';
import { type ChainVerdict, judgeChain } from './model/judgeChain.js';
import type { Network, NetworkNode } from './network.js';
import { viewNodes } from './nodeView.js';

/** Asserts that all nodes that run stand on one tip: all of a network, or those of a group, as `{ nodes }`. */
export async function assertConverged(net: Pick<Network, 'nodes'>): Promise<void> {
  report('assertConverged', checkConverged(await viewNodes(net)));
}

/** What is asked of a transaction. */
export interface ConfirmedOptions {
  /** How many confirmations at least; 1 unless said otherwise: it stands in a block of the active chain. */
  readonly confirmations?: number | undefined;
  /** The nodes that are asked; all that run unless said otherwise. */
  readonly nodes?: readonly number[] | undefined;
}

/** Asserts that a transaction stands in the active chain of nodes. */
export async function assertConfirmed(
  net: Pick<Network, 'nodes'>,
  txid: string,
  options: ConfirmedOptions = {},
): Promise<void> {
  const id = parseId<TxId>(txid);
  if (id === undefined) throw new RangeError(`${txid} is no txid: 64 lower-case hex digits`);
  const { confirmations = 1, nodes = net.nodes.filter(({ isRunning }) => isRunning).map(({ index }) => index) } =
    options;
  const strange = nodes.find((place) => net.nodes[place] === undefined);
  if (strange !== undefined) throw new RangeError(`there is no node ${strange}: this network has ${net.nodes.length}`);
  const found = await Promise.all(net.nodes.map((node) => confirmationsAt(node, id)));
  report('assertConfirmed', checkConfirmed(await viewNodes(net), { txid, confirmations, nodes, found }));
}

/**
 * Asserts what has to hold at any moment: that each node that runs has a valid chain by the plain second validator, and
 * that its figures of money are what the blocks of that chain come to.
 */
export async function assertInvariants(net: Pick<Network, 'nodes' | 'params'>): Promise<void> {
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
