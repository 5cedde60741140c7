import { once } from 'node:events';
import { Agent } from 'node:http';
import * as z from 'zod';
import { sleep } from '../client/time.js';
import { genesisBlock } from '../shared/consensus/genesis.js';
import { NETWORKS } from '../shared/consensus/networks.js';
import { post } from './post.js';

const orders = z.object({ url: z.string(), clients: z.number(), perSecond: z.number(), ms: z.number() });

/** Requests that one client leaves unanswered before it waits: it would only flood its own machine. */
const MOST_OPEN = 64;

const [message] = await once(process, 'message');
const { url, clients, perSecond, ms } = orders.parse(message);
const answers: Record<string, number> = {};
let sent = 0;
const endsAt = performance.now() + ms;
await Promise.all(Array.from({ length: clients }, (_, client) => misbehave(client)));
process.send?.({ sent, answers });
process.disconnect();

async function misbehave(client: number): Promise<void> {
  const localAddress = `127.0.0.${client + 10}`;
  const agent = new Agent({ keepAlive: true, maxSockets: 16, localAddress });
  const everyMs = (clients * 1_000) / perSecond;
  let open = 0;
  // Each begins at another moment within the pause of one.
  let next = performance.now() + (everyMs * client) / clients;
  for (let turn = client; performance.now() < endsAt; turn++) {
    await sleep(Math.max(0, next - performance.now()));
    next += everyMs;
    if (open >= MOST_OPEN) continue;
    const [path, body] = nonsense(turn, localAddress);
    open += 1;
    sent += 1;
    void post({ url, path, agent, body }).then((status) => {
      open -= 1;
      answers[status] = (answers[status] ?? 0) + 1;
    });
  }
  agent.destroy();
}

/** What comes next: calls that cost much, and what is no call. */
function nonsense(turn: number, localAddress: string): readonly [path: string, body: string] {
  const call = (path: string, input: unknown) => [path, JSON.stringify({ json: input })] as const;
  switch (turn % 8) {
    case 0:
      return call('block.list', { limit: 100 });
    case 1:
      return ['block.get', '{{{{'];
    case 2:
      return call('block.headers', { locator: ['00'.repeat(32)] });
    case 3:
      return call(`no.such${turn}`, null);
    case 4:
      return hello(localAddress);
    case 5:
      // One in eight of these is larger than any call may be.
      return call('transaction.submit', { transaction: 'A'.repeat(turn % 64 === 5 ? 300_000 : 1_000) });
    case 6:
      return batch(turn);
    default:
      return call('info.history', { address: '0x00', limit: 'all' });
  }
}

/** Names a URL of its own at which nobody listens: it is called back, and does not answer. */
function hello(localAddress: string): readonly [string, string] {
  const { hash: genesis } = genesisBlock(NETWORKS.test).header;
  const tip = { height: 0, hash: genesis, work: '0' };
  const greeting = { protocol: 1, capabilities: [], genesis, nonce: '00'.repeat(16), tip, userAgent: 'flood' };
  const json = { ...greeting, url: `http://${localAddress}:9` };
  return ['node.hello', JSON.stringify({ json, meta: { values: { 'tip.work': ['bigint'] } } })];
}

function batch(turn: number): readonly [string, string] {
  const calls = Array.from({ length: 20 }, (_, i) => [i, { json: { block: (turn + i) % 60 } }]);
  return [`${calls.map(() => 'block.transactions').join()}?batch=1`, JSON.stringify(Object.fromEntries(calls))];
}
