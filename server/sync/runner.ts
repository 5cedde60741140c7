import { within } from '../../client/links.js';
import type { Block } from '../../shared/model/block.js';
import type { BlockHash, Wtxid } from '../../shared/model/ids.js';
import { MAX_HEADERS } from '../../shared/rpc/blockSchemas.js';
import type { SyncView } from '../../shared/rpc/infoSchemas.js';
import { MAX_IDS } from '../../shared/rpc/transactionSchemas.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import type { Chainstate } from '../chain/chainstate.js';
import { reasonOfMark } from '../chain/headerMarks.js';
import type { Mempool } from '../mempool/mempool.js';
import { BULK_TIMEOUT_MS } from '../net/dialer.js';
import type { Peer } from '../net/peer.js';
import type { Peers } from '../net/peers.js';
import type { Clock, Logger, Random } from '../ports.js';
import type { HeaderRecord } from '../store/layout.js';
import { followLocator, missingBodies, parseBlock, parseHeaders } from './bodies.js';
import { locatorHeights } from './locator.js';
import { SyncProgress } from './progress.js';
import type { TransactionFetcher } from './transactionFetcher.js';

/** Rounds of headers in one run: 20 million blocks. A peer that has still more is making them up. */
const MAX_HEADER_ROUNDS = 10_000;

