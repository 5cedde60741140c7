import { type Client, createClient } from '../../../client/createClient.js';
import { type RunningNode, startNode } from '../../../server/node.js';
import type { LogFields, Logger, Signatures, Vitals } from '../../../server/ports.js';
import type { HeaderRecord } from '../../../server/store/layout.js';
import type { NetworkParams } from '../../../shared/consensus/params.js';
import type { CrashKind, NetworkNode } from '../network.js';
import { Dice } from './dice.js';
import { Lifeline } from './lifeline.js';
import { Outside } from './outside.js';
import type { Scheduler } from './scheduler.js';
import { type ClockError, clockTime, simClock } from './simClock.js';
import { SimDisk } from './simDisk.js';
import { type Serve, simListen } from './simListen.js';
import type { Trace } from './trace.js';
import type { Station, Wire, WireRequest, WireResponse, WireStream } from './wire.js';

/** No process of its own, so nothing of its own to measure. */
const NO_VITALS: Vitals = { loopDelayP99Ms: () => 0, reset: () => {}, rssBytes: 0, peakRssBytes: 0, close: () => {} };

/** What simulated nodes have in common. */
export interface SimNodeParts {
  readonly seed: number;
  readonly params: NetworkParams;
  readonly scheduler: Scheduler;
  readonly wire: Wire;
  readonly trace: Trace;
  readonly signatures: Signatures;
  /** The most bytes of waiting transactions; a node's own choice unless given. */
  readonly maxPoolBytes: number | undefined;
  /** Nodes that nobody can call. */
  readonly hidden: readonly number[];
  /** IPv4 addresses by node, where they are not to be private ones. */
  readonly addresses: readonly string[];
}

/** A machine with a disk and a clock, and a real node on it while it runs. */
export class SimNode implements NetworkNode, Station {
  readonly index: number;
  readonly name: string;
  readonly address: string;
  readonly url: string;
  /** Whether nobody can call it. */
  readonly isHidden: boolean;
  readonly client: Client;
  readonly disk: SimDisk;
  readonly clockError: ClockError = { aheadMs: 0 };
  readonly #parts: SimNodeParts;
  readonly #peers: () => readonly string[];
  readonly #outside: Outside;
  #lifeline: Lifeline | undefined;
  #serve: Serve | undefined;
  #running: RunningNode | undefined;
  /** How often a process has been started here: each has chance of its own. */
  #runs = 0;

