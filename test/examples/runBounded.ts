import { type ChildProcess, spawn } from 'node:child_process';

/** What a command came to. */
export interface Run {
  readonly ok: boolean;
  /** Both of its outputs, as they came. */
  readonly output: string;
}

/** Commands under way. Each has a process group of its own, so a signal to ours does not reach them. */
const running = new Set<ChildProcess>();
let isEnding = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    // Nothing starts any more, so whoever runs commands comes to an end and removes its folders.
    isEnding = true;
    for (const child of running) killGroup(child);
  });

/** Runs npm in a directory, for no longer than so many milliseconds: then it ends, with all that it has started. */
export function runNpm(
  args: readonly string[],
  { cwd, limitMs }: { readonly cwd: string; readonly limitMs: number },
): Promise<Run> {
  if (isEnding) return Promise.resolve({ ok: false, output: 'interrupted\n' });
  const onWindows = process.platform === 'win32';
  const child = spawn('npm', args, { cwd, detached: !onWindows, shell: onWindows, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const timer = setTimeout(() => {
    output += `\nnpm ${args.join(' ')} did not end within ${limitMs / 1000} s\n`;
    killGroup(child);
  }, limitMs);
  return new Promise((resolve) => {
    const end = (ok: boolean): void => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ ok, output });
    };
    child.once('error', (error) => {
      output += `${error.message}\n`;
      end(false);
    });
    child.once('close', (code) => end(code === 0));
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
