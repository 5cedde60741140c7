import { Command, InvalidArgumentError, Option } from 'commander';
import { type CommandOptions, withAction } from '../../../client/cli/command.js';
import { wholeNumber } from '../../../client/cli/options.js';
import { EXIT, type Output, UsageError } from '../../../client/cli/output.js';
import { parseSteps } from '../campaign/replay.js';

/** Seeds are 31 bits: enough for every night, and short enough to be typed. */
const MOST_SEED = 2 ** 31 - 1;

interface SimOptions extends CommandOptions {
  readonly seeds: number;
  readonly from: number;
  readonly nodes: number;
  readonly processes: number;
  readonly seed?: number;
  readonly steps?: readonly number[];
  readonly trace?: boolean;
}

/** `trestle sim`: whole networks on virtual time, in many random scenarios, or one of them again. */
export function simCommand(): Command {
  const command = new Command('sim')
    .description('try networks of simulated nodes in random scenarios of faults')
    .option('--seeds <count>', 'how many scenarios', wholeNumber(1, 1_000_000), 200)
    .option('--from <seed>', 'the first of them', wholeNumber(0, MOST_SEED), 1)
    .option('--nodes <count>', 'nodes of each network', wholeNumber(2, 16), 5)
    .option('--processes <count>', 'processes that share the work', wholeNumber(1, 64), 2)
    .addOption(
      new Option('--seed <seed>', 'run this scenario alone')
        .argParser(wholeNumber(0, MOST_SEED))
        .conflicts(['seeds', 'from', 'processes']),
    )
    .option('--steps <numbers>', 'with --seed: take only these steps, such as 3,7,12', parseStepsOption)
    .option('--trace', 'with --seed: print all that happens: time, node, event');
  return withAction<SimOptions>(command, async (options, output) => {
    const { seed, steps, trace = false } = options;
    if (seed !== undefined) return replay({ ...options, seed, trace }, output);
    if (steps !== undefined || trace)
      throw new UsageError('--steps and --trace go with --seed, which names one scenario');
    await campaign(options, output);
  });
}

async function campaign({ seeds, from, nodes, processes }: SimOptions, output: Output): Promise<void> {
  if (from + seeds - 1 > MOST_SEED) throw new UsageError(`the last seed would be above ${MOST_SEED}`);
  // A wallet needs no simulator: what makes one is loaded only here.
  const { runCampaign } = await import('../campaign/campaign.js');
  const { progressDisplay } = await import('../campaign/progress.js');
  const { campaignView, describeCampaign, describeFailure, isGood } = await import('../campaign/report.js');
  const display = progressDisplay();
  const startedAt = performance.now();
  const result = await runCampaign({
    seeds: Array.from({ length: seeds }, (_, index) => from + index),
    ...{ nodes, processes, onProgress: (progress) => display.show(progress) },
  }).finally(() => display.end());
  const seconds = (performance.now() - startedAt) / 1000;
  if (output.json) for (const failure of result.failures) process.stderr.write(`${describeFailure(failure)}\n`);
  output.result(campaignView(result, seconds), describeCampaign(result, seconds));
  if (!isGood(result)) process.exitCode = EXIT.failed;
}

async function replay(
  { seed, nodes, steps, trace }: SimOptions & { readonly seed: number; readonly trace: boolean },
  output: Output,
): Promise<void> {
  const { runAlone } = await import('../campaign/runAlone.js');
  const { campaignView, describeCampaign, isGood } = await import('../campaign/report.js');
  const log = output.json ? process.stderr : process.stdout;
  const startedAt = performance.now();
  const onLine = trace ? (line: string) => void log.write(`${line}\n`) : undefined;
  const result = await runAlone({ seed, nodes, steps, onLine });
  const seconds = (performance.now() - startedAt) / 1000;
  if (trace) log.write('\n');
  const view = { ...campaignView(result, seconds), traceHash: result.traceHash };
  output.result(view, `${describeCampaign(result, seconds)}\n\ntrace ${result.traceHash}`);
  if (!isGood(result)) process.exitCode = EXIT.failed;
}

function parseStepsOption(text: string): readonly number[] {
  const steps = parseSteps(text);
  if (steps !== undefined) return steps;
  throw new InvalidArgumentError('Numbers of steps are expected, from 1 on, such as 3,7,12, or "none".');
}