/** Pages of ids of waiting transactions taken from one peer in one run: more than any mempool of the usual size has. */
const MAX_ID_PAGES = 400;

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
  /** Aborts when the node stops. */
  readonly signal: AbortSignal;
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
  /** What the run under way fetches bodies up to. */
  #target: HeaderRecord | undefined;
  /** The block that the run under way is handing to the chain. */
  #taking: BlockHash | undefined;
  readonly #hinted = new Set<Peer>();
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
      if (!this.#isStopping()) this.start();
    });
  }

  async close(): Promise<void> {
    this.#cancel();
    for (const stop of this.#stop) stop();
    await this.#running;
  }

  /**
   * Whether a tip is a step on the way to what is being fetched: old news to others. Only blocks that come by the run
   * itself are, or a peer that shows headers and withholds the bodies would keep us from telling anybody of any block.
   */
  isStep({ header, work }: HeaderRecord): boolean {
    return header.hash === this.#taking && this.#target !== undefined && this.#target.work > work;
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
    if (peer.tip.work > this.#parts.chain.tip.work || !this.#merged.has(peer)) this.request();
  }

  async #runWhileWanted(): Promise<void> {
    while (this.#wanted && !this.#isStopping()) {
      this.#wanted = false;
      await this.#run();
      this.#progress.finish();
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
      if (this.#isStopping()) return;
      if (!isAhead(peer)) continue;
      const caughtUp = await this.#catchUp(peer).finally(() => {
        this.#target = undefined;
      });
      if (!caughtUp.ok) log.info('synchronization with a peer ended early', { peer: peer.url, why: caughtUp.reject });
    }
    await this.#mergeTransactions();
  }

  async #catchUp(peer: Peer): Promise<Verdict<void, string>> {
    this.#progress.enter('headers', peer.url);
    const shown = await this.#fetchHeaders(peer);
    if (!shown.ok) return shown;
    this.#progress.enter('blocks', peer.url);
    this.#target = shown.value;
    return this.#fetchBodies(peer, shown.value);
  }

  /** Fetches headers until the peer has no more; answers the last one it has shown, on whichever branch. */
  async #fetchHeaders(peer: Peer): Promise<Verdict<HeaderRecord, string>> {
    const { chain, peers } = this.#parts;
    let at = chain.bestHeader;
    let shown = chain.headers.get(peer.tip.hash) ?? chain.tip;
    for (let round = 0; round < MAX_HEADER_ROUNDS && !this.#isStopping(); round++) {
      const locator = locatorHeights(at.header.height).map((height) => chain.headers.ancestor(at, height).header.hash);
      const answer = await peers.ask(peer, (client) =>
        client.block.headers.query({ locator }, within(BULK_TIMEOUT_MS)),
      );
      if (!answer.ok) return answer;
      const headers = parseHeaders(answer.value.headers);
      if (headers === undefined || !followLocator(headers, locator))
        return this.#lied(peer, 'block.headers: not what was asked for');
      if (headers.length === 0) break;
      const accepted = await chain.submitHeaders(headers);
      if (!accepted.ok) {
        peers.charge(peer, accepted.reject);
        // Ahead of our clock, not wrong: what came before it is worth having, and the timer brings us back.
        if (accepted.reject.code === 'header-time-future') break;
        return refuse(accepted.reject.code);
      }
      if (accepted.value.invalid) {
        const reason = reasonOfMark(accepted.value);
        peers.charge(peer, reason);
        return refuse(reason.code);
      }
      // Every answer after the first leads further up, or it is one that came before: that could go on for ever.
      if (round > 0 && accepted.value.header.height <= at.header.height) break;
      // On along the peer's own branch, which may have less work than the best header, whose bodies nobody may have.
      at = accepted.value;
      if (at.work > shown.work) shown = at;
      if (headers.length < MAX_HEADERS) break;
    }
    return accept(shown);
  }

  /** Fetches bodies along the branch that the peer has shown, lowest first, a bounded number at a time. */
  async #fetchBodies(peer: Peer, target: HeaderRecord): Promise<Verdict<void, string>> {
    while (!this.#isStopping()) {
      const window = missingBodies(this.#parts.chain, target);
      const [first] = window;
      if (first === undefined) break;
      const range = { from: first.header.hash, count: window.length };
      const answer = await this.#parts.peers.ask(peer, (client) =>
        client.block.range.query(range, within(BULK_TIMEOUT_MS)),
      );
      if (!answer.ok) return answer;
      const taken = await this.#takeBlocks(peer, answer.value.blocks, window);
      if (!taken.ok) return taken;
      // The peer's own chain may have moved on between our questions: then the block is asked for by its hash alone.
      const single = taken.value > 0 ? taken : await this.#takeOne(peer, first.header.hash);
      if (!single.ok) return single;
    }
    return accept(undefined);
  }

  /** Takes the bodies that are the ones wanted next; answers how many. */
  async #takeBlocks(
    peer: Peer,
    bodies: readonly string[],
    window: readonly HeaderRecord[],
  ): Promise<Verdict<number, string>> {
    let taken = 0;
    for (const body of bodies) {
      const expected = window[taken]?.header.hash;
      const block = parseBlock(body);
      if (expected === undefined || block?.header.hash !== expected || this.#isStopping()) break;
      const outcome = await this.#take(peer, block);
      if (!outcome.ok) return outcome;
      taken += 1;
    }
    return accept(taken);
  }

  async #takeOne(peer: Peer, hash: BlockHash): Promise<Verdict<void, string>> {
    const answer = await this.#parts.peers.ask(peer, (client) =>
      client.block.raw.query({ block: hash }, within(BULK_TIMEOUT_MS)),
    );
    if (!answer.ok) return answer;
    const block = parseBlock(answer.value.raw);
    if (block?.header.hash !== hash) return this.#lied(peer, 'block.raw: another block than the one asked for');
    return this.#take(peer, block);
  }

  async #take(peer: Peer, block: Block): Promise<Verdict<void, string>> {
    this.#taking = block.header.hash;
    const outcome = await this.#parts.chain.submitBlock(block).finally(() => {
      this.#taking = undefined;
    });
    if (!outcome.ok) {
      this.#parts.peers.charge(peer, outcome.reject);
      return refuse(outcome.reject.code);
    }
    this.#progress.gained(block.transactions.length);
    return accept(undefined);
  }

  /**
   * Merges the waiting transactions of one peer: of each once it is new, and of one drawn at random now and then, for
   * what an announcement that got lost left out. What waits here stays: it is merged, never replaced.
   */
  async #mergeTransactions(): Promise<void> {
    const { peers, random, log } = this.#parts;
    const all = peers.all();
    const fresh = all.filter((peer) => !this.#merged.has(peer));
    const drawn = all[random.below(Math.max(all.length, 1))];
    for (const peer of new Set([...fresh, ...(drawn === undefined ? [] : [drawn])])) {
      if (this.#isStopping()) return;
      this.#progress.enter('transactions', peer.url);
      const merged = await this.#mergeFrom(peer);
      if (merged.ok) this.#merged.add(peer);
      else log.debug('waiting transactions not merged', { peer: peer.url, why: merged.reject });
    }
  }

  async #mergeFrom(peer: Peer): Promise<Verdict<void, string>> {
    const { mempool, fetcher, peers } = this.#parts;
    let cursor: Wtxid | undefined;
    for (let page = 0; page < MAX_ID_PAGES && !this.#isStopping(); page++) {
      const answer = await peers.ask(peer, (client) => client.transaction.ids.query({ cursor }));
      if (!answer.ok) return answer;
      const { items, next } = answer.value;
      const wanted = items.filter((wtxid) => mempool.pool.byWtxid(wtxid) === undefined);
      for (let start = 0; start < wanted.length; start += MAX_IDS) {
        const fetched = await fetcher.fetch(peer, wanted.slice(start, start + MAX_IDS));
        if (!fetched.ok) return fetched;
      }
      if (next === null) break;
      // A page that names another is full and ends with its name: a peer must not keep us turning empty pages.
      if (items.length < MAX_IDS || items.at(-1) !== next || (cursor !== undefined && next <= cursor))
        return this.#lied(peer, 'transaction.ids: pages out of order');
      cursor = next;
    }
    return accept(undefined);
  }

  #lied(peer: Peer, detail: string): Verdict<never, string> {
    this.#parts.peers.lied(peer, detail);
    return refuse('peer-protocol');
  }
}
