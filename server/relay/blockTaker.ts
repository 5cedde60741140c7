import { within } from '../../client/links.js';
import type { BlockReject, HeaderReject } from '../../shared/consensus/reject.js';
import type { Block } from '../../shared/model/block.js';
import type { Header } from '../../shared/model/header.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { Transaction } from '../../shared/model/transaction.js';
import { MAX_MISSING } from '../../shared/rpc/blockSchemas.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import type { PoolEntry } from '../mempool/pool.js';
import type { Peer } from '../net/peer.js';
import { isBadContents } from '../net/score.js';
import type { HeaderRecord } from '../store/layout.js';
import { parseBlock } from '../sync/bodies.js';
import { BlockPlan, type Offer, type Step } from './blockPlan.js';
import { EarlyHeaders } from './earlyHeaders.js';
import { Rebuild } from './rebuild.js';
import type { RelayContext } from './relayContext.js';

/** Announced blocks of one peer that are looked at at once: the chain's queue is for everybody. */
const MAX_TAKING = 4;
/**
 * How long one peer may take to hand over what is missing of a block, or all of it, before the next one is asked. Where
 * nobody is as fast as that, synchronization has more patience.
 */
export const MISSING_LIMIT_MS = 2_000;
export const WHOLE_LIMIT_MS = 5_000;

/** A block that somebody has told us of. */
export interface Told {
  readonly hash: BlockHash;
  readonly previous: BlockHash;
  /** `undefined` where only its name was told. */
  readonly header: Header | undefined;
}

interface Job {
  readonly plan: BlockPlan<Peer>;
  /** Settles when the block is here, or nobody is left to ask. */
  readonly ended: Promise<void>;
}

/** What came of one step: the block is no longer wanted, its short form led nowhere, or the peer was no use. */
type Outcome = 'done' | 'spoiled' | 'failed';

/**
 * Takes blocks that peers announce. A header proves its work before anything is asked or kept for it; then the block is
 * put together from what waits here, the rest is fetched, from one peer at a time, and the chain gets it.
 */
export class BlockTaker {
  readonly #context: RelayContext;
  readonly #jobs = new Map<BlockHash, Job>();
  /** How many announced blocks of each peer are being looked at. */
  readonly #taking = new WeakMap<Peer, number>();
  readonly #early: EarlyHeaders<Offer<Peer>>;
  readonly #stop: () => void;

