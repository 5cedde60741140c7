import { Command, Option } from 'commander';
import { withAction } from '../../client/cli/command.js';
import { parseAddressOption, urlOption, wholeNumber } from '../../client/cli/options.js';
import { createClient } from '../../client/createClient.js';
import { TrestleError } from '../../shared/errors.js';
import { parseAddress } from '../../shared/model/address.js';
import { Lifecycle } from '../lifecycle.js';
import { Miner } from '../miner/miner.js';
import { systemClock } from '../system/clock.js';
import { createLogger, LOG_LEVELS, type LogLevel } from '../system/logger.js';
import { serveUntilStopped } from './serve.js';

interface MinerOptions {
  readonly json?: boolean;
  readonly name: string;
  readonly url: string;
  readonly address: string;
  readonly threads: number;
  readonly interval?: number;
  readonly logLevel: LogLevel;
}

/** `trestle miner`: mines at a node. */
export function minerCommand(): Command {
  const command = new Command('miner')
    .description('mine at a node')
    .requiredOption('--address <address>', 'whom the blocks pay', parseAddressOption)
    .addOption(urlOption())
    .option('--name <name>', 'what the process calls itself', 'miner')
    .option('--threads <count>', 'threads that search', wholeNumber(1, 64), 1)
    .option('--interval <ms>', 'time between blocks, for dev networks', wholeNumber(10, 3_600_000))
    .addOption(new Option('--log-level <level>', 'how much it says').choices(LOG_LEVELS).default('info'));
  return withAction<MinerOptions>(command, async (options, output) => {
    const { name, url, threads, interval: intervalMs } = options;
    const address = parseAddress(options.address);
    if (address === undefined) throw new TrestleError({ code: 'bad-request', detail: `address ${options.address}` });
    const client = createClient({ url });
    const log = createLogger(name, options.logLevel);
    await serveUntilStopped(async () => {
      // Says at once where nothing answers; later failures are waited out.
      await client.node.ping.query();
      const life = new Lifecycle(log);
      life
        .add('miner', new Miner({ client, address, threads, intervalMs, clock: systemClock, log, signal: life.signal }))
        .start();
      return { name, url, stopped: life.stopped, stop: () => life.stop() };
    }, output);
  });
}
