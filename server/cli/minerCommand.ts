import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { withAction } from '../../client/cli/command.js';
import { collectUrls, DEFAULT_URL, parseAddressOption, wholeNumber } from '../../client/cli/options.js';
import { createClient } from '../../client/createClient.js';
import { genesisBlock } from '../../shared/consensus/genesis.js';
import { TrestleError } from '../../shared/errors.js';
import { parseAddress } from '../../shared/model/address.js';
import { Lifecycle } from '../lifecycle.js';
import { Miner } from '../miner/miner.js';
import type { MinerView } from '../miner/minerView.js';
import { NodeWatch } from '../miner/nodeWatch.js';
import { Solver } from '../miner/solver.js';
import { systemClock } from '../system/clock.js';
import { LOG_LEVELS, type LogLevel } from '../system/logger.js';
import { minerDisplay } from './minerDisplay.js';
import { minerSummary } from './minerPicture.js';
import { loadNetwork } from './network.js';
import { type Served, serveUntilStopped } from './serve.js';

/** Threads take memory, some 10 MB each, even where there are no cores for them. */
const MAX_THREADS = 256;

interface MinerOptions {
  readonly json?: boolean;
  readonly name: string;
  readonly url?: readonly string[];
  readonly network?: string;
  readonly address: string;
  readonly threads?: number;
  readonly interval?: number;
  readonly logLevel: LogLevel;
}

/** `trestle miner`: mines at nodes. */
export function minerCommand(): Command {
  const command = new Command('miner')
    .description('mine at a node, or at the first of several that is of use')
    .requiredOption('--address <address>', 'whom the blocks pay', parseAddressOption)
    .addOption(
      new Option(
        '--url <url>',
        `a node to mine at; again for those to go over to when it fails (default: ${DEFAULT_URL})`,
      )
        .env('TRESTLE_URL')
        .argParser(collectUrls),
    )
    .option('--network <name>', 'the network the nodes have to be on (default: that of the first one that answers)')
    .option('--name <name>', 'what the process calls itself', 'miner')
    .option(
      '--threads <count>',
      'threads that search (default: one less than there are cores; 1 with --interval)',
      wholeNumber(1, MAX_THREADS),
    )
    .option('--interval <ms>', 'time between blocks, for networks without difficulty', wholeNumber(10, 3_600_000))
    .addOption(new Option('--log-level <level>', 'how much it says').choices(LOG_LEVELS).default('info'));
  return withAction<MinerOptions>(command, async (options, output) => {
    let view: (() => MinerView) | undefined;
    await serveUntilStopped(async () => {
      const { miner, served } = await startMiner(options, output.json);
      view = () => miner.view();
      return served;
    }, output);
    if (view !== undefined) output.result(view(), minerSummary(view()));
  });
}

async function startMiner(options: MinerOptions, json: boolean) {
  const { name, logLevel, interval: intervalMs, network, url: urls = [DEFAULT_URL] } = options;
  const address = parseAddress(options.address);
  if (address === undefined) throw new TrestleError({ code: 'bad-request', detail: `address ${options.address}` });
  const genesis = network === undefined ? undefined : genesisBlock(await loadNetwork(network)).header.hash;
  const threads = options.threads ?? (intervalMs === undefined ? Math.max(1, availableParallelism() - 1) : 1);
  const nodes = [...new Set(urls)].map((url) => ({ url, client: createClient({ url }) }));
  const display = minerDisplay({ name, logLevel, json });
  const { log } = display;
  const life = new Lifecycle(log);
  const base = { clock: systemClock, log, signal: life.signal };
  const watch = life.add('node watch', new NodeWatch({ ...base, nodes, genesis }));
  watch.events.on('hopeless', (error) => life.fail(error));
  try {
    await watch.start();
  } catch (error) {
    await life.stop();
    throw error;
  }
  const solver = life.add('solver', new Solver({ threads, clock: systemClock, log }));
  const miner = life.add('miner', new Miner({ ...base, watch, solver, address, intervalMs }));
  miner.start();
  display.show(() => miner.view());
  void life.stopped.then(() => display.stop());
  const at = watch.current === undefined ? 'none of its nodes answers yet' : `at ${watch.current.url}`;
  const served: Served = {
    name,
    url: watch.current?.url ?? nodes[0]?.url ?? DEFAULT_URL,
    greeting: display.isLive ? '' : `${name} mines for ${options.address}, ${at}; threads: ${threads}`,
    stopped: life.stopped,
    get failure() {
      return life.failure;
    },
    stop: () => life.stop(),
  };
  return { miner, served };
}
