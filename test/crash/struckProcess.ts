import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { SCRIPT } from '../support/cli.js';
import { POINTS_FD, STRIKE_VARIABLE, type Strike } from './points.js';

const HOOKS = fileURLToPath(new URL('./hooks.js', import.meta.url));
/** How long a process may take before it is killed and its run fails. */
const RUN_LIMIT_MS = 60_000;

/** A run of the real command line with write points. */
export interface Run {
  /** What runs; the real command line if left out. */
  readonly script?: string;
  /** The command with its arguments. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where it is struck; nowhere if left out. */
  readonly strike?: Strike | undefined;
  /** What is done with it once it says that it serves. It is told to end afterwards; without, it has to end by itself. */
  readonly session?: (url: string) => Promise<void>;
}

/** How a run went. */
export interface RunResult {
  /** Every write point that it came to, in order; the last is where it was killed, if it was. */
  readonly points: readonly string[];
  /** Those of them that it came to before it served, or ended. */
  readonly pointsOfStart: readonly string[];
  readonly wasReady: boolean;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command as a process of its own, struck where it is to be, and waits for its end. */
export async function runStruck({ script = SCRIPT, args, env = {}, strike, session }: Run): Promise<RunResult> {
  const child = spawn(process.execPath, ['--import', HOOKS, script, ...args], {
    // With a channel to us: it ends when we do, however that comes about.
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'ipc'],
    env: {
      ...{ PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env },
      ...(strike === undefined ? {} : { [STRIKE_VARIABLE]: JSON.stringify(strike) }),
    },
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), RUN_LIMIT_MS);
  let [stdout, stderr] = ['', ''];
  const points: string[] = [];
  let pointsOfStart: readonly string[] | undefined;
  let served: Promise<void> = Promise.resolve();
  let failure: unknown;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  createInterface({ input: present(child.stdio[POINTS_FD]) }).on('line', (line) => points.push(line));
  createInterface({ input: present(child.stdout) }).on('line', (line) => {
    stdout += `${line}\n`;
    const url = readyUrl(line);
    if (url === undefined) return;
    pointsOfStart = [...points];
    if (session === undefined) return;
    served = session(url)
      .catch((error: unknown) => {
        failure = error;
      })
      .finally(() => child.kill('SIGTERM'));
  });
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.once('close', (code, signal) => resolve([code, signal]));
  });
  clearTimeout(timer);
  await served;
  // A session that the strike cut short has failed as it should.
  if (failure !== undefined && signal !== 'SIGKILL') throw failure;
  const wasReady = pointsOfStart !== undefined;
  return { points, pointsOfStart: pointsOfStart ?? points, wasReady, code, signal, stdout, stderr };
}

function readyUrl(line: string): string | undefined {
  return /^\{"ready":true,.*"url":"([^"]+)"/.exec(line)?.[1];
}

function present(stream: unknown): Readable {
  if (stream === null || stream === undefined) throw new Error('a stream is missing');
  return stream as Readable;
}
