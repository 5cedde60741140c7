import { Command } from 'commander';
import { withAction } from '../../client/cli/command.js';
import { DIRECTORY_PORT } from '../../shared/consensus/networks.js';
import { loadNetwork } from './network.js';
import { defaultDataDir, type ServeOptions, serveUntilStopped, withServeOptions } from './serve.js';

/** `trestle directory`: a directory server, the way into a network. */
export function directoryCommand(): Command {
  const command = withServeOptions(
    new Command('directory').description('run a directory server, where nodes find each other'),
    'directory',
  );
  return withAction<ServeOptions>(command, async (options, output) => {
    const { startDirectory } = await import('../directory.js');
    const params = await loadNetwork(options.network);
    const directory = await startDirectory(params, {
      name: options.name,
      host: options.host,
      port: options.port ?? DIRECTORY_PORT,
      url: options.url,
      dataDir: options.dataDir ?? defaultDataDir(params.name, options.name),
      logLevel: options.logLevel,
      allowPrivate: options.allowPrivate ?? params.name === 'dev',
      allowHosts: options.allowHost,
      allowOrigins: options.allowOrigin,
    });
    await serveUntilStopped(directory, output);
  });
}
