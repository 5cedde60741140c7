import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import * as z from 'zod';

/** How long a process may take until it serves. */
const READY_TIMEOUT_MS = 30_000;
/** How long it may take to end before it is killed. */
const STOP_TIMEOUT_MS = 10_000;
/** Lines of its log that a failure shows. */
const TAIL_LINES = 20;

const readyLine = z.object({ ready: z.literal(true), name: z.string(), url: z.string(), pid: z.int() });
const failureLine = z.object({ ok: z.literal(false), error: z.object({ code: z.string(), message: z.string() }) });

/** A process of the network. */
export interface Launched {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  /** Settles with a description when the process ends without having been told to. */
  readonly died: Promise<string>;
  /** Ends it in order; kills it when it takes too long. */
  stop(): Promise<void>;
}

/** What to start. */
export interface LaunchOptions {
  readonly name: string;
  /** The command with its arguments, `--json` aside. */
  readonly args: readonly string[];
  /** Where its log goes. */
  readonly logFile: string;
}

/**
 * Starts a command of this program as a process of its own and waits until it serves. The channel to it is how it
 * notices that we are gone: no child outlives us, not even when we are killed.
 */
export async function launch(script: string, { name, args, logFile }: LaunchOptions): Promise<Launched> {
  const child = spawn(process.execPath, [script, ...args, '--json'], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  child.stderr?.pipe(createWriteStream(logFile, { flags: 'a' }));
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : signal));
  });
  let isStopping = false;
  const stop = (): Promise<void> => {
    isStopping = true;
    return end(child, exited);
  };
  try {
    const { url, pid } = await firstLine(child, exited);
    const died = new Promise<string>((resolve) => {
      void exited.then((how) => {
        if (!isStopping) resolve(`${name} died: ${how}`);
      });
    });
    return { name, url, pid, died, stop };
  } catch (error) {
    await stop();
    const tail = (await readFile(logFile, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
    throw new Error(
      `${name} did not start: ${error instanceof Error ? error.message : String(error)}\n${tail}`.trimEnd(),
    );
  }
}

async function firstLine(child: ChildProcess, exited: Promise<string>): Promise<z.output<typeof readyLine>> {
  if (child.stdout === null) throw new Error('no standard output');
  const lines = createInterface({ input: child.stdout });
  const line = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready after ${READY_TIMEOUT_MS} ms`)), READY_TIMEOUT_MS);
    lines.once('line', (text) => {
      clearTimeout(timer);
      resolve(text);
    });
    void exited.then((how) => {
      clearTimeout(timer);
      reject(new Error(how));
    });
  });
  const said: unknown = JSON.parse(line);
  const ready = readyLine.safeParse(said);
  if (ready.success) return ready.data;
  const failure = failureLine.safeParse(said);
  throw new Error(failure.success ? `${failure.data.error.message} [${failure.data.error.code}]` : line);
}

async function end(child: ChildProcess, exited: Promise<string>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}
