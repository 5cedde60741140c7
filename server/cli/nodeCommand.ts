import { Command, Option } from 'commander';
import { withAction } from '../../client/cli/command.js';
import { collectUrls, wholeNumber } from '../../client/cli/options.js';
import { ENGINE_CHOICES, type EngineChoice } from '../system/engines.js';
import { loadNetwork } from './network.js';
import { configOf, type ServeOptions, serveUntilStopped, withServeOptions } from './serve.js';
import { showSync } from './showSync.js';

interface NodeOptions extends ServeOptions {
  readonly directory?: string[];
  readonly peer?: string[];
  readonly maxPoolBytes?: number;
  readonly signatureEngine: EngineChoice;
}

/** `trestle node`: a full node. */
export function nodeCommand(): Command {
  const command = withServeOptions(new Command('node').description('run a full node'), 'node')
    .option('--directory <url>', 'a directory server to find other nodes by (again for more)', collectUrls)
    .option('--peer <url>', 'a node to begin with (again for more)', collectUrls)
    .option(
      '--max-pool-bytes <bytes>',
      'the most memory that waiting transactions take',
      wholeNumber(1_000_000, 4_000_000_000),
    )
    .addOption(
      new Option('--signature-engine <name>', 'what checks signatures; auto: native, or wasm where no binary fits')
        .choices(ENGINE_CHOICES)
        .default('auto'),
    );
  return withAction<NodeOptions>(command, async (options, output) => {
    await serveUntilStopped(async () => {
      // A wallet needs no database: what opens one is loaded only here.
      const { startNode } = await import('../node.js');
      const params = await loadNetwork(options.network);
      const { directory: directories, peer: peers, maxPoolBytes, signatureEngine } = options;
      const more = { directories, peers, maxPoolBytes, signatureEngine };
      const node = await startNode(params, { ...configOf(options, params.name), ...more });
      showSync(node, (line) => process.stderr.write(`${line}\n`));
      return node;
    }, output);
  });
}
