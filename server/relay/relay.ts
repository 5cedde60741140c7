import { parseBase64, toBase64 } from '../../shared/bytes/base64.js';
import { decodeBlock } from '../../shared/model/block.js';
import { encodeHeader, type Header } from '../../shared/model/header.js';
import type { BlockHash, Wtxid } from '../../shared/model/ids.js';
import { MAX_IDS } from '../../shared/rpc/transactionSchemas.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { SettledEvent } from '../chain/events.js';
import type { AcceptedEvent, Mempool } from '../mempool/mempool.js';
import { BULK_TIMEOUT_MS } from '../net/dialer.js';
import type { Peer, Peers } from '../net/peers.js';
import type { Clock, Logger } from '../ports.js';
import type { SyncRunner } from '../sync/runner.js';
import type { TransactionFetcher } from '../sync/transactionFetcher.js';
import { Inventory } from './inventory.js';
import { Requests } from './requests.js';

/** How long announcements are gathered before they go out together. */
const GATHER_MS = 20;
/** Bodies asked of one peer in one call. */
const BATCH = 250;
/** Announcements waiting for one peer. A slow peer misses some and finds them by synchronization. */
const MAX_QUEUED = 20_000;

/** What relay needs. */
export interface RelayParts {
  readonly chain: Chainstate;
  readonly mempool: Mempool;
  readonly peers: Peers;
  readonly sync: SyncRunner;
  readonly fetcher: TransactionFetcher;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Passes on what is new, in the background: names are pushed, bodies are pulled. Each body is fetched once, from one peer
 * at a time, and nothing is announced to a peer that is known to have it. Never delays whoever submitted.
 */
export class Relay {
  readonly #parts: RelayParts;
  readonly #inventory = new Inventory();
  readonly #queues = new Map<Peer, Set<Wtxid>>();
  readonly #transactions = new Requests<Wtxid, Peer>();
  readonly #blocks = new Requests<BlockHash, Peer>();
  readonly #work = new Set<Promise<void>>();
  readonly #stop: (() => void)[];
  #cancelFlush: (() => void) | undefined;
  #stopped = false;

