import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { collectUrls, parseHttpUrl, wholeNumber } from '../../client/cli/options.js';
import { type Output, toJson } from '../../client/cli/output.js';
import { onStopSignal } from '../../client/cli/signals.js';
import { LOG_LEVELS, type LogLevel } from '../system/logger.js';
import { networkOption } from './network.js';

/** What every server process can be told on the command line. */
export interface ServeOptions {
  readonly json?: boolean;
  readonly name: string;
  readonly network: string;
  readonly host: string;
  readonly port?: number;
  readonly publicUrl?: string;
  readonly dataDir?: string;
  readonly logLevel: LogLevel;
  readonly allowPrivate?: boolean;
  readonly allowHost?: string[];
  readonly allowOrigin?: string[];
  readonly remoteOperator?: boolean;
  readonly exempt?: string[];
}

/** The configuration that these options make: what they leave out has its default there. */
export function configOf(options: ServeOptions, network: string) {
  const { name, host, port, publicUrl, logLevel, allowPrivate, remoteOperator } = options;
  return {
    ...{ name, host, port, publicUrl, logLevel, allowPrivate, remoteOperator },
    dataDir: options.dataDir ?? join(homedir(), '.trestle', network, name),
    allowHosts: options.allowHost,
    allowOrigins: options.allowOrigin,
    exempt: options.exempt,
  };
}

/** Adds those options to a command. */
export function withServeOptions(command: Command, name: string): Command {
  return command
    .option('--name <name>', 'what the process calls itself', name)
    .addOption(networkOption())
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 takes any free one', wholeNumber(0, 65_535))
    .option('--public-url <url>', 'where others reach it, if not at host and port', parseHttpUrl)
    .option('--data-dir <path>', 'where it keeps its data (default: ~/.trestle/<network>/<name>)')
    .addOption(new Option('--log-level <level>', 'how much it says').choices(LOG_LEVELS).default('info'))
    .option('--allow-private', 'call private and loopback addresses (always so on dev)')
    .option('--allow-host <name>', 'another host name to answer to (again for more)', collect)
    .option('--allow-origin <origin>', 'an origin whose web pages may call (again for more)', collectUrls)
    .option('--exempt <address>', 'an IP address whose calls are not counted (again for more)', collect)
    .option('--remote-operator', 'let the operator token be used from other machines');
}

/** Something that runs until it is told to stop. */
export interface Served {
  readonly name: string;
  readonly url: string;
  readonly stopped: Promise<void>;
  /** Why it stopped by itself; `undefined` where it was told to. */
  readonly failure?: unknown;
  /** What people are told once it serves, where that is not its address; nothing where empty. */
  readonly greeting?: string;
  stop(): Promise<void>;
}

/**
 * Starts a process, says that it serves, and keeps it until a signal, its parent's death, or a call stops it. A signal
 * amid the start counts as well: the parts that are there end in order, and nothing is said to serve. Throws what made it
 * stop by itself.
 */
export async function serveUntilStopped(start: () => Promise<Served>, output: Output): Promise<void> {
  let served: Served | undefined;
  let isToldToStop = false;
  const stop = (): void => {
    isToldToStop = true;
    void served?.stop();
  };
  const forget = onStopSignal(stop);
  // A process that was started with a channel to its parent must not outlive it, however the parent dies.
  if (process.connected) process.once('disconnect', stop);
  try {
    served = await start();
    const { name, url, greeting = `${name} serves at ${url}` } = served;
    const ready = { ready: true, name, url, pid: process.pid };
    if (isToldToStop) await served.stop();
    else if (output.json) process.stdout.write(`${toJson(ready)}\n`);
    else if (greeting !== '') process.stdout.write(`${greeting}\n`);
    await served.stopped;
    if (served.failure !== undefined) throw served.failure;
  } finally {
    forget();
    process.off('disconnect', stop);
    if (process.connected) process.disconnect();
  }
}

function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
