import { Command } from 'commander';
import { withAction } from '../../client/cli/command.js';
import { loadNetwork } from './network.js';
import { configOf, type ServeOptions, serveUntilStopped, withServeOptions } from './serve.js';

/** `trestle directory`: a directory server, the way into a network. */
export function directoryCommand(): Command {
  const command = withServeOptions(
    new Command('directory').description('run a directory server, where nodes find each other'),
    'directory',
  );
  return withAction<ServeOptions>(command, async (options, output) => {
    await serveUntilStopped(async () => {
      const { startDirectory } = await import('../directory.js');
      const params = await loadNetwork(options.network);
      return startDirectory(params, configOf(options, params.name));
    }, output);
  });
}
