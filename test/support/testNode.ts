import { type Client, createClient } from '../../client/createClient.js';
import type { NodeConfigInput } from '../../server/config.js';
import type { RunningServer } from '../../server/launch.js';
import { type NodePorts, startNode } from '../../server/node.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import type { NetworkParams } from '../../shared/consensus/params.js';
import { temporaryDirectory } from './temporary.js';

/** A real node over real HTTP in this process, with a client that may do all that an operator may. */
export interface TestNode extends AsyncDisposable {
  readonly running: RunningServer;
  readonly client: Client;
  readonly url: string;
  readonly dataDir: string;
}

/** What sets a test's node apart; what is left out is plain. */
export interface TestNodeOptions {
  readonly params?: NetworkParams;
  readonly config?: Partial<NodeConfigInput>;
  readonly ports?: Partial<NodePorts>;
}

/** Starts a node on a free port, in a directory of its own unless the configuration names one. */
export async function testNode({
  params = NETWORKS.dev,
  config = {},
  ports = {},
}: TestNodeOptions = {}): Promise<TestNode> {
  const own = config.dataDir === undefined ? await temporaryDirectory() : undefined;
  const dataDir = config.dataDir ?? own?.path ?? '';
  const running = await startNode(
    params,
    { name: 'test', port: 0, allowPrivate: true, logLevel: 'silent', ...config, dataDir },
    ports,
  ).catch(async (error: unknown) => {
    await own?.[Symbol.asyncDispose]();
    throw error;
  });
  return {
    running,
    url: running.url,
    dataDir,
    client: createClient({ url: running.url, token: running.token }),
    [Symbol.asyncDispose]: async () => {
      await running.stop();
      await own?.[Symbol.asyncDispose]();
    },
  };
}
