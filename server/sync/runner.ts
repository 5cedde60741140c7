import { parseBase64 } from '../../shared/bytes/base64.js';
import { TrestleError } from '../../shared/errors.js';
import { type Block, decodeBlock } from '../../shared/model/block.js';
import type { BlockHash, Wtxid } from '../../shared/model/ids.js';
import { MAX_HEADERS, MAX_RANGE } from '../../shared/rpc/blockSchemas.js';
import type { SyncView } from '../../shared/rpc/infoSchemas.js';
import { MAX_IDS } from '../../shared/rpc/transactionSchemas.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { Mempool } from '../mempool/mempool.js';
import { BULK_TIMEOUT_MS } from '../net/dialer.js';
import type { Peer, Peers } from '../net/peers.js';
import type { Clock, Logger, Random } from '../ports.js';
import type { HeaderRecord } from '../store/layout.js';
import { followLocator, parseHeaders } from './headers.js';
import { locatorHeights } from './locator.js';
import { SyncProgress } from './progress.js';
import type { TransactionFetcher } from './transactionFetcher.js';

/** Rounds of headers in one run: 20 million blocks. A peer that has still more is making them up. */
const MAX_HEADER_ROUNDS = 10_000;

/** What synchronization needs. */
export interface SyncParts {
  readonly chain: Chainstate;
  readonly mempool: Mempool;
  readonly peers: Peers;
  readonly fetcher: TransactionFetcher;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Time between two looks whether there is something to catch up with. */
  readonly intervalMs: number;
}

/**
 * Catches up with peers that have more work: headers first, then the bodies they lead to, then the waiting transactions.
 * Runs when the node starts, on a timer, and when a peer shows more work; one run at a time.
 */
export class SyncRunner {
  readonly #parts: SyncParts;
  readonly #progress: SyncProgress;
  readonly #stop: (() => void)[];
  #running: Promise<void> | undefined;
  #wanted = false;
  readonly #hinted = new Set<Peer>();
  #stopped = false;
  #cancel = (): void => {};
  /** Peers whose waiting transactions have been merged since they connected. */
  readonly #merged = new WeakSet<Peer>();

  constructor(parts: SyncParts) {
    this.#parts = parts;
    this.#progress = new SyncProgress(() => parts.clock.monotonic());
    this.#stop = [parts.peers.events.on('tip', (peer) => this.#onTip(peer))];
  }

