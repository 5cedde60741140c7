import { reasonOf } from '../../client/failure.js';
import { sleep } from '../../client/time.js';
import { Emitter } from '../../shared/emitter.js';
import { type Address, formatAddress } from '../../shared/model/address.js';
import { MAX_TEMPLATE_WAIT_MS } from '../../shared/rpc/blockSchemas.js';
import { Background } from '../background.js';
import type { Clock, Logger } from '../ports.js';
import { type BlockFate, handIn, type Solution } from './handIn.js';
import { HashMeter } from './hashMeter.js';
import { type MinerView, Tally } from './minerView.js';
import type { MinedNode, NodeWatch } from './nodeWatch.js';
import type { Solver } from './solver.js';
import { hashOf, headerAt, readWork, type Work } from './work.js';

/** How long work goes on that no node has confirmed to be the latest: by then it is stale, or there is nobody to take it. */
const WORK_LIFE_MS = 15_000;
/**
 * The time from one template to the next on the same tip. A node that answers a long poll at once, again and again, would
 * else be asked without end. A new tip is only waited for that long where fees have just improved.
 */
const SAME_TIP_MS = 200;
/** The longest a miner waits where a node says that it has asked too much; else it goes to another one. */
const MOST_PATIENCE_MS = 5_000;
/** Below this many hashes a block, a network has no difficulty to speak of. */
const NO_DIFFICULTY = 1_000n;

/** What a miner needs. */
export interface MinerParts {
  /** Says at which node to mine; ended by whoever made it. */
  readonly watch: NodeWatch;
  readonly solver: Pick<Solver, 'solve' | 'callOff' | 'isSearching' | 'tries' | 'threads' | 'replaced'>;
  /** Whom its coinbases pay. */
  readonly address: Address;
  /** Time between its blocks, for networks without difficulty; without, it mines as fast as it can. */
  readonly intervalMs?: number | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts when the miner stops. */
  readonly signal: AbortSignal;
}

/** What there is to hear of. */
export interface MinerEvents {
  /** The threads search something else now. */
  working: Work;
}

/**
 * Mines: takes templates of the node that `NodeWatch` chooses, has their nonces searched, and hands in what is found. It goes
 * on through the ends and restarts of its nodes. One long poll is always open; its answer calls the search off and begins the
 * next. Work goes on while a node is silent, but not for longer than `WORK_LIFE_MS`.
 */
export class Miner {
  readonly events = new Emitter<MinerEvents>();
  readonly #parts: MinerParts;
  readonly #background: Background;
  readonly #meter: HashMeter;
  readonly #tally = new Tally();
  readonly #startedAt: number;
  #work: Work | undefined;
  #dueAt: number | undefined;
  /** A block on its way to the node it was found for. */
  #handing: { readonly node: MinedNode; readonly done: Promise<void> } | undefined;
  #cancelExpiry = (): void => {};
  #hasWarned = false;
  #running: Promise<void> | undefined;

  constructor(parts: MinerParts) {
    this.#parts = parts;
    this.#background = new Background(parts.log);
    this.#startedAt = parts.clock.monotonic();
    this.#meter = new HashMeter(this.#startedAt);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Settles when what was found is handed in, or given up. */
  async close(): Promise<void> {
    this.#cancelExpiry();
    this.#parts.solver.callOff();
    await this.#running;
    await this.#background.settled();
  }

  /** How it does. */
  view(): MinerView {
    const { watch, solver, address, clock, intervalMs } = this.#parts;
    const now = clock.monotonic();
    const hashes = solver.tries;
    const rates = this.#meter.look(hashes, now);
    const { template, hashesPerBlock } = this.#work ?? {};
    return {
      address: formatAddress(address),
      uptimeMs: Math.round(now - this.#startedAt),
      threads: solver.threads,
      threadsReplaced: solver.replaced,
      hashes,
      hashRate: rates.now,
      hashRateOverall: rates.overall,
      node: watch.current?.url ?? null,
      nodes: watch.outlooks(),
      nodeChanges: watch.changes,
      intervalMs: intervalMs ?? null,
      isSearching: solver.isSearching,
      height: template?.height ?? null,
      transactions: template?.transactionCount ?? null,
      pays: template === undefined ? null : template.reward + template.fees,
      hashesPerBlock: hashesPerBlock ?? null,
      ...this.#tally.view(),
    };
  }

  async #run(): Promise<void> {
    const { watch, signal } = this.#parts;
    for (let node = await watch.next(); node !== undefined; node = await watch.next()) {
      const left = new AbortController();
      const leave = (): void => left.abort();
      const off = watch.events.on('chosen', leave);
      signal.addEventListener('abort', leave);
      if (signal.aborted || watch.current !== node) leave();
      try {
        await this.#mineAt(node, left.signal);
      } catch (error) {
        if (!left.signal.aborted) await this.#interrupted(node, error);
      } finally {
        off();
        signal.removeEventListener('abort', leave);
      }
    }
  }

  /** A node that has too much to do is waited for; any other failure leads to the next node. */
  async #interrupted(node: MinedNode, error: unknown): Promise<void> {
    const { watch, signal, clock } = this.#parts;
    const reason = reasonOf(error);
    if (reason?.code === 'peer-quota' && reason.retryMs <= MOST_PATIENCE_MS)
      await sleep(reason.retryMs, signal, clock.after);
    else watch.failed(node, error);
  }

