import { Command } from 'commander';
import { withAction } from '../../client/cli/command.js';
import { collectUrls } from '../../client/cli/options.js';
import { loadNetwork } from './network.js';
import { defaultDataDir, type ServeOptions, serveUntilStopped, withServeOptions } from './serve.js';

interface NodeOptions extends ServeOptions {
  readonly directory?: string[];
  readonly peer?: string[];
}

/** `trestle node`: a full node. */
export function nodeCommand(): Command {
  const command = withServeOptions(new Command('node').description('run a full node'), 'node')
    .option('--directory <url>', 'a directory server to find other nodes by (again for more)', collectUrls)
    .option('--peer <url>', 'a node to begin with (again for more)', collectUrls);
  return withAction<NodeOptions>(command, async (options, output) => {
    // A wallet needs no database: what opens one is loaded only here.
    const { startNode } = await import('../node.js');
    const params = await loadNetwork(options.network);
    const node = await startNode(params, {
      name: options.name,
      host: options.host,
      port: options.port ?? params.nodePort,
      url: options.url,
      dataDir: options.dataDir ?? defaultDataDir(params.name, options.name),
      logLevel: options.logLevel,
      allowPrivate: options.allowPrivate ?? params.name === 'dev',
      allowHosts: options.allowHost,
      allowOrigins: options.allowOrigin,
      directories: options.directory,
      peers: options.peer,
    });
    await serveUntilStopped(node, output);
  });
}
