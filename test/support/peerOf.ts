import { getFetch } from '@trpc/client';
import type { Client } from '../../client/createClient.js';
import { createPeerClient } from '../../client/peerClient.js';
import { systemClock } from '../../server/system/clock.js';
import { PROTOCOL_VERSION } from '../../shared/rpc/nodeSchemas.js';
import type { TestNode } from './testNode.js';

/** A client that has said hello to a node, as a peer at `own`, or as one that nobody can reach. */
export async function peerOf(
  { url, client }: Pick<TestNode, 'url' | 'client'>,
  own: string | null = null,
): Promise<Client> {
  let token: string | undefined;
  const fetch = getFetch();
  const peer = createPeerClient({ url, fetch, timeoutMs: 5_000, after: systemClock.after, session: () => token });
  const { genesis, tip } = await client.node.ping.query();
  const hello = { protocol: PROTOCOL_VERSION, capabilities: [], genesis, url: own, nonce: '00'.repeat(16), tip };
  token = (await peer.node.hello.mutate({ ...hello, userAgent: 'test' })).session;
  return peer;
}
