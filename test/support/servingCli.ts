import * as z from 'zod';
import { startCli } from './cli.js';

/** How long a process may take to end before it is killed. */
const STOP_LIMIT_MS = 10_000;

const readyLine = z.object({ ready: z.literal(true), url: z.string() });

/** A server process that ends with its scope. */
export interface ServingCli extends AsyncDisposable {
  readonly url: string;
  /** All that it has printed until now, on both streams. */
  said(): string;
  /** Ends it in order; all that it has ever printed. */
  end(): Promise<string>;
}

/** Starts a command that serves, with `--json`, and waits until it does; throws with what it printed where it ends instead. */
export async function servingCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ServingCli> {
  const child = startCli([...args, '--json'], env);
  let [text, out] = ['', ''];
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const end = async (): Promise<string> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await closed;
    clearTimeout(timer);
    return text;
  };
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      out += chunk.toString('utf8');
      const [line, ...rest] = out.split('\n');
      if (rest.length === 0) return;
      const ready = readyLine.safeParse(JSON.parse(line ?? ''));
      if (ready.success) resolve(ready.data.url);
    });
    void closed.then(() => reject(new Error(`it does not serve: ${text}`)));
  });
  return { url, said: () => text, end, [Symbol.asyncDispose]: async () => void (await end()) };
}
