import type { Client } from '../../client/createClient.js';
import { whyOf } from '../../client/failure.js';
import { sleep } from '../../client/time.js';
import { fromHex } from '../../shared/bytes/hex.js';
import type { Address } from '../../shared/model/address.js';
import { decodeHeader } from '../../shared/model/header.js';
import { MAX_TEMPLATE_WAIT_MS, type TemplateView } from '../../shared/rpc/blockSchemas.js';
import type { Clock, Logger } from '../ports.js';
import { Solver } from './solver.js';

/** The wait after a failed call before the next try. */
const RETRY_MS = 1_000;

/** What a miner needs. */
export interface MinerParts {
  readonly client: Client;
  /** Whom its coinbases pay. */
  readonly address: Address;
  readonly threads: number;
  /** Time between its blocks, for networks without difficulty; without, it mines as fast as it can. */
  readonly intervalMs: number | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts when the miner stops. */
  readonly signal: AbortSignal;
}

/** Mines at a node: takes templates, searches nonces, submits. It outlives its node's restarts. */
export class Miner {
  readonly #parts: MinerParts;
  readonly #solver: Solver;
  #running: Promise<void> | undefined;

  constructor(parts: MinerParts) {
    this.#parts = parts;
    this.#solver = new Solver(parts.threads);
  }

  start(): void {
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    await this.#solver.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { intervalMs, log, signal, clock } = this.#parts;
    while (!signal.aborted) {
      try {
        await (intervalMs === undefined ? this.#mineOn() : this.#minePaced(intervalMs));
      } catch (error) {
        if (signal.aborted) return;
        log.warn('mining interrupted', { why: whyOf(error) });
        await sleep(RETRY_MS, signal, clock.after);
      }
    }
  }

  /** One block each interval, on whatever the tip is by then. */
  async #minePaced(intervalMs: number): Promise<void> {
    const { client, address, clock, signal } = this.#parts;
    await sleep(intervalMs, signal, clock.after);
    if (signal.aborted) return;
    await this.#search(await client.block.template.query({ address }), signal);
  }

  /** Searches one template after the other, each until it is solved or something better comes up. */
  async #mineOn(): Promise<void> {
    const { client, address, signal } = this.#parts;
    let template = await client.block.template.query({ address });
    while (!signal.aborted) {
      const outdated = new AbortController();
      const better = this.#waitForBetter(template.id, outdated);
      await this.#search(template, outdated.signal);
      // A block of our own outdates the template, too, so this does not wait for long.
      template = (await better) ?? (await client.block.template.query({ address }));
    }
  }

  /** The next template, as soon as there is one worth changing to; the search for the current one is then called off. */
  async #waitForBetter(current: string, outdated: AbortController): Promise<TemplateView | undefined> {
    const { client, address, signal } = this.#parts;
    try {
      return await client.block.template.query({ address, current, waitMs: MAX_TEMPLATE_WAIT_MS }, { signal });
    } catch {
      // Asked for again, and reported, by the caller.
      return undefined;
    } finally {
      outdated.abort();
    }
  }

  /** Searches a template's nonces and hands in the block it finds. */
  async #search(template: TemplateView, signal: AbortSignal): Promise<void> {
    const { client, log } = this.#parts;
    const header = fromHex(template.header);
    const decoded = decodeHeader(header);
    if (!decoded.ok) throw new Error(`the template's header does not decode: ${decoded.detail}`);
    const nonce = await this.#solver.solve({ header, target: fromHex(template.target) }, signal);
    if (nonce === undefined) return;
    const { timestamp } = decoded.value;
    const { hash, height, status } = await client.block.submit.mutate({ template: template.id, timestamp, nonce });
    log.info('block found', { height, hash, status, transactions: template.transactionCount });
  }
}
