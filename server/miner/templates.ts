import { LRUCache } from 'lru-cache';
import { toHex } from '../../shared/bytes/hex.js';
import { TrestleError } from '../../shared/errors.js';
import type { Address } from '../../shared/model/address.js';
import { type Block, sealBlock } from '../../shared/model/block.js';
import { sealHeader } from '../../shared/model/header.js';
import { TEMPLATE_BYTES } from '../../shared/policy/relay.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { Mempool } from '../mempool/mempool.js';
import type { Pool, PoolEntry } from '../mempool/pool.js';
import type { Clock, Random } from '../ports.js';
import { buildTemplate, type Template } from './buildTemplate.js';
import { selectTransactions } from './selectTransactions.js';

/** Templates kept for each caller, and callers: nobody can push out what another one works on by asking often. */
const KEPT_EACH = 16;
const KEPT_CALLERS = 64;
/** How much more a template must pay before a miner is called off its work on the same tip. */
const BETTER_FEES_PERCENT = 5n;

/** A template under the name by which its solution is submitted. */
export interface NamedTemplate extends Template {
  readonly id: string;
}

/** A template, and for whom it was made: where a caller's requests come from. */
export interface Work {
  readonly id: string;
  readonly caller: string;
}

/** A miner that waits for something better than the template it works on. */
interface Waiter {
  readonly work: Work;
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
  readonly #kept = new LRUCache<string, LRUCache<string, NamedTemplate>>({ max: KEPT_CALLERS });
  /** The last choice of transactions: until something comes or goes, it is the next one, too. */
  #chosen: { readonly pool: Pool; readonly revision: number; readonly entries: readonly PoolEntry[] } | undefined;
  readonly #waiting = new Set<Waiter>();
  readonly #stop: (() => void)[];

  constructor(parts: TemplateParts) {
    this.#parts = parts;
    const look = (): void => {
      for (const { work, finish } of [...this.#waiting]) if (this.#isBeaten(work)) finish();
    };
    this.#stop = [parts.chain.events.on('settled', look), parts.mempool.events.on('accepted', look)];
  }

  /** A fresh template on the tip, kept for this caller. */
  async create(address: Address, caller: string): Promise<NamedTemplate> {
    const { chain, mempool, clock, random } = this.#parts;
    // Amid a switch of branches, what waits and what is spent belong to different tips.
    await mempool.atRest();
    const template: NamedTemplate = {
      id: toHex(random.bytes(8)),
      ...buildTemplate({
        params: chain.params,
        parent: chain.headers.contextOf(chain.tip),
        entries: this.#choose(),
        address,
        now: clock.now(),
        nonce: random.bytes(8),
      }),
    };
    const own = this.#kept.get(caller) ?? new LRUCache<string, NamedTemplate>({ max: KEPT_EACH });
    this.#kept.set(caller, own);
    own.set(template.id, template);
    return template;
  }

  /** Settles when the template is outdated or clearly less worth than a fresh one, when time is up, or on abort. */
  async waitForBetter(work: Work, waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#parts;
    if (waitMs === 0 || this.#isBeaten(work)) return;
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        this.#waiting.delete(waiter);
        signal?.removeEventListener('abort', finish);
        cancel();
        resolve();
      };
      const waiter: Waiter = { work, finish };
      const cancel = clock.after(waitMs, finish);
      signal?.addEventListener('abort', finish);
      this.#waiting.add(waiter);
    });
  }

  /** The block that a miner's timestamp and nonce make of a template. Throws `not-found` for one that is gone. */
  solve({ id, caller }: Work, solution: { readonly timestamp: number; readonly nonce: bigint }): Block {
    const template = this.#kept.get(caller)?.get(id);
    if (template === undefined) throw new TrestleError({ code: 'not-found', detail: `template ${id}` });
    return sealBlock(sealHeader({ ...template.header, ...solution }), template.transactions);
  }

  close(): void {
    for (const stop of this.#stop) stop();
    for (const { finish } of [...this.#waiting]) finish();
  }

  #choose(): readonly PoolEntry[] {
    const { pool } = this.#parts.mempool;
    const { revision } = pool;
    if (this.#chosen?.pool !== pool || this.#chosen.revision !== revision)
      this.#chosen = { pool, revision, entries: selectTransactions(pool, TEMPLATE_BYTES) };
    return this.#chosen.entries;
  }

  #isBeaten({ id, caller }: Work): boolean {
    const template = this.#kept.get(caller)?.get(id);
    const { chain, mempool } = this.#parts;
    if (template === undefined || template.header.previous !== chain.tip.header.hash) return true;
    // All that waits is an upper bound of what a fresh template could collect, and costs nothing to ask.
    const gain = mempool.pool.fees - template.fees;
    return gain > 0n && gain * 100n > (template.fees + template.reward) * BETTER_FEES_PERCENT;
  }
}
