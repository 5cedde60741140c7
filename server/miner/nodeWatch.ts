import type { Client } from '../../client/createClient.js';
import { sleep } from '../../client/time.js';
import { Emitter } from '../../shared/emitter.js';
import { TrestleError } from '../../shared/errors.js';
import type { Clock, Logger } from '../ports.js';
import { explain, lookAt } from './lookAt.js';
import { type Look, NodeChoice, type NodeOutlook } from './nodeChoice.js';

/** Time between two looks at all nodes, and while there is none to mine at. */
const LOOK_EVERY_MS = 5_000;
const SEEK_EVERY_MS = 500;

/** A node that may be mined at. */
export interface MinedNode {
  readonly url: string;
  readonly client: Client;
}

/** What watching nodes takes. */
export interface NodeWatchParts {
  /** In the order in which they are preferred. */
  readonly nodes: readonly MinedNode[];
  /** The genesis of the network to mine on; without, the first node that answers says which. */
  readonly genesis?: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** What there is to hear of. */
export interface NodeWatchEvents {
  /** Another node is to be mined at, or none. */
  chosen: MinedNode | undefined;
  /** No node can ever be mined at. */
  hopeless: TrestleError;
}

/** Looks at all nodes now and then, and says which one to mine at. The choice is `NodeChoice`'s. */
export class NodeWatch {
  readonly events = new Emitter<NodeWatchEvents>();
  readonly #parts: NodeWatchParts;
  readonly #choice: NodeChoice;
  /** What was last said of each node: a state is said once. */
  readonly #said: string[] = [];
  #current: MinedNode | undefined;
  #changes = 0;
  #seek = (): void => {};
  #running: Promise<void> | undefined;

  constructor(parts: NodeWatchParts) {
    this.#parts = parts;
    this.#choice = new NodeChoice(parts.nodes.length, parts.genesis);
  }

  /** The node to mine at, if there is one. */
  get current(): MinedNode | undefined {
    return this.#current;
  }

  /** How often another node has been chosen after the first. */
  get changes(): number {
    return Math.max(0, this.#changes - 1);
  }

  outlooks(): readonly (NodeOutlook & { readonly url: string })[] {
    const outlooks = this.#choice.outlooks();
    return this.#parts.nodes.flatMap(({ url }, i) => {
      const outlook = outlooks[i];
      return outlook === undefined ? [] : [{ ...outlook, url }];
    });
  }

  /** Looks at all nodes once, then goes on by itself. Throws where none of them can ever be mined at. */
  async start(): Promise<void> {
    await this.#look();
    if (this.#choice.isHopeless) throw this.#whyHopeless();
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    await this.#running;
  }

  /** The node to mine at, as soon as there is one; `undefined` where all ends before. */
  async next(): Promise<MinedNode | undefined> {
    const { signal } = this.#parts;
    while (this.#current === undefined && !signal.aborted)
      await new Promise<void>((resolve) => {
        const finish = (): void => {
          off();
          signal.removeEventListener('abort', finish);
          resolve();
        };
        const off = this.events.on('chosen', finish);
        signal.addEventListener('abort', finish);
      });
    return signal.aborted ? undefined : this.#current;
  }

  /** A node gave no work, or took none: another one is chosen at once, where there is one. */
  failed(node: MinedNode, error: unknown): void {
    const index = this.#parts.nodes.indexOf(node);
    this.#choice.failed(index, explain(error), this.#parts.clock.monotonic());
    this.#choose();
    if (this.#current === undefined) this.#seek();
  }

  /** A node gave work on a tip of this height. */
  worked(node: MinedNode, height: number): void {
    this.#choice.worked(this.#parts.nodes.indexOf(node), height, this.#parts.clock.monotonic());
  }

  async #run(): Promise<void> {
    const { clock, signal } = this.#parts;
    while (!signal.aborted) {
      if (this.#current !== undefined) {
        const waiting = new AbortController();
        this.#seek = () => waiting.abort();
        const stop = (): void => waiting.abort();
        signal.addEventListener('abort', stop);
        await sleep(LOOK_EVERY_MS, waiting.signal, clock.after);
        signal.removeEventListener('abort', stop);
      }
      // Who has just failed is not asked again at once.
      if (this.#current === undefined) await sleep(SEEK_EVERY_MS, signal, clock.after);
      if (signal.aborted) return;
      await this.#look();
      if (!this.#choice.isHopeless) continue;
      return this.events.emit('hopeless', this.#whyHopeless());
    }
  }

  async #look(): Promise<void> {
    const { nodes, clock, signal } = this.#parts;
    const looks = await Promise.all(nodes.map(({ client }): Promise<Look> => lookAt(client, signal)));
    if (signal.aborted) return;
    this.#choice.looked(looks, clock.monotonic());
    this.#choose();
  }

  #choose(): void {
    const { nodes, clock, log } = this.#parts;
    const index = this.#choice.choose(clock.monotonic());
    const chosen = index === undefined ? undefined : nodes[index];
    this.#tell();
    if (chosen === this.#current) return;
    this.#current = chosen;
    if (chosen === undefined) log.warn('no node to mine at; trying on');
    else {
      this.#changes += 1;
      log.info('mining at', { url: chosen.url, height: this.#choice.outlooks()[index ?? 0]?.height });
    }
    this.events.emit('chosen', chosen);
  }

  /** Says of each node what has changed: once, however often it is looked at. */
  #tell(): void {
    const { log } = this.#parts;
    for (const [i, { url, state, why }] of this.outlooks().entries()) {
      const isBehind = state === 'lagging' || state === 'far';
      // How far behind changes all the time.
      const said = isBehind ? state : `${state} ${why}`;
      const before = this.#said[i];
      this.#said[i] = said;
      if (before === said) continue;
      if (isBehind) log.warn('a node is behind', { url, why });
      else if (why !== '') log.warn('a node cannot be mined at', { url, why });
      else if (before !== undefined) log.info('a node can be mined at again', { url });
    }
  }

  #whyHopeless(): TrestleError {
    const outlooks = this.outlooks();
    const expected = this.#choice.genesis;
    const foreign = outlooks.find(({ genesis }) => genesis !== undefined)?.genesis;
    if (foreign !== undefined && expected !== undefined)
      return new TrestleError({ code: 'peer-network', genesis: foreign, expected });
    const [urls, whys] = [outlooks.map(({ url }) => url), outlooks.map(({ why }) => why)];
    return new TrestleError({ code: 'peer-protocol', url: urls.join(', '), detail: [...new Set(whys)].join('; ') });
  }
}