  start(): void {
    this.#cancel = this.#parts.clock.after(this.#parts.intervalMs, () => {
      this.request();
      if (!this.#stopped) this.start();
    });
  }

  async close(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    for (const stop of this.#stop) stop();
    await this.#running;
  }

  view(): SyncView {
    const { chain } = this.#parts;
    const [height, bestHeader] = [chain.tip.header.height, chain.bestHeader.header.height];
    return { height, bestHeader, ...this.#progress.view() };
  }

  /**
   * Looks whether there is something to catch up with, now or as soon as the run under way is over. A peer that has
   * shown more than it claimed so far is asked in any case.
   */
  request(peer?: Peer): void {
    this.#wanted = true;
    if (peer !== undefined) this.#hinted.add(peer);
    if (this.#running !== undefined || this.#stopped) return;
    this.#running = this.#runWhileWanted()
      .catch((error: unknown) => this.#parts.log.error('synchronization failed', { error: String(error) }))
      .finally(() => {
        this.#running = undefined;
      });
  }

  #onTip(peer: Peer): void {
    if (peer.tip.work > this.#parts.chain.tip.work || !this.#merged.has(peer)) this.request();
  }

  async #runWhileWanted(): Promise<void> {
    while (this.#wanted && !this.#stopped) {
      this.#wanted = false;
      await this.#run();
    }
  }

  async #run(): Promise<void> {
    const { peers, chain, log } = this.#parts;
    const hinted = new Set(this.#hinted);
    this.#hinted.clear();
    const isAhead = (peer: Peer): boolean => hinted.has(peer) || peer.tip.work > chain.tip.work;
    const ahead = peers.all().filter(isAhead);
    ahead.sort((a, b) => (a.tip.work < b.tip.work ? 1 : a.tip.work > b.tip.work ? -1 : 0));
    for (const peer of ahead) {
      if (this.#stopped) return;
      if (!isAhead(peer)) continue;
      try {
        await this.#catchUp(peer);
      } catch (error) {
        log.info('synchronization with a peer ended early', { peer: peer.url, why: peers.failed(peer, error) });
      }
    }
    await this.#mergeTransactions();
    this.#progress.finish();
  }

  async #catchUp(peer: Peer): Promise<void> {
    this.#progress.enter('headers', peer.url);
    await this.#fetchHeaders(peer);
    this.#progress.enter('blocks', peer.url);
    await this.#fetchBodies(peer);
  }

  async #fetchHeaders(peer: Peer): Promise<void> {
    const { chain } = this.#parts;
    for (let round = 0; round < MAX_HEADER_ROUNDS && !this.#stopped; round++) {
      const best = chain.bestHeader;
      const locator = locatorHeights(best.header.height).map(
        (height) => chain.headers.ancestor(best, height).header.hash,
      );
      const answer = await peer.client.block.headers.query({ locator }, bulk());
      const headers = parseHeaders(answer.headers);
      if (headers === undefined || !followLocator(headers, locator))
        throw lied(peer, 'block.headers: not what was asked for');
      if (headers.length === 0) return;
      const accepted = await chain.submitHeaders(headers);
      if (!accepted.ok) {
        // Ahead of our clock, not wrong: the timer brings us back.
        if (accepted.reject.code === 'header-time-future') return;
        throw new TrestleError(accepted.reject);
      }
      // A branch with less work than ours leads nowhere: asking on from our own best header would return it for ever.
      if (headers.length < MAX_HEADERS || chain.bestHeader.header.hash === best.header.hash) return;
    }
  }

  /** Fetches bodies along the best header's branch, lowest first, a bounded number at a time. */
  async #fetchBodies(peer: Peer): Promise<void> {
    while (!this.#stopped) {
      const window = this.#missing();
      const [first] = window;
      if (first === undefined) return;
      const answer = await peer.client.block.range.query({ from: first.header.hash, count: window.length }, bulk());
      const progressed = await this.#takeBlocks(peer, answer.blocks, window);
      if (progressed === 0) throw lied(peer, 'block.range: other blocks than the ones asked for');
    }
  }

  /** The next headers without bodies on the way to the best header. */
  #missing(): HeaderRecord[] {
    const { headers, bestHeader, tip } = this.#parts.chain;
    if (bestHeader.work <= tip.work) return [];
    const fork = headers.fork(tip, bestHeader).header.height;
    const missing: HeaderRecord[] = [];
    let top = headers.ancestor(bestHeader, Math.min(fork + MAX_RANGE, bestHeader.header.height));
    // A side branch may be long and stored already: look further up until something is missing.
    while (top.body !== null && top.header.hash !== bestHeader.header.hash)
      top = headers.ancestor(bestHeader, Math.min(top.header.height + MAX_RANGE, bestHeader.header.height));
    for (let at = top; at.body === null && missing.length < MAX_RANGE; at = headers.require(at.header.previous))
      missing.push(at);
    return missing.reverse();
  }

  async #takeBlocks(peer: Peer, bodies: readonly string[], window: readonly HeaderRecord[]): Promise<number> {
    const { chain } = this.#parts;
    let taken = 0;
    for (const body of bodies) {
      const expected = window[taken]?.header.hash;
      const block = parseBlock(body);
      // The peer's own chain may have moved on between our questions: what fits is taken, the rest asked for again.
      if (expected === undefined || block?.header.hash !== expected || this.#stopped) break;
      const outcome = await chain.submitBlock(block);
      if (!outcome.ok) throw new TrestleError(outcome.reject);
      this.#progress.gained(block.transactions.length);
      taken += 1;
    }
    if (taken === 0 && !this.#stopped) taken = await this.#takeOne(peer, window[0]?.header.hash);
    return taken;
  }

  /** One block by its hash, for when the peer's active chain is no longer the one we follow. */
  async #takeOne(peer: Peer, hash: BlockHash | undefined): Promise<number> {
    if (hash === undefined) return 0;
    const { raw } = await peer.client.block.raw.query({ block: hash }, bulk());
    const block = parseBlock(raw);
    if (block?.header.hash !== hash) return 0;
    const outcome = await this.#parts.chain.submitBlock(block);
    if (!outcome.ok) throw new TrestleError(outcome.reject);
    this.#progress.gained(block.transactions.length);
    return 1;
  }

  /**
   * Merges the waiting transactions of one peer: of each once it is new, and of one drawn at random now and then, for
   * what an announcement that got lost left out. What waits here stays: it is merged, never replaced.
   */
  async #mergeTransactions(): Promise<void> {
    const { peers, random, log, chain } = this.#parts;
    if (chain.bestHeader.work > chain.tip.work || this.#stopped) return;
    const all = peers.all();
    const fresh = all.filter((peer) => !this.#merged.has(peer));
    const drawn = all[random.below(Math.max(all.length, 1))];
    for (const peer of new Set([...fresh, ...(drawn === undefined ? [] : [drawn])])) {
      if (this.#stopped) return;
      try {
        this.#progress.enter('transactions', peer.url);
        await this.#mergeFrom(peer);
        this.#merged.add(peer);
      } catch (error) {
        log.debug('waiting transactions not merged', { peer: peer.url, why: peers.failed(peer, error) });
      }
    }
  }

  async #mergeFrom(peer: Peer): Promise<void> {
    const { mempool, fetcher } = this.#parts;
    for (let after: Wtxid | undefined; !this.#stopped; ) {
      const { wtxids, more } = await peer.client.transaction.ids.query(after === undefined ? {} : { after });
      const wanted = wtxids.filter((wtxid) => mempool.pool.byWtxid(wtxid) === undefined);
      for (let start = 0; start < wanted.length; start += MAX_IDS)
        await fetcher.fetch(peer, wanted.slice(start, start + MAX_IDS));
      after = wtxids.at(-1);
      if (!more || after === undefined) return;
    }
  }
}

function bulk(): { context: { timeoutMs: number } } {
  return { context: { timeoutMs: BULK_TIMEOUT_MS } };
}

function parseBlock(text: string): Block | undefined {
  const bytes = parseBase64(text);
  const block = bytes === undefined ? undefined : decodeBlock(bytes);
  return block?.ok ? block.value : undefined;
}

function lied({ url }: Peer, detail: string): TrestleError {
  return new TrestleError({ code: 'peer-protocol', url, detail });
}
