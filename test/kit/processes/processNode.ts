import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, createClient } from '../../../client/createClient.js';
import { sleep } from '../../../client/time.js';
import type { NetworkParams } from '../../../shared/consensus/params.js';
import type { NetworkNode } from '../network.js';
import { Child, type Command, type Started, StartFailure } from './child.js';
import type { Cut } from './gate.js';

/** How often a node is started once more because its port is taken: for a moment, any outgoing connection may have it. */
const MAX_STARTS = 10;
const START_AGAIN_MS = 200;

/** What a node is, over all its processes. */
export interface Seat {
  readonly index: number;
  readonly name: string;
  readonly params: NetworkParams;
  /** Where it has its data directory and its log. */
  readonly folder: string;
  /** Settles once what has been cut or joined so far is so: no call of a client is to overtake it. */
  readonly wired: () => Promise<void>;
  /** Told of an end that nobody has asked for. */
  readonly onDeath: (message: string) => void;
}

/** A node in a process of its own. */
export class ProcessNode implements NetworkNode {
  readonly index: number;
  readonly name: string;
  readonly url: string;
  readonly client: Client;
  readonly #seat: Seat;
  #child: Child | undefined;
  #starting: Promise<void> | undefined;
  #isClosed = false;

  private constructor(seat: Seat, { child, url, token }: Started) {
    this.#seat = seat;
    this.index = seat.index;
    this.name = seat.name;
    this.url = url;
    const wiredFetch: typeof fetch = async (...call) => {
      await seat.wired();
      return fetch(...call);
    };
    this.client = createClient({ url, token, fetch: wiredFetch });
    this.#watch(child);
  }

  /** Starts a node on a free port. */
  static async start(seat: Seat): Promise<ProcessNode> {
    await mkdir(seat.folder, { recursive: true });
    return new ProcessNode(seat, await startProcess(seat, { port: 0, peers: [], cuts: [] }));
  }

  get isRunning(): boolean {
    return this.#child !== undefined && !this.#child.isEnding;
  }

  /** Of its process; `undefined` while it is down. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it again, on its own data and its own port. */
  async restart(surroundings: { readonly peers: readonly string[]; readonly cuts: readonly Cut[] }): Promise<void> {
    if (this.#isClosed) throw new Error(`${this.name} is gone with its network`);
    if (this.#child !== undefined || this.#starting !== undefined)
      throw new Error(`${this.name} runs: crash or stop it before it is restarted`);
    const port = Number(new URL(this.url).port);
    this.#starting = startProcess(this.#seat, { port, ...surroundings })
      .then(({ child }) => this.#watch(child))
      .finally(() => {
        this.#starting = undefined;
      });
    await this.#starting;
  }

  async tell(command: Command): Promise<void> {
    if (this.isRunning) await this.#child?.tell(command);
  }

  /** Ends its process; settles once that is gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#child?.end(signal);
  }

  /** Ends it for good, be it amid a start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#starting?.catch(() => {});
    await this.end('SIGTERM');
  }

  #watch(child: Child): void {
    this.#child = child;
    void child.ended.then(({ how, isOrdered }) => {
      this.#child = undefined;
      if (!isOrdered) this.#seat.onDeath(`${this.name} ended by itself: ${how}`);
    });
  }
}

/** What of a node may differ from one of its processes to the next. */
interface Occasion {
  /** 0 takes any free one. */
  readonly port: number;
  readonly peers: readonly string[];
  readonly cuts: readonly Cut[];
}

async function startProcess(seat: Seat, { port, peers, cuts }: Occasion): Promise<Started> {
  const { name, params, folder } = seat;
  const config = { name, port, peers: [...peers], dataDir: join(folder, 'data'), allowPrivate: true };
  for (let start = 1; ; start++) {
    try {
      return await Child.start({ kind: 'start', params, config, cuts: [...cuts] }, join(folder, 'node.log'));
    } catch (error) {
      if (!(error instanceof StartFailure)) throw error;
      if (error.code !== 'address-in-use' || start === MAX_STARTS)
        throw new Error(`${name} did not start: ${error.message}`, { cause: error });
      await sleep(START_AGAIN_MS);
    }
  }
}
