import { type ChildProcess, fork } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { runLater } from '../../../client/time.js';
import { type Order, report, type StartOrder } from './messages.js';

const ENTRY = new URL('./nodeProcess.js', import.meta.url);
/** How long a process may take until its node serves, and how long until it has done what it is told. */
const READY_LIMIT_MS = 30_000;
const ANSWER_LIMIT_MS = 10_000;
/** How long it may take to end in order before it is killed. */
const STOP_LIMIT_MS = 10_000;
/** Lines of its log that are shown where it ended by itself and without a word. */
const TAIL_LINES = 10;

/** How a process ends whose node was stopped, by a signal or by a call of its operator. */
const IN_ORDER = 'exit code 0';

/** What a process is told, without the number by which it answers. */
export type Command = Order extends infer Each ? (Each extends Order ? Omit<Each, 'id'> : never) : never;

/** How a process ended. */
export interface Ending {
  readonly how: string;
  /** Whether it was told to, over the channel or by its operator. */
  readonly isOrdered: boolean;
}

/** A process that has become a node. */
export interface Started {
  readonly child: Child;
  readonly url: string;
  /** The operator's token. */
  readonly token: string;
}

/** A process could not become a node. The code is that of a reason of ours, where there is one. */
export class StartFailure extends Error {
  readonly code: string | null;

  constructor(message: string, code: string | null) {
    super(message);
    this.code = code;
  }
}

/** A process that is a node, and the channel to it. It ends by itself when this process is gone. */
export class Child {
  /** Settles once the process is gone. */
  readonly ended: Promise<Ending>;
  readonly #process: ChildProcess;
  readonly #logFile: string;
  readonly #ready: Promise<Omit<Started, 'child'>>;
  readonly #answers = new Map<number, () => void>();
  #failure: { readonly message: string; readonly code: string | null } | undefined;
  #isEnding = false;
  #last = 0;

  private constructor(process: ChildProcess, logFile: string) {
    this.#process = process;
    this.#logFile = logFile;
    this.ended = goneFrom(process).then((how) => this.#describe(how));
    this.#ready = new Promise((resolve, reject) => {
      process.on('message', (message) => {
        const told = report.parse(message);
        if (told.kind === 'ready') resolve(told);
        else if (told.kind === 'failed') this.#failure = told;
        else this.#answers.get(told.id)?.();
      });
      void this.ended.then(({ how }) => reject(new StartFailure(how, this.#failure?.code ?? null)));
    });
  }

  /** Starts a process and waits until its node serves. Its log is added to a file. Throws `StartFailure`. */
  static async start(order: StartOrder, logFile: string): Promise<Started> {
    const log = await open(logFile, 'a');
    const process = fork(ENTRY, [], {
      // Options of this process, a debugger's for one, are not for its children.
      execArgv: [],
      // Amounts are bigints, and JSON knows none.
      serialization: 'advanced',
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
    });
    const child = new Child(process, logFile);
    await log.close();
    child.#send(order);
    try {
      return { child, ...(await within(READY_LIMIT_MS, 'a node starts', child.#ready)) };
    } catch (error) {
      await child.end('SIGKILL');
      throw error;
    }
  }

  /** Tells the process something and waits until it has done it. One that is gone has nothing to do. */
  async tell(command: Command): Promise<void> {
    const id = ++this.#last;
    const done = new Promise<void>((resolve) => this.#answers.set(id, resolve));
    this.#send({ ...command, id });
    await within(ANSWER_LIMIT_MS, `a node obeys "${command.kind}"`, Promise.race([done, this.ended]));
    this.#answers.delete(id);
  }

  /** Ends the process; settles once it is gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#isEnding = true;
    this.#process.kill(signal);
    const cancel = runLater(STOP_LIMIT_MS, () => this.#process.kill('SIGKILL'));
    await this.ended;
    cancel();
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Whether it has been told to end. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  #send(message: StartOrder | Order): void {
    // A failure to send means that the process is gone, which shows by itself.
    this.#process.send(message, () => {});
  }

  async #describe(how: string): Promise<Ending> {
    if (this.#isEnding || how === IN_ORDER) return { how, isOrdered: true };
    const words = this.#failure?.message ?? `${how}\n${await tailOf(this.#logFile)}`.trimEnd();
    return { how: words, isOrdered: false };
  }
}

/** Settles when a process is gone and all that it has said is read. */
function goneFrom(process: ChildProcess): Promise<string> {
  const closed = new Promise<void>((resolve) => process.once('disconnect', resolve));
  const exited = new Promise<string>((resolve) => {
    process.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const failed = new Promise<string>((resolve) => process.on('error', ({ message }) => resolve(message)));
  return Promise.race([closed.then(() => exited), failed]);
}

async function tailOf(file: string): Promise<string> {
  return (await readFile(file, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}

function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = runLater(ms, () => reject(new Error(`${what}: not within ${ms} ms`)));
    work.then(resolve, reject).finally(cancel);
  });
}