  constructor(index: number, peers: () => readonly string[], parts: SimNodeParts) {
    this.index = index;
    this.isHidden = parts.hidden.includes(index);
    this.name = `n${index}`;
    this.address = parts.addresses[index] ?? `10.0.0.${index + 1}`;
    this.url = `http://${this.address}:${parts.params.nodePort}`;
    this.#peers = peers;
    this.#parts = parts;
    const { seed, scheduler } = parts;
    this.disk = new SimDisk({ name: this.name, dice: Dice.of(seed, `disk of ${this.name}`), now: () => scheduler.now });
    this.#outside = new Outside({
      scheduler,
      current: () =>
        this.#lifeline === undefined || this.#serve === undefined
          ? undefined
          : { lifeline: this.#lifeline, serve: this.#serve },
      note: (what) => this.note(what),
    });
    this.client = createClient({
      url: this.url,
      fetch: (input, init) => this.#outside.fetch(input, init),
      after: (ms, action) => scheduler.after(ms, action),
      token: () => this.#running?.token,
    });
  }

  /** The process; `undefined` where it is down. */
  get running(): RunningNode | undefined {
    return this.#running;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  get lifeline(): Lifeline | undefined {
    return this.#lifeline;
  }

  /** What the machine's clock shows, in milliseconds since 1970: virtual time, and as wrong as the clock is. */
  get time(): number {
    return clockTime(this.#parts.scheduler, this.clockError);
  }

  /** The last block of the active chain; `undefined` where the node is down. */
  get tip(): HeaderRecord | undefined {
    return this.#running?.chain.tip;
  }

  get runs(): number {
    return this.#runs;
  }

  get answer(): ((request: WireRequest) => Promise<WireResponse>) | undefined {
    const serve = this.#serve;
    if (serve === undefined) return undefined;
    return async ({ url, headers, body, signal, remoteAddress }) => {
      const request = new Request(url, { method: 'POST', headers, body });
      // A request that is given a signal makes another that follows it, which costs more than all the rest of it.
      Object.defineProperty(request, 'signal', { value: signal });
      const response = await serve(request, remoteAddress);
      return { status: response.status, body: await response.text() };
    };
  }

  get stream(): ((request: WireRequest) => Promise<WireStream>) | undefined {
    const serve = this.#serve;
    if (serve === undefined) return undefined;
    return async ({ url, headers, signal, remoteAddress }) => {
      const request = new Request(url, { headers });
      Object.defineProperty(request, 'signal', { value: signal });
      const { ok, body } = await serve(request, remoteAddress);
      return { ok, events: eventsOf(body) };
    };
  }

  /** Starts a process on what the disk holds. Throws what it ends with where it cannot start. */
  async start(run = this.#runs): Promise<void> {
    if (this.#lifeline !== undefined) throw new Error(`${this.name} runs: crash or stop it before it is restarted`);
    const { seed, params, scheduler, wire, signatures, maxPoolBytes } = this.#parts;
    this.#runs = run + 1;
    const lifeline = new Lifeline(scheduler);
    this.#lifeline = lifeline;
    this.disk.attach(lifeline);
    const died = new Promise<undefined>((resolve) => lifeline.onDeath(() => resolve(undefined)));
    const started = startNode(
      params,
      {
        // A node that listens on every address and is told no name of its own can tell nobody where it is.
        ...{ name: this.name, dataDir: this.name, host: this.isHidden ? '0.0.0.0' : this.address },
        peers: [...this.#peers()],
        ...{ allowPrivate: true, maxPoolBytes },
      },
      {
        clock: simClock(scheduler, lifeline, this.clockError),
        random: Dice.of(seed, `${this.name}, run ${run}`),
        log: this.#log(lifeline),
        dialer: ({ signal }) => wire.dialer(this, { lifeline, signal }),
        premises: this.disk,
        listen: simListen((serve) => {
          if (lifeline.isAlive) this.#serve = serve;
        }),
        vitals: NO_VITALS,
        signatures,
      },
    );
    try {
      const running = await Promise.race([started, died]);
      // Killed amid its start: what is left of it waits for ever.
      if (running === undefined) return;
      this.#running = running;
      void running.stopped.then(() => this.#ended(lifeline, running.failure));
    } catch (error) {
      this.#bury(lifeline);
      throw error;
    }
  }

  /** Ends the process as an operator would; settles when it has ended. */
  async stop(): Promise<void> {
    await this.#running?.stop();
  }

  /** Ends the process where it is. */
  crash(kind: CrashKind): void {
    const lifeline = this.#lifeline;
    if (lifeline === undefined) return;
    this.note(kind === 'power' ? 'loses its power' : 'is killed');
    this.#bury(lifeline);
    this.disk.crash(kind);
  }

  /** Makes an end of the process without a trace, where the whole network is put back or away. */
  vanish(): void {
    if (this.#lifeline !== undefined) this.#bury(this.#lifeline);
  }

  /** Ends what whoever runs the network has open here. */
  close(): void {
    this.vanish();
    this.#outside.close();
  }

  /** Lets a line stand in the trace as this node's. */
  note(what: string): void {
    this.#parts.trace.add(this.#parts.scheduler.now, this.name, what);
  }

  #ended(lifeline: Lifeline, failure: unknown): void {
    if (!lifeline.isAlive) return;
    this.note(failure === undefined ? 'has stopped' : `has ended by itself: ${String(failure)}`);
    this.#bury(lifeline);
  }

  #bury(lifeline: Lifeline): void {
    if (this.#lifeline !== lifeline) return;
    this.#lifeline = undefined;
    this.#serve = undefined;
    this.#running = undefined;
    lifeline.kill();
  }

  #log(lifeline: Lifeline): Logger {
    const say = (level: string) => (message: string, fields?: LogFields) => {
      if (lifeline.isAlive) this.note(`${level}${message}${describe(fields)}`);
    };
    return { debug: say(''), info: say(''), warn: say('warning: '), error: say('ERROR: ') };
  }
}

/** The events of a subscription, without those that only say that the node lives: they come by the real time. */
async function* eventsOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<string> {
  if (body === null) return;
  const decoder = new TextDecoder();
  let event = '';
  for await (const part of body) {
    event += decoder.decode(part, { stream: true });
    if (!event.endsWith('\n\n')) continue;
    if (!event.startsWith('event: ping')) yield event;
    event = '';
  }
}

function describe(fields: LogFields | undefined): string {
  return Object.entries(fields ?? {})
    .map(([name, value]) => `  ${name}=${typeof value === 'object' ? JSON.stringify(value, plain) : String(value)}`)
    .join('');
}

function plain(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
