import { homedir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { type CommandOptions, withAction } from '../../client/cli/command.js';
import { EXIT, table } from '../../client/cli/output.js';
import { TrestleError } from '../../shared/errors.js';
import type { RepairParts, Verification } from '../repair/verify.js';
import { systemClock } from '../system/clock.js';
import { loadEngine } from '../system/engines.js';
import { createLogger, LOG_LEVELS, type LogLevel } from '../system/logger.js';
import { inlineSignatures } from '../system/signatures.js';
import { loadNetwork, networkOption } from './network.js';

/** Differences that people are shown; `--json` has more. */
const SHOWN = 20;

interface RepairOptions extends CommandOptions {
  readonly name: string;
  readonly network: string;
  readonly dataDir?: string;
  readonly logLevel: LogLevel;
}

/** The commands of `trestle chain` that work on a node's files, while the node is stopped. */
export function repairCommands(): Command[] {
  return [verifyCommand(), reindexCommand()];
}

function verifyCommand(): Command {
  const command = withPlace(
    new Command('verify').description('compute a stopped node’s state again from its blocks, and compare'),
  );
  return withAction<RepairOptions>(command, async (options, output) => {
    // Whoever only asks nodes needs no database.
    const { verify } = await import('../repair/verify.js');
    const found = await verify(await partsOf(options, 'verify'));
    const { total } = found;
    if (total === 0) {
      output.result({ ok: true, ...found }, praise(found));
      return;
    }
    const failure = new TrestleError({ code: 'store-corrupt', detail: inWords(found) });
    if (!output.json) {
      process.stdout.write(`${describeDifferences(found)}\n`);
      throw failure;
    }
    const { code, message, hint } = failure;
    output.result({ ok: false, error: { code, message, hint }, ...found }, '');
    process.exitCode = EXIT.failed;
  });
}

function reindexCommand(): Command {
  const command = withPlace(
    new Command('reindex').description('make a stopped node’s store anew from the blocks that can still be read'),
  );
  return withAction<RepairOptions>(command, async (options, output) => {
    const { reindex } = await import('../repair/reindex.js');
    const done = await reindex(await partsOf(options, 'reindex'));
    const { kept, refused, damaged, height, fetchFrom, peers } = done;
    const rows = [
      ['blocks kept', String(kept)],
      ['blocks damaged', String(damaged)],
      ['blocks without a place', String(refused)],
      ['peers kept', String(peers)],
      ['height', String(height)],
    ];
    const next = `Start the node: it fetches what follows from its peers, from height ${fetchFrom} on.`;
    output.result({ ok: true, ...done }, `${table(rows)}\n${next}`);
  });
}

function withPlace(command: Command): Command {
  return command
    .option('--name <name>', 'what the node calls itself', 'node')
    .addOption(networkOption())
    .option('--data-dir <path>', 'where it keeps its data (default: ~/.trestle/<network>/<name>)')
    .addOption(new Option('--log-level <level>', 'how much is said').choices(LOG_LEVELS).default('info'));
}

async function partsOf({ name, network, dataDir, logLevel }: RepairOptions, command: string): Promise<RepairParts> {
  const params = await loadNetwork(network);
  const log = createLogger(command, logLevel);
  return {
    dataDir: dataDir ?? join(homedir(), '.trestle', params.name, name),
    params,
    signatures: inlineSignatures(await loadEngine('auto', { log }), systemClock),
    clock: systemClock,
    log,
  };
}

function praise({ height, headers, blocks, marked, unfinished }: Verification): string {
  const lines = [
    `${headers} headers and ${blocks} blocks up to height ${height}: every row is what the blocks make it`,
  ];
  if (marked > 0) lines.push(`${marked} headers are marked invalid or set aside; why, the store does not know`);
  if (unfinished) lines.push('a change of branches is unfinished; the next start of the node goes on with it');
  return lines.join('\n');
}

function inWords({ total, bySpace }: Verification): string {
  const spaces = Object.entries(bySpace).map(([space, count]) => `${space} ${count}`);
  return `${total} differences: ${spaces.join(', ')}`;
}

function describeDifferences({ differences, total }: Verification): string {
  const rows = differences.slice(0, SHOWN).map(({ space, key, what, detail }) => [space, what, key, detail]);
  const rest = total > SHOWN ? `\nand ${total - SHOWN} more; --json names up to 1000` : '';
  return `${table([['space', 'what', 'key', ''], ...rows])}${rest}`;
}