  constructor(context: RelayContext) {
    this.#context = context;
    this.#early = new EarlyHeaders(context.clock, (header, offer) => this.told(asTold(header), offer));
    this.#stop = context.peers.events.on('dropped', (peer) => {
      for (const { plan } of this.#jobs.values()) plan.dropped(peer);
    });
  }

  close(): void {
    this.#stop();
    this.#early.close();
  }

  /** Whether a block is here, or on its way into the chain. */
  has(hash: BlockHash): boolean {
    const { chain, recent } = this.#context;
    const record = chain.headers.get(hash);
    return (record?.body ?? null) !== null || (!record?.invalid && recent.get(hash) !== undefined);
  }

  /** A peer has a block that is not here. */
  told(told: Told, offer: Offer<Peer>): void {
    const { source: peer } = offer;
    const job = this.#jobs.get(told.hash);
    job?.plan.announced(offer);
    if (job !== undefined) return;
    const taking = this.#taking.get(peer) ?? 0;
    if (taking >= MAX_TAKING || this.#context.signal.aborted || this.has(told.hash)) return;
    this.#taking.set(peer, taking + 1);
    const plan = new BlockPlan(offer);
    const ended = this.#take(told, plan).finally(() => {
      this.#jobs.delete(told.hash);
      this.#taking.set(peer, (this.#taking.get(peer) ?? 1) - 1);
    });
    this.#jobs.set(told.hash, { plan, ended });
    this.#context.background.run('taking an announced block', ended);
  }

  async #take(told: Told, plan: BlockPlan<Peer>): Promise<void> {
    const { signal, log } = this.#context;
    // Blocks come one on the other while the first is still being connected.
    await this.#jobs.get(told.previous)?.ended.catch(() => {});
    const judged = this.#judge(told);
    if (!judged.ok) return this.#refuse(told, plan, judged.reject);
    for (let step = plan.next(); step !== undefined && !signal.aborted; step = plan.next()) {
      const outcome = await (step.kind === 'whole' ? this.#fetch(step, told) : this.#rebuild(step, told));
      if (outcome === 'done') return this.#showed(plan, judged.value);
      if (outcome === 'spoiled') plan.spoiled();
      log.debug('a block did not come', { peer: step.source.url, hash: told.hash, by: step.kind, outcome });
    }
    this.#leaveToSync(plan, judged.value);
  }

  /** Whether a block may be asked for now; the record of its header where that is known. */
  #judge({ header, previous }: Told): Verdict<HeaderRecord | undefined, HeaderReject | BlockReject> {
    const { chain } = this.#context;
    const parent = chain.headers.get(previous);
    const checked = header === undefined ? accept(undefined) : chain.gate.checkAnnounced(header);
    if (!checked.ok) return checked;
    // There is more to catch up with than one block: its parent, or the parent's body, is missing here.
    return parent === undefined || parent.body === null ? refuse({ code: 'header-parent-unknown', previous }) : checked;
  }

  #refuse({ header, hash }: Told, plan: BlockPlan<Peer>, reject: HeaderReject | BlockReject): void {
    const { chain, peers, log } = this.#context;
    const offer = plan.first;
    if (reject.code === 'header-parent-unknown') {
      const checked = header === undefined ? undefined : chain.gate.checkAnnounced(header);
      this.#leaveToSync(plan, checked?.ok ? checked.value : undefined);
      return;
    }
    log.info('an announced header was refused', { peer: offer.source.url, hash, ...reject });
    if (reject.code === 'header-time-future' && header !== undefined)
      this.#early.keep(header, offer, reject.timestamp - reject.latest);
    // Told before it was connected there: its sender may not know yet what we know.
    for (const peer of isBadContents(reject) ? plan.vouchers : plan.sources) peers.charge(peer, reject);
  }

  /** Nobody has handed the block over, or it is not the next one: synchronization finds what there is. */
  #leaveToSync(plan: BlockPlan<Peer>, record: HeaderRecord | undefined): void {
    const { peers, sync } = this.#context;
    this.#showed(plan, record);
    for (const peer of plan.sources) if (peers.get(peer.url) === peer) sync.request(peer);
  }

  /** Notes how much work peers have shown. */
  #showed(plan: BlockPlan<Peer>, record: HeaderRecord | undefined): void {
    if (record === undefined || record.invalid) return;
    const { height, hash } = record.header;
    for (const peer of plan.sources) this.#context.peers.showed(peer, { height, hash, work: record.work });
  }

  async #rebuild({ source, compact }: Step<Peer> & { readonly kind: 'rebuild' }, { hash }: Told): Promise<Outcome> {
    const { mempool, peers } = this.#context;
    const rebuild = new Rebuild(compact, transactionsOf(mempool.pool.entries()));
    const { missing: positions } = rebuild;
    if (positions.length > MAX_MISSING) return 'spoiled';
    if (positions.length > 0) {
      const answer = await peers.ask(source, (client) =>
        client.block.missing.query({ block: hash, positions }, within(MISSING_LIMIT_MS)),
      );
      if (!answer.ok) return 'failed';
      if (!rebuild.fill(answer.value.transactions)) {
        peers.lied(source, 'block.missing: not what was asked for');
        return 'failed';
      }
    }
    return this.#submit(rebuild.block(), { kind: 'rebuild', source });
  }

  async #fetch({ source, isVouched }: Step<Peer> & { readonly kind: 'whole' }, { hash }: Told): Promise<Outcome> {
    const { peers } = this.#context;
    const answer = await peers.ask(source, (client) => client.block.raw.query({ block: hash }, within(WHOLE_LIMIT_MS)));
    if (!answer.ok) return 'failed';
    const block = parseBlock(answer.value.raw);
    if (block?.header.hash === hash) return this.#submit(block, { kind: 'whole', source, isVouched });
    peers.lied(source, 'block.raw: another block than the one asked for');
    return 'failed';
  }

  async #submit(block: Block, step: Came): Promise<Outcome> {
    const { chain, log, peers } = this.#context;
    const outcome = await chain.submitBlock(block);
    if (outcome.ok) {
      peers.brought(step.source);
      return 'done';
    }
    const { reject } = outcome;
    // Two transactions may have one short id: then a wrong one was put in, and nobody has lied.
    if (step.kind === 'rebuild' && isOfBody(reject)) return 'spoiled';
    const { hash } = block.header;
    log.info('a relayed block was refused', { peer: step.source.url, hash, ...reject });
    // Who sent the short form has not connected the block itself. Who sent a body has held it against the header.
    if (step.kind === 'whole' && (step.isVouched || isOfBody(reject))) peers.charge(step.source, reject);
    // A body that is not the header's own may be had elsewhere; a block that breaks a rule breaks it everywhere.
    return chain.headers.get(hash)?.invalid ? 'done' : 'failed';
  }
}

/** The step by which a block came. */
type Came =
  | { readonly kind: 'rebuild'; readonly source: Peer }
  | { readonly kind: 'whole'; readonly source: Peer; readonly isVouched: boolean };

/** Whether it is the body alone that was refused, and the header may have another one. */
function isOfBody({ code }: HeaderReject | BlockReject): boolean {
  return code === 'block-root' || code === 'block-too-large';
}

/** A block that was told of by its header. */
export function asTold(header: Header): Told {
  const { hash, previous } = header;
  return { hash, previous, header };
}

function* transactionsOf(entries: Iterable<PoolEntry>): Generator<Transaction> {
  for (const { transaction } of entries) yield transaction;
}
