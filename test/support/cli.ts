import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The built command line. */
export const SCRIPT = fileURLToPath(new URL('../../bin/trestle.js', import.meta.url));

/** How long any command may run. */
const RUN_LIMIT_MS = 115_000;

/** What a command came to. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line of standard output as JSON, where it is. */
  readonly json: unknown;
}

/** Runs a command to its end. Nothing of the caller's environment reaches it but what it needs to run. */
export async function runCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  const child = startCli(args, env);
  // A command that hangs fails its test by its exit code, and is not left behind.
  const timer = setTimeout(() => child.kill('SIGKILL'), RUN_LIMIT_MS);
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8');
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  return { code, stdout, stderr, json: lastJson(stdout) };
}

/** Starts a command and leaves it to the caller. */
export function startCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(process.execPath, [SCRIPT, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env },
  });
}

function lastJson(stdout: string): unknown {
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
