import { type Command, CommanderError } from 'commander';
import { EXIT, reportFailure, UsageError } from './output.js';

/**
 * Runs a command line and leaves the exit code: 0 done, 1 failed, 2 typed wrongly. Every failure is said in one form,
 * also those that the parser of the command line finds.
 */
export async function runCommandLine(program: Command, args: readonly string[]): Promise<void> {
  prepare(program);
  // Whoever reads along may have read enough (`| head`): that is no failure, and there is nobody left to tell.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit();
    });
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    const json = args.includes('--json');
    if (!(error instanceof CommanderError)) process.exitCode = reportFailure(error, { json });
    else if (error.exitCode !== 0) process.exitCode = reportUsage(error, json);
  }
}

function reportUsage(error: CommanderError, json: boolean): number {
  // `trestle chain` alone: its help has been shown, and says what is missing.
  if (error.code === 'commander.help' && !json) return EXIT.usage;
  const message = error.code === 'commander.help' ? 'a command is missing' : error.message.replace(/^error: /, '');
  return reportFailure(new UsageError(message), { json });
}

/** Makes the parser throw where it would end the process, and leave the saying to us, for all commands below, too. */
function prepare(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => {} });
  for (const each of command.commands) prepare(each);
}
