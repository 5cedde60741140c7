import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Agent, fetch as undiciFetch } from 'undici';
import * as z from 'zod';
import { type Client, createClient } from '../../client/createClient.js';
import { isAlive } from './isAlive.js';
import { temporaryDirectory } from './temporary.js';

const run = promisify(execFile);
const ENTRY = fileURLToPath(new URL('./nodeInNamespace.js', import.meta.url));
const READY_LIMIT_MS = 30_000;
/** Names go on with the process that made them. */
const PREFIX = 'trestle-test-';

const ready = z.object({ url: z.string(), token: z.string() });

/** A node on a network stack of its own. */
export interface NamespaceNode {
  readonly url: string;
  readonly client: Client;
}

/**
 * Network stacks of this machine that are joined by a bridge and by nothing else, each with an address that looks public:
 * machines in a network, as far as their processes can tell. All is removed with its scope, whatever has failed. Wants root
 * on Linux with `ip`.
 */
export class Namespaces implements AsyncDisposable {
  readonly #hub: string;
  readonly #names: readonly string[];
  readonly #nodes: { readonly process: ReturnType<typeof fork>; readonly agent: Agent }[] = [];
  readonly #home: string;
  readonly #removeHome: () => Promise<void>;

  private constructor(count: number, home: string, removeHome: () => Promise<void>) {
    const prefix = `${PREFIX}${process.pid}`;
    this.#hub = `${prefix}-hub`;
    this.#names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
    this.#home = home;
    this.#removeHome = removeHome;
  }

  /** Why there can be none here; `undefined` where there can. */
  static async whyNot(): Promise<string | undefined> {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'network namespaces want root on Linux';
    try {
      await using probe = await Namespaces.make(1);
      void probe;
      return undefined;
    } catch (error) {
      return `network namespaces cannot be made here: ${String(error)}`;
    }
  }

  static async make(count: number): Promise<Namespaces> {
    const home = await temporaryDirectory();
    const made = new Namespaces(count, home.path, async () => home[Symbol.asyncDispose]());
    try {
      await made.#build();
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts a node in one of them, which knows the addresses of some others. */
  async startNode(place: number, peers: readonly string[]): Promise<NamespaceNode> {
    const folder = join(this.#home, String(place));
    await mkdir(folder);
    const socketPath = join(folder, 'socket');
    const child = fork(ENTRY, [addressOf(place), join(folder, 'data'), socketPath, ...peers], {
      ...{ execPath: 'ip', execArgv: ['netns', 'exec', this.#nameOf(place), process.execPath], stdio: 'inherit' },
    });
    const agent = new Agent({ connect: { socketPath } });
    this.#nodes.push({ process: child, agent });
    const [told] = await once(child, 'message', { signal: AbortSignal.timeout(READY_LIMIT_MS) });
    const { url, token } = ready.parse(told);
    const fetchThere: typeof fetch = async (input, init) => {
      const { status, headers, body } = await undiciFetch(String(input), {
        method: init?.method ?? 'GET',
        headers: Object.fromEntries(new Headers(init?.headers).entries()),
        body: typeof init?.body === 'string' ? init.body : null,
        dispatcher: agent,
      });
      return new Response(body, { status, headers: [...headers] });
    };
    return { url, client: createClient({ url, token, fetch: fetchThere }) };
  }

  /** Unplugs one of them. */
  async cut(place: number): Promise<void> {
    await ip('-n', this.#hub, 'link', 'set', `p${place}`, 'down');
  }

  async heal(place: number): Promise<void> {
    await ip('-n', this.#hub, 'link', 'set', `p${place}`, 'up');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map(({ process: child, agent }) => Promise.all([end(child), agent.destroy()])));
    // Links go with the namespaces that they lead into.
    for (const name of [...this.#names, this.#hub]) await ip('netns', 'del', name).catch(() => {});
    await this.#removeHome();
  }

  async #build(): Promise<void> {
    await sweep();
    const hub = this.#hub;
    await ip('netns', 'add', hub);
    await ip('-n', hub, 'link', 'add', 'bridge', 'type', 'bridge');
    await ip('-n', hub, 'link', 'set', 'bridge', 'up');
    for (const [place, name] of this.#names.entries()) {
      await ip('netns', 'add', name);
      await ip('link', 'add', 'eth0', 'netns', name, 'type', 'veth', 'peer', 'name', `p${place}`, 'netns', hub);
      await ip('-n', hub, 'link', 'set', `p${place}`, 'master', 'bridge', 'up');
      await ip('-n', name, 'addr', 'add', `${addressOf(place)}/16`, 'dev', 'eth0');
      await ip('-n', name, 'link', 'set', 'eth0', 'up');
      await ip('-n', name, 'link', 'set', 'lo', 'up');
    }
  }

  #nameOf(place: number): string {
    const name = this.#names[place];
    if (name === undefined) throw new RangeError(`there is no namespace ${place}`);
    return name;
  }
}

/** Removes what processes have left behind that were killed before they could. */
async function sweep(): Promise<void> {
  const { stdout } = await run('ip', ['netns', 'list']);
  for (const [name, pid] of stdout.matchAll(new RegExp(`^${PREFIX}(\\d+)-\\w+`, 'gm')))
    if (!isAlive(Number(pid))) await ip('netns', 'del', name).catch(() => {});
}

/** Addresses of the Internet, which nothing outside the namespaces ever sees. */
function addressOf(place: number): string {
  return `45.83.${place + 1}.1`;
}

async function ip(...args: readonly string[]): Promise<void> {
  await run('ip', [...args]);
}

async function end(child: ReturnType<typeof fork>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
