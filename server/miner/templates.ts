import { LRUCache } from 'lru-cache';
import { toHex } from '../../shared/bytes/hex.js';
import { TrestleError } from '../../shared/errors.js';
import type { Address } from '../../shared/model/address.js';
import { type Block, sealBlock } from '../../shared/model/block.js';
import { sealHeader } from '../../shared/model/header.js';
import { TEMPLATE_BYTES } from '../../shared/policy/relay.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { Mempool } from '../mempool/mempool.js';
import type { Clock, Random } from '../ports.js';
import { buildTemplate, type Template } from './buildTemplate.js';
import { selectTransactions } from './selectTransactions.js';

/** Templates that miners may still be working on. Each holds its transactions, most of them shared with the pool. */
const KEPT_TEMPLATES = 64;
/** How much more a template must pay before a miner is called off its work on the same tip. */
const BETTER_FEES_PERCENT = 5n;

/** A template under the name by which its solution is submitted. */
export interface NamedTemplate extends Template {
  readonly id: string;
}

/** A miner that waits for something better than the template it works on. */
interface Waiter {
  readonly id: string;
  readonly finish: () => void;
}

/** What templates are made from. */
export interface TemplateParts {
  readonly chain: Chainstate;
  readonly mempool: Mempool;
  readonly clock: Pick<Clock, 'now' | 'after'>;
  readonly random: Random;
}

/** Makes templates, keeps a bounded number of them, and tells waiting miners when there is something better. */
export class Templates {
  readonly #parts: TemplateParts;
  readonly #kept = new LRUCache<string, NamedTemplate>({ max: KEPT_TEMPLATES });
  readonly #waiting = new Set<Waiter>();
  readonly #stop: (() => void)[];

  constructor(parts: TemplateParts) {
    this.#parts = parts;
    const look = (): void => {
      for (const { id, finish } of [...this.#waiting]) if (this.#isBeaten(id)) finish();
    };
    this.#stop = [parts.chain.events.on('settled', look), parts.mempool.events.on('accepted', look)];
  }

  /** A fresh template on the tip. */
  create(address: Address): NamedTemplate {
    const { chain, mempool, clock, random } = this.#parts;
    const template: NamedTemplate = {
      id: toHex(random.bytes(8)),
      ...buildTemplate({
        params: chain.params,
        parent: chain.headers.contextOf(chain.tip),
        entries: selectTransactions(mempool.pool, TEMPLATE_BYTES),
        address,
        now: clock.now(),
        nonce: random.bytes(8),
      }),
    };
    this.#kept.set(template.id, template);
    return template;
  }

  /** Settles when the template is outdated or clearly less worth than a fresh one, when time is up, or on abort. */
  async waitForBetter(id: string, waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#parts;
    if (waitMs === 0 || this.#isBeaten(id)) return;
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        this.#waiting.delete(waiter);
        signal?.removeEventListener('abort', finish);
        cancel();
        resolve();
      };
      const waiter: Waiter = { id, finish };
      const cancel = clock.after(waitMs, finish);
      signal?.addEventListener('abort', finish);
      this.#waiting.add(waiter);
    });
  }

  /** The block that a miner's timestamp and nonce make of a template. Throws `not-found` for one that is gone. */
  solve(id: string, solution: { readonly timestamp: number; readonly nonce: bigint }): Block {
    const template = this.#kept.get(id);
    if (template === undefined) throw new TrestleError({ code: 'not-found', detail: `template ${id}` });
    return sealBlock(sealHeader({ ...template.header, ...solution }), template.transactions);
  }

  close(): void {
    for (const stop of this.#stop) stop();
    for (const { finish } of [...this.#waiting]) finish();
  }

  #isBeaten(id: string): boolean {
    const template = this.#kept.get(id);
    const { chain, mempool } = this.#parts;
    if (template === undefined || template.header.previous !== chain.tip.header.hash) return true;
    // All that waits is an upper bound of what a fresh template could collect, and costs nothing to ask.
    const gain = mempool.pool.fees - template.fees;
    return gain > 0n && gain * 100n > (template.fees + template.reward) * BETTER_FEES_PERCENT;
  }
}
