import { Command } from 'commander';
import { withAction } from '../../client/cli/command.js';
import { collectUrls, wholeNumber } from '../../client/cli/options.js';
import { loadNetwork } from './network.js';
import { configOf, type ServeOptions, serveUntilStopped, withServeOptions } from './serve.js';

interface NodeOptions extends ServeOptions {
  readonly directory?: string[];
  readonly peer?: string[];
  readonly maxPoolBytes?: number;
}

/** `trestle node`: a full node. */
export function nodeCommand(): Command {
  const command = withServeOptions(new Command('node').description('run a full node'), 'node')
    .option('--directory <url>', 'a directory server to find other nodes by (again for more)', collectUrls)
    .option('--peer <url>', 'a node to begin with (again for more)', collectUrls)
    .option(
      '--max-pool-bytes <bytes>',
      'the most bytes of waiting transactions',
      wholeNumber(1_000_000, 4_000_000_000),
    );
  return withAction<NodeOptions>(command, async (options, output) => {
    // A wallet needs no database: what opens one is loaded only here.
    const { startNode } = await import('../node.js');
    const params = await loadNetwork(options.network);
    const { directory: directories, peer: peers, maxPoolBytes } = options;
    const config = { ...configOf(options, params.name), directories, peers, maxPoolBytes };
    await serveUntilStopped(await startNode(params, config), output);
  });
}
