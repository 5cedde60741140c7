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
import { BlockDraft } from './blockDraft.js';
import { buildTemplate } from './buildTemplate.js';
import { KeptTemplates, type NamedTemplate, type Work } from './keptTemplates.js';
import { LongPolls, type Patience } from './longPolls.js';
import { type Selection, selectChunks } from './selectChunks.js';

/** How much more a template must pay before a miner is called off its work on the same tip. */
const BETTER_FEES_PERCENT = 5n;

/** What templates are made from. */
export interface TemplateParts {
  readonly chain: Chainstate;
  readonly mempool: Mempool;
  readonly clock: Pick<Clock, 'now' | 'after'>;
  readonly random: Random;
}

/** A selection, of which pool in which state it was made, and what has come in since. */
interface Chosen {
  readonly pool: Pool;
  readonly revision: number;
  readonly selection: Selection;
  /** The most by which the fees can have grown. */
  gain: number;
}

/** Makes templates, keeps a bounded number of them, and tells waiting miners when there is something better. */
export class Templates {
  readonly #parts: TemplateParts;
  readonly #kept = new KeptTemplates();
  readonly #draft = new BlockDraft();
  readonly #polls: LongPolls;
  #chosen: Chosen | undefined;
  readonly #stop: (() => void)[];

  constructor(parts: TemplateParts) {
    this.#parts = parts;
    this.#polls = new LongPolls(parts.clock, () => this.#select().fees);
    this.#stop = [
      parts.chain.events.on('settled', ({ tip: { header } }) => {
        this.#kept.tipMoved(header);
        this.#polls.tipMoved(header.hash);
      }),
      parts.mempool.events.on('accepted', ({ entry }) => this.#accepted(entry)),
    ];
  }

  /** A fresh template on the tip, kept for this caller. */
  async create(address: Address, caller: string): Promise<NamedTemplate> {
    const { chain, mempool, clock, random } = this.#parts;
    // Amid a switch of branches, what waits and what is spent belong to different tips.
    await mempool.atRest();
    this.#draft.update(this.#select());
    const template: NamedTemplate = {
      id: toHex(random.bytes(8)),
      ...buildTemplate({
        params: chain.params,
        parent: chain.headers.contextOf(chain.tip),
        draft: this.#draft,
        address,
        now: clock.now(),
        nonce: random.bytes(8),
      }),
    };
    this.#kept.keep(template, caller);
    return template;
  }

  /** Settles when the template is outdated or clearly less worth than a fresh one, when time is up, or on abort. */
  async waitForBetter(work: Work, patience: Patience): Promise<void> {
    const template = this.#kept.get(work);
    if (patience.waitMs === 0 || template === undefined) return;
    const { header, fees, reward } = template;
    const enough = fees + ((fees + reward) * BETTER_FEES_PERCENT) / 100n;
    if (header.previous !== this.#parts.chain.tip.header.hash || this.#select().fees > enough) return;
    await this.#polls.wait({ caller: work.caller, previous: header.previous, enough }, patience);
  }

  /** The block that a miner's timestamp and nonce make of a template. Throws `not-found` for one that is gone. */
  solve(work: Work, solution: { readonly timestamp: number; readonly nonce: bigint }): Block {
    const template = this.#kept.get(work);
    if (template === undefined) throw new TrestleError({ code: 'not-found', detail: `template ${work.id}` });
    return sealBlock(sealHeader({ ...template.header, ...solution }), [...template.transactions]);
  }

  close(): void {
    for (const stop of this.#stop) stop();
    this.#polls.close();
  }

  /** The choice of transactions: the last one, until something comes or goes. */
  #select(): Selection {
    const { pool } = this.#parts.mempool;
    const { revision } = pool;
    if (this.#chosen?.pool !== pool || this.#chosen.revision !== revision)
      this.#chosen = { pool, revision, selection: selectChunks(pool.chunks(), TEMPLATE_BYTES), gain: 0 };
    return this.#chosen.selection;
  }

  #accepted({ fee, size }: PoolEntry): void {
    const chosen = this.#chosen;
    if (chosen === undefined) return;
    // In a full block it takes the place of others: what they would have paid has to be taken off, as much as they are worth.
    chosen.gain += Math.max(0, Number(fee) - chosen.selection.price * size);
    this.#polls.feesMayBe(Number(chosen.selection.fees) + chosen.gain);
  }
}
