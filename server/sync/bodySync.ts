import { within } from '../../client/links.js';
import { TrestleError } from '../../shared/errors.js';
import { type Block, decodeBlock } from '../../shared/model/block.js';
import type { BlockHash } from '../../shared/model/ids.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import { Background } from '../background.js';
import type { Chainstate } from '../chain/chainstate.js';
import { BULK_TIMEOUT_MS } from '../net/dialer.js';
import type { Peer } from '../net/peer.js';
import type { HeaderRecord } from '../store/layout.js';
import { readBodies } from './bodies.js';
import { forkHeight, MissingBodies } from './branch.js';
import { type BodyRequest, type Delivery, DownloadPlan, STALL_MS } from './download.js';
import { Pace } from './pace.js';
import type { SyncParts } from './syncParts.js';

/** How often it is looked whether something is overdue, where nothing happens. */
const LOOK_MS = 200;
/** Blocks handed to the chain before it has done with the first of them: it never waits for one to be decoded. */
const AHEAD = 3;
/** Senders of bodies that are remembered until the chain has connected them. */
const MAX_SENDERS = 4_096;

/** What fetching bodies needs. */
export interface BodySyncParts extends Pick<SyncParts, 'chain' | 'peers' | 'clock' | 'log' | 'signal'> {
  /** Told of each block that came. */
  readonly onBlock: (block: Block) => void;
}

/** One download, towards one header. */
interface Download {
  readonly target: HeaderRecord;
  readonly plan: DownloadPlan<Peer>;
  /** Who sent which body: a block on a side branch is judged when the branch takes over. */
  readonly senders: Map<BlockHash, Peer>;
  /** Blocks that the chain has in hand. */
  readonly feeding: Map<BlockHash, Promise<void>>;
  /** Why it cannot go on. */
  failure?: { readonly why: string } | { readonly error: unknown };
}

/** Fetches the bodies of a branch from all peers that have it, and hands them to the chain in order. */
export class BodySync {
  readonly #parts: BodySyncParts;
  readonly #background: Background;
  /** How fast each peer is, as long as there is a session. */
  readonly #paces = new WeakMap<Peer, Pace>();
  /** What each peer has on its chain, of what is known here: the last header it has shown, and the last tip it told. */
  readonly #shown = new WeakMap<Peer, HeaderRecord>();
  readonly #told = new WeakMap<Peer, HeaderRecord>();
  readonly #stop: (() => void)[];
  #download: Download | undefined;
  #wake = (): void => {};

