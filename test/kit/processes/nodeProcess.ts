import { once } from 'node:events';
import { sleep } from '../../../client/time.js';
import { httpDialer } from '../../../server/net/dialer.js';
import type { PeerUrl } from '../../../server/net/peerUrl.js';
import { type RunningNode, startNode } from '../../../server/node.js';
import { TrestleError } from '../../../shared/errors.js';
import { Gate } from './gate.js';
import { gatedDialer } from './gatedDialer.js';
import { order, type Report, startOrder } from './messages.js';

// The entry of a process that is one node of a network under test: told over the channel to its parent what to be and
// what to be cut off from. It ends with a SIGTERM, with its node, and when the parent is gone.

/** How long getting in touch may hold up whoever told it to, and how often it is looked at. */
const MEET_LIMIT_MS = 2_000;
const MEET_LOOK_MS = 10;

const gate = new Gate();

function tell(report: Report): void {
  process.send?.(report);
}

async function obey(node: RunningNode, message: unknown): Promise<void> {
  const told = order.parse(message);
  if (told.kind === 'cut') gate.set(told.cuts);
  else await meet(node, told.urls);
  tell({ kind: 'done', id: told.id });
}

/** Gets in touch with nodes, and goes on once it has, or when that takes too long: nobody has promised that they answer. */
async function meet({ peers }: RunningNode, urls: readonly PeerUrl[]): Promise<void> {
  const deadline = performance.now() + MEET_LIMIT_MS;
  for (const url of urls) peers.meet(url);
  while (urls.some((url) => peers.get(url) === undefined) && performance.now() < deadline) await sleep(MEET_LOOK_MS);
}

async function main(): Promise<void> {
  process.once('disconnect', () => process.exit(1));
  const [message]: unknown[] = await once(process, 'message');
  const { params, config, cuts } = startOrder.parse(message);
  gate.set(cuts);
  const node = await startNode(params, config, { dialer: (parts) => gatedDialer(httpDialer(parts), gate) });
  process.once('SIGTERM', () => void node.stop());
  process.on('message', (next) => void obey(node, next));
  tell({ kind: 'ready', url: node.url, token: node.token });
  await node.stopped;
  if (node.failure !== undefined) throw node.failure;
}

try {
  await main();
  process.exit(0);
} catch (error) {
  const code = error instanceof TrestleError ? error.code : null;
  // Ends once the message is on its way, or at once where nobody is left to read it.
  const end = (): never => process.exit(1);
  const report: Report = { kind: 'failed', code, message: error instanceof Error ? error.message : String(error) };
  if (process.connected) process.send?.(report, end);
  else end();
}
