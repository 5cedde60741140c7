import { Command } from 'commander';
import { jsonOption } from './options.js';
import { createOutput, type Output, reportFailure } from './output.js';

/** What every command is given beside its options. */
export interface CommandOptions {
  readonly json?: boolean;
}

/** The same for commands that ask a node. */
export interface UrlOptions extends CommandOptions {
  readonly url: string;
}

/**
 * Gives a command its `--json` and its action. A failure is reported in the form that was asked for and becomes the exit
 * code; commands themselves only throw.
 */
export function withAction<Options extends CommandOptions>(
  command: Command,
  action: (options: Options, output: Output, args: readonly string[]) => Promise<void>,
): Command {
  return command.addOption(jsonOption()).action(async () => {
    const options = command.opts<Options>();
    const json = options.json ?? false;
    try {
      await action(options, createOutput(json), command.args);
    } catch (error) {
      process.exitCode = reportFailure(error, { json });
    }
  });
}

/** A group of commands, such as `trestle chain …`. */
export function group(name: string, description: string, commands: readonly Command[]): Command {
  const parent = new Command(name).description(description);
  for (const command of commands) parent.addCommand(command);
  return parent;
}