  /** Works on one template of a node after the other. Throws what a call for a template fails with. */
  async #mineAt(node: MinedNode, left: AbortSignal): Promise<void> {
    while (!left.aborted) {
      await this.#untilDue(node, left);
      // Over when we leave this node, when a paced block is found, or when a block did not become the tip.
      const over = new AbortController();
      const end = (): void => over.abort();
      left.addEventListener('abort', end);
      if (left.aborted) end();
      try {
        let work = await this.#ask(node, undefined, over.signal);
        while (work !== undefined) {
          this.#begin(work, over);
          work = await this.#ask(node, work, over.signal);
        }
      } finally {
        left.removeEventListener('abort', end);
      }
    }
  }

  /** The next work: at once, or as soon as there is better. `undefined` where nobody waits for it any more. */
  async #ask(node: MinedNode, current: Work | undefined, signal: AbortSignal): Promise<Work | undefined> {
    const { address, clock, watch } = this.#parts;
    if (signal.aborted) return undefined;
    const askedAt = clock.monotonic();
    const wait = current === undefined ? {} : { current: current.template.id, waitMs: MAX_TEMPLATE_WAIT_MS };
    try {
      const answer = await node.client.block.template.query({ address, ...wait }, { signal });
      const work = readWork(answer, node, clock.monotonic());
      if (signal.aborted) return undefined;
      watch.worked(node, work.template.height - 1);
      this.#confirm();
      if (current?.template.previous === work.template.previous) {
        const pauseMs = askedAt + SAME_TIP_MS - clock.monotonic();
        if (pauseMs > 0) await sleep(pauseMs, signal, clock.after);
      }
      return signal.aborted ? undefined : work;
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }

  /** Has the threads search this and nothing else. */
  #begin(work: Work, over: AbortController): void {
    const { log, intervalMs } = this.#parts;
    if (!this.#hasWarned && intervalMs === undefined && work.hashesPerBlock < NO_DIFFICULTY) {
      this.#hasWarned = true;
      log.warn(
        'this network has no difficulty to speak of: blocks come as fast as the node takes them; see --interval',
      );
    }
    if (this.#work !== undefined && this.#work.template.previous !== work.template.previous) this.#tally.tipChanged();
    this.#work = work;
    this.#background.run('a search', this.#search(work, over));
    this.events.emit('working', work);
  }

  async #search(work: Work, over: AbortController): Promise<void> {
    const { solver, clock, log } = this.#parts;
    for (;;) {
      const { bytes: header, timestamp } = headerAt(work, clock.monotonic());
      const result = await solver.solve({ header, target: work.target });
      if (result.kind === 'called-off') return;
      if (result.kind === 'found') return this.#found({ work, timestamp, nonce: result.nonce }, over);
      log.info('all nonces are tried; going on with a later timestamp', { height: work.template.height });
      // A millisecond later there are as many again.
      await sleep(1, over.signal, clock.after);
      if (over.signal.aborted || this.#work !== work) return;
    }
  }

  async #found(solution: Solution, over: AbortController): Promise<void> {
    const isPaced = this.#parts.intervalMs !== undefined;
    const handing = this.#handIn(solution);
    this.#handing = { node: solution.work.node, done: handing.then(() => {}) };
    if (isPaced) over.abort();
    // One that became the tip ends the long poll by itself, sooner than its own answer is back.
    else if ((await handing).kind !== 'accepted') over.abort();
    await handing;
  }

  async #handIn(solution: Solution): Promise<BlockFate> {
    const { log, clock, signal, watch } = this.#parts;
    const { node, template } = solution.work;
    const block = { height: template.height, hash: hashOf(solution.work, solution) };
    log.debug('block found', block);
    this.#tally.found();
    const held = (error: unknown): void => {
      // Where it is for a moment only, or for long: meanwhile others have use for the threads.
      if (reasonOf(error)?.code !== 'peer-quota' && watch.current === node) watch.failed(node, error);
    };
    const fate = await handIn(solution, { clock, signal, held });
    this.#tally.settled(fate.kind, template.reward + template.fees);
    switch (fate.kind) {
      case 'accepted':
        log.info('block accepted', { ...block, transactions: template.transactionCount });
        break;
      case 'side':
        log.warn('block came too late: another one has its place', block);
        break;
      case 'refused':
        log.warn('block refused', { ...block, why: fate.why, node: node.url });
        // What this node has threads search is of no use.
        if (!signal.aborted) watch.failed(node, fate.error);
        break;
      case 'lost':
        log.warn('block lost', { ...block, why: fate.why, node: node.url });
        break;
    }
    return fate;
  }

  /** A paced miner waits for the time of its next block, and until the node has the last one: the next stands on it. */
  async #untilDue(node: MinedNode, left: AbortSignal): Promise<void> {
    const { intervalMs, clock } = this.#parts;
    if (intervalMs === undefined) return;
    if (this.#handing?.node === node) await settledOrAborted(this.#handing.done, left);
    this.#dueAt ??= clock.monotonic() + intervalMs;
    await sleep(Math.max(0, this.#dueAt - clock.monotonic()), left, clock.after);
    if (!left.aborted) this.#dueAt = Math.max(this.#dueAt, clock.monotonic() - intervalMs) + intervalMs;
  }

  /** A node has just said that this is the latest, or something later is about to be searched. */
  #confirm(): void {
    const { clock, solver, log } = this.#parts;
    this.#cancelExpiry();
    this.#cancelExpiry = clock.after(WORK_LIFE_MS, () => {
      if (!solver.isSearching) return;
      solver.callOff();
      log.warn('work given up: no node has said for a while that it is the latest');
    });
  }
}

/** Settles when the work has, or on abort. */
function settledOrAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      signal.removeEventListener('abort', finish);
      resolve();
    };
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
    else work.then(finish, finish);
  });
}