  constructor(parts: RelayParts) {
    this.#parts = parts;
    this.#stop = [
      parts.mempool.events.on('accepted', (event) => this.#onAccepted(event)),
      parts.chain.events.on('settled', (event) => this.#onSettled(event)),
      parts.peers.events.on('dropped', (peer) => this.#onDropped(peer)),
    ];
  }

  /** Ends relaying; settles once what is under way has ended. */
  async close(): Promise<void> {
    this.#stopped = true;
    this.#cancelFlush?.();
    for (const stop of this.#stop) stop();
    await Promise.all(this.#work);
  }

  /** A peer announced transactions. Answers how many of them will be asked for. */
  transactionsAnnounced(wtxids: readonly Wtxid[], url: string | null): number {
    const peer = url === null ? undefined : this.#parts.peers.get(url);
    if (peer === undefined) return 0;
    let wanted = 0;
    for (const wtxid of wtxids) {
      this.#inventory.add(peer, wtxid);
      if (this.#parts.mempool.pool.byWtxid(wtxid) !== undefined) continue;
      this.#transactions.announced(wtxid, peer);
      wanted += 1;
    }
    this.#askForTransactions();
    return wanted;
  }

  /** A peer announced a block by its header. Answers whether it was here already. */
  blockAnnounced(header: Header, url: string | null): boolean {
    const { hash } = header;
    const peer = url === null ? undefined : this.#parts.peers.get(url);
    if (peer !== undefined) this.#inventory.add(peer, hash);
    if (this.#parts.chain.headers.get(hash)?.body) return true;
    if (peer !== undefined) {
      this.#blocks.announced(hash, peer);
      this.#background(this.#takeAnnounced(header, peer));
    }
    return false;
  }

  #onAccepted({ entry, source }: AcceptedEvent): void {
    const { wtxid } = entry.transaction;
    this.#transactions.done(wtxid);
    for (const peer of this.#parts.peers.all()) {
      if (peer.url === source || this.#inventory.has(peer, wtxid)) continue;
      const queue = this.#queues.get(peer) ?? new Set();
      this.#queues.set(peer, queue);
      if (queue.size < MAX_QUEUED) queue.add(wtxid);
    }
    this.#cancelFlush ??= this.#parts.clock.after(GATHER_MS, () => {
      this.#cancelFlush = undefined;
      this.#flush();
    });
  }

  #onSettled({ tip }: SettledEvent): void {
    const { chain, peers } = this.#parts;
    this.#blocks.done(tip.header.hash);
    // While far behind, every block is old news to everyone else.
    if (chain.bestHeader.work > tip.work || this.#stopped) return;
    for (const peer of peers.all()) {
      if (!this.#inventory.has(peer, tip.header.hash)) this.#background(this.#announceBlock(peer, tip.header));
    }
  }

  #onDropped(peer: Peer): void {
    this.#queues.delete(peer);
    this.#transactions.dropped(peer);
    this.#blocks.dropped(peer);
    this.#askForTransactions();
  }

  #flush(): void {
    for (const [peer, queue] of this.#queues) {
      this.#queues.delete(peer);
      this.#background(this.#announceTransactions(peer, [...queue]));
    }
  }

  async #announceTransactions(peer: Peer, wtxids: readonly Wtxid[]): Promise<void> {
    for (let start = 0; start < wtxids.length && !this.#stopped; start += MAX_IDS) {
      // What was confirmed or came from this very peer meanwhile is no news.
      const news = wtxids
        .slice(start, start + MAX_IDS)
        .filter((id) => !this.#inventory.has(peer, id) && this.#parts.mempool.pool.byWtxid(id) !== undefined);
      if (news.length === 0) continue;
      for (const id of news) this.#inventory.add(peer, id);
      await this.#tell(peer, () => peer.client.transaction.announce.mutate({ wtxids: news }));
    }
  }

  async #announceBlock(peer: Peer, header: Header): Promise<void> {
    this.#inventory.add(peer, header.hash);
    await this.#tell(peer, () => peer.client.block.announce.mutate({ header: toBase64(encodeHeader(header)) }));
  }

  async #tell(peer: Peer, call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
    } catch (error) {
      if (!this.#stopped) this.#parts.peers.failed(peer, error);
    }
  }

  #askForTransactions(): void {
    if (this.#stopped) return;
    for (const { source, items } of this.#transactions.next(BATCH)) this.#background(this.#fetch(source, items));
  }

  async #fetch(peer: Peer, wtxids: readonly Wtxid[]): Promise<void> {
    let came: ReadonlySet<Wtxid> = new Set();
    try {
      came = await this.#parts.fetcher.fetch(peer, wtxids);
    } catch (error) {
      if (!this.#stopped) this.#parts.peers.failed(peer, error);
    }
    for (const wtxid of wtxids) {
      if (came.has(wtxid)) this.#transactions.done(wtxid);
      else this.#transactions.failed(wtxid, peer);
    }
    this.#askForTransactions();
  }

  /** The header proves its work before anything is fetched for it. */
  async #takeAnnounced(header: Header, peer: Peer): Promise<void> {
    const { chain, sync, log } = this.#parts;
    const accepted = await chain.submitHeaders([header]);
    if (!accepted.ok) {
      this.#blocks.done(header.hash);
      // A parent we do not have: there is more to catch up with than one block.
      if (accepted.reject.code === 'header-parent-unknown') sync.request(peer);
      else log.info('an announced header was refused', { peer: peer.url, hash: header.hash, ...accepted.reject });
      return;
    }
    if (chain.headers.get(header.previous)?.body === null) {
      this.#blocks.done(header.hash);
      return sync.request(peer);
    }
    await this.#askForBlocks();
  }

  async #askForBlocks(): Promise<void> {
    for (let requests = this.#blocks.next(1); requests.length > 0 && !this.#stopped; requests = this.#blocks.next(1))
      await Promise.all(requests.map(({ source, items }) => this.#fetchBlock(source, items[0])));
  }

  async #fetchBlock(peer: Peer, hash: BlockHash | undefined): Promise<void> {
    if (hash === undefined) return;
    const { chain, log } = this.#parts;
    try {
      const answer = await peer.client.block.raw.query({ block: hash }, { context: { timeoutMs: BULK_TIMEOUT_MS } });
      const bytes = parseBase64(answer.raw);
      const block = bytes === undefined ? undefined : decodeBlock(bytes);
      if (!block?.ok || block.value.header.hash !== hash) {
        this.#blocks.failed(hash, peer);
        return this.#parts.peers.drop(peer, 'peer-protocol');
      }
      const outcome = await chain.submitBlock(block.value);
      if (outcome.ok) return this.#blocks.done(hash);
      log.info('a relayed block was refused', { peer: peer.url, hash, ...outcome.reject });
      // A body that is not the header's own may be had elsewhere; a block that breaks a rule breaks it everywhere.
      if (chain.headers.get(hash)?.invalid) this.#blocks.done(hash);
      else this.#blocks.failed(hash, peer);
    } catch (error) {
      this.#blocks.failed(hash, peer);
      if (!this.#stopped) this.#parts.peers.failed(peer, error);
    }
  }

  #background(work: Promise<void>): void {
    const guarded = work.catch((error: unknown) => {
      this.#parts.log.error('relay failed', { error: String(error) });
    });
    this.#work.add(guarded);
    void guarded.finally(() => this.#work.delete(guarded));
  }
}
