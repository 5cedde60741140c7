import type { SyncView } from '../../shared/rpc/infoSchemas.js';
import type { Peer } from '../net/peer.js';
import type { HeaderRecord } from '../store/layout.js';
import { BodySync } from './bodySync.js';
import { HeaderSync } from './headerSync.js';
import { MergePool } from './mergePool.js';
import { SyncProgress } from './progress.js';
import type { SyncParts } from './syncParts.js';

/**
 * Catches up with peers that have more work: headers first, then the bodies they lead to, then the waiting transactions.
 * Runs when the node starts, on a timer, and when a peer shows more work; one run at a time. Nothing of a run is needed
 * to take up the next: headers and blocks that came are stored, and what is missing is worked out anew.
 */
export class SyncRunner {
  readonly #parts: SyncParts;
  readonly #progress: SyncProgress;
  readonly #headers: HeaderSync;
  readonly #bodies: BodySync;
  readonly #pool: MergePool;
  readonly #stop: (() => void)[];
  #running: Promise<void> | undefined;
  #wanted = false;
  readonly #hinted = new Set<Peer>();
  #cancel = (): void => {};

  constructor(parts: SyncParts) {
    this.#parts = parts;
    this.#progress = new SyncProgress(() => parts.clock.monotonic());
    this.#headers = new HeaderSync({ ...parts, onProven: (peer) => this.request(peer) });
    const onBlock = ({ transactions }: { readonly transactions: readonly unknown[] }): void =>
      this.#progress.gained(transactions.length);
    this.#bodies = new BodySync({ ...parts, onBlock });
    this.#pool = new MergePool(parts);
    this.#stop = [parts.peers.events.on('tip', (peer) => this.#onTip(peer))];
  }

  start(): void {
    this.#cancel = this.#parts.clock.after(this.#parts.intervalMs, () => {
      this.request();
      if (!this.#isStopping()) this.start();
    });
  }

  async close(): Promise<void> {
    this.#cancel();
    for (const stop of this.#stop) stop();
    await this.#headers.close();
    await this.#bodies.close();
    await this.#running;
  }

  /** Tells of every step, and of each phase that begins or ends. */
  get progress(): Pick<SyncProgress, 'events'> {
    return this.#progress;
  }

  /**
   * Whether a tip is a step on the way to what is being fetched: old news to others. Only blocks that come by the run
   * itself are, or a peer that shows headers and withholds the bodies would keep us from telling anybody of any block.
   */
  isStep({ header, work }: HeaderRecord): boolean {
    const { target } = this.#bodies;
    return this.#bodies.isFeeding(header.hash) && target !== undefined && target.work > work;
  }

  view(): SyncView {
    const { chain } = this.#parts;
    const { target, peersInUse: peers } = this.#bodies;
    const [height, bestHeader] = [chain.tip.header.height, chain.bestHeader.header.height];
    return this.#progress.view({ height, bestHeader, peers, target: target?.header.height ?? null });
  }

  /**
   * Looks whether there is something to catch up with, now or as soon as the run under way is over. A peer that has
   * shown more than it claimed so far is asked in any case.
   */
  request(peer?: Peer): void {
    this.#wanted = true;
    if (peer !== undefined) this.#hinted.add(peer);
    if (this.#running !== undefined || this.#isStopping()) return;
    this.#running = this.#runWhileWanted()
      .catch((error: unknown) => this.#parts.log.error('synchronization failed', { error: String(error) }))
      .finally(() => {
        this.#progress.finish();
        this.#running = undefined;
      });
  }

  #isStopping(): boolean {
    return this.#parts.signal.aborted;
  }

  #onTip(peer: Peer): void {
    if (peer.tip.work > this.#parts.chain.tip.work || !this.#pool.has(peer)) this.request();
  }

  async #runWhileWanted(): Promise<void> {
    while (this.#wanted && !this.#isStopping()) {
      this.#wanted = false;
      await this.#run();
      this.#progress.finish();
    }
  }

  /** Asks one peer after the other for its headers, as long as any has more to show than we have, and fetches what they lead to. */
  async #run(): Promise<void> {
    const hinted = new Set(this.#hinted);
    this.#hinted.clear();
    const asked = new Set<Peer>();
    const next = (): Peer | undefined => {
      const peer = this.#ahead(hinted, asked);
      if (peer === undefined) return undefined;
      asked.add(peer);
      this.#progress.enter('headers', peer.url);
      return peer;
    };
    while (this.#ahead(hinted, asked) !== undefined && !this.#isStopping()) await this.#catchUp(next);
    await this.#pool.merge((peer) => this.#progress.enter('transactions', peer.url));
  }

  /** The peer with the most work of those that have more than we, or have shown more than they said, and were not asked. */
  #ahead(hinted: ReadonlySet<Peer>, asked: ReadonlySet<Peer>): Peer | undefined {
    const { peers, chain } = this.#parts;
    let best: Peer | undefined;
    for (const peer of peers.all()) {
      if (asked.has(peer) || this.#headers.isBusy(peer)) continue;
      if (!hinted.has(peer) && peer.tip.work <= chain.tip.work) continue;
      if (best === undefined || peer.tip.work > best.tip.work) best = peer;
    }
    return best;
  }

  async #catchUp(next: () => Peer | undefined): Promise<void> {
    const { log } = this.#parts;
    const shown = await this.#headers.follow(next);
    if (!shown.ok) return log.info('no headers to go on with', { why: shown.reject });
    const { peer, record } = shown.value;
    this.#bodies.showed(peer, record);
    this.#progress.enter('blocks', null);
    const fetched = await this.#bodies.fetch(record);
    if (!fetched.ok) log.info('synchronization with a peer ended early', { peer: peer.url, why: fetched.reject });
  }
}