  constructor(parts: BodySyncParts) {
    this.#parts = parts;
    this.#background = new Background(parts.log);
    this.#stop = [
      parts.peers.events.on('tip', (peer) => this.#offer(peer)),
      parts.peers.events.on('dropped', (peer) => this.#dropped(peer)),
    ];
  }

  /** Settles once nothing is under way. The node's signal has ended the calls before. */
  async close(): Promise<void> {
    for (const stop of this.#stop) stop();
    this.#wake();
    await this.#background.settled();
  }

  /** The header that bodies are fetched up to; `undefined` where none are. */
  get target(): HeaderRecord | undefined {
    return this.#download?.target;
  }

  /** The peers that have something to send. */
  get peersInUse(): readonly string[] {
    return [...(this.#download?.plan.inUse ?? [])].map(({ url }) => url).sort();
  }

  /** Whether the chain has a block in hand because it came by this download. */
  isFeeding(hash: BlockHash): boolean {
    return this.#download?.feeding.has(hash) ?? false;
  }

  /** A peer has shown that it has a header on its chain. */
  showed(peer: Peer, record: HeaderRecord): void {
    this.#shown.set(peer, record);
    this.#offer(peer);
  }

  /** Fetches all bodies up to a header, unless the chain has as much work already. Throws where this machine fails. */
  async fetch(target: HeaderRecord): Promise<Verdict<void, string>> {
    const { chain, peers } = this.#parts;
    if (target.work <= chain.tip.work) return accept(undefined);
    const plan = new DownloadPlan<Peer>();
    const download: Download = { target, plan, senders: new Map(), feeding: new Map() };
    this.#download = download;
    for (const peer of peers.all()) this.#offer(peer);
    try {
      return await this.#run(download);
    } finally {
      await Promise.all(download.feeding.values());
      this.#download = undefined;
    }
  }

  async #run(download: Download): Promise<Verdict<void, string>> {
    const { chain, clock, peers, log, signal } = this.#parts;
    const { target, plan, feeding } = download;
    const missing = new MissingBodies(chain.headers, target, forkHeight(chain.headers, chain.tip, target));
    while (!signal.aborted) {
      const { failure } = download;
      if (failure !== undefined) {
        if ('error' in failure) throw failure.error;
        return refuse(failure.why);
      }
      // What another branch has decided meanwhile is not fetched to its end.
      if (target.work <= chain.tip.work) return accept(undefined);
      while (plan.room > 0 && !missing.isAtEnd)
        plan.extend(missing.next(plan.room).map(({ header: { hash, height } }) => ({ hash, height })));
      if (plan.isEmpty && feeding.size === 0) return accept(undefined);
      this.#feed(download);
      const { ask, stalled } = plan.look(clock.monotonic());
      for (const peer of stalled) {
        log.info('a peer keeps synchronization waiting', { peer: peer.url });
        peers.charge(peer, { code: 'timeout', limitMs: STALL_MS });
      }
      for (const request of ask) this.#background.run('fetching blocks', this.#ask(download, request));
      if (plan.isHopeless && feeding.size === 0) return refuse('nobody sends the blocks');
      await this.#rest();
    }
    return refuse('stopping');
  }

  /** Waits until something happens, or it is time to look for what is overdue. */
  #rest(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after(LOOK_MS, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  #offer(peer: Peer): void {
    const { chain } = this.#parts;
    const tip = chain.headers.get(peer.tip.hash);
    if (tip !== undefined) this.#told.set(peer, tip);
    if (this.#download === undefined) return;
    const { plan, target } = this.#download;
    for (const record of [this.#shown.get(peer), this.#told.get(peer)])
      if (record !== undefined) plan.offer(peer, forkHeight(chain.headers, record, target), this.#paceOf(peer));
    this.#wake();
  }

  #paceOf(peer: Peer): Pace {
    const pace = this.#paces.get(peer) ?? new Pace();
    this.#paces.set(peer, pace);
    return pace;
  }

  #dropped(peer: Peer): void {
    this.#download?.plan.gone(peer);
    this.#wake();
  }

  async #ask({ plan }: Download, request: BodyRequest<Peer>): Promise<void> {
    const { peers, clock } = this.#parts;
    const { source, wants } = request;
    const range = { from: wants[0].hash, count: wants.length };
    const answer = await peers.ask(source, (client) => client.block.range.query(range, within(BULK_TIMEOUT_MS)));
    const bodies = answer.ok
      ? readBodies(
          answer.value.blocks,
          wants.map(({ hash }) => hash),
        )
      : undefined;
    const now = clock.monotonic();
    if (bodies === undefined) plan.failed(request, now);
    else plan.arrived(request, bodies, now);
    if (answer.ok && bodies === undefined) {
      plan.distrust(source);
      peers.lied(source, 'block.range: other blocks than those asked for');
    }
    this.#wake();
  }

  /** Hands the next bodies to the chain, as far as they are here. */
  #feed(download: Download): void {
    const { plan, feeding } = download;
    while (feeding.size < AHEAD && download.failure === undefined) {
      const delivery = plan.take();
      if (delivery === undefined) return;
      const block = decodeBlock(delivery.body);
      if (!block.ok) {
        plan.refused(delivery);
        this.#parts.peers.charge(delivery.source, { code: 'block-malformed', detail: block.detail });
        continue;
      }
      const fed = this.#submit(download, delivery, block.value)
        .catch((error: unknown) => {
          download.failure ??= { error };
        })
        .finally(() => {
          feeding.delete(delivery.hash);
          this.#wake();
        });
      feeding.set(delivery.hash, fed);
    }
  }

  async #submit(download: Download, delivery: Delivery<Peer>, block: Block): Promise<void> {
    const { chain, log, onBlock } = this.#parts;
    const { plan, senders, target } = download;
    const outcome = await this.#judge(block);
    // The block below was refused, or the chain has too much to do: its turn comes again.
    if (outcome === undefined) return plan.putBack(delivery);
    if (outcome.ok) {
      senders.set(delivery.hash, delivery.source);
      const [oldest] = senders.keys();
      if (senders.size > MAX_SENDERS && oldest !== undefined) senders.delete(oldest);
      plan.done(delivery);
      this.#parts.peers.brought(delivery.source);
      return onBlock(block);
    }
    const { reject } = outcome;
    log.info('a fetched body was not taken', { peer: delivery.source.url, hash: delivery.hash, ...reject });
    plan.refused(delivery);
    const isMarked = chain.headers.get(delivery.hash)?.invalid ?? false;
    const culprit = isMarked ? this.#senderOfLowestMarked(download, delivery) : delivery.source;
    if (culprit !== undefined) this.#parts.peers.charge(culprit, reject);
    if (chain.headers.get(target.header.hash)?.invalid) download.failure ??= { why: reject.code };
  }

  /** `undefined` where the chain cannot say yet. */
  async #judge(block: Block): Promise<Awaited<ReturnType<Chainstate['submitBlock']>> | undefined> {
    try {
      const outcome = await this.#parts.chain.submitBlock(block);
      return !outcome.ok && outcome.reject.code === 'header-parent-unknown' ? undefined : outcome;
    } catch (error) {
      if (!(error instanceof TrestleError && error.code === 'busy')) throw error;
      await new Promise<void>((resolve) => void this.#parts.clock.after(LOOK_MS, resolve));
      return undefined;
    }
  }

  /**
   * Who sent the block by which a branch is bad: the lowest that is marked. Where a side branch takes over, that may be
   * another than the block that came last, and other peers sent what stands on it in good faith.
   */
  #senderOfLowestMarked({ senders }: Download, { hash, source }: Delivery<Peer>): Peer | undefined {
    const { headers } = this.#parts.chain;
    let lowest = headers.require(hash);
    for (let below = lowest; below.invalid; below = headers.require(below.header.previous)) lowest = below;
    return lowest.header.hash === hash ? source : senders.get(lowest.header.hash);
  }
}
