import { within } from '../../client/links.js';
import { toBase64 } from '../../shared/bytes/base64.js';
import { encodeHeader, type Header } from '../../shared/model/header.js';
import type { BlockHash, Wtxid } from '../../shared/model/ids.js';
import { MAX_IDS } from '../../shared/rpc/transactionSchemas.js';
import { refuse } from '../../shared/verdict.js';
import { Background } from '../background.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { SettledEvent } from '../chain/events.js';
import { reasonOfMark } from '../chain/headerMarks.js';
import type { AcceptedEvent } from '../mempool/events.js';
import type { Mempool } from '../mempool/mempool.js';
import { BULK_TIMEOUT_MS } from '../net/dialer.js';
import type { Peer } from '../net/peer.js';
import type { Peers } from '../net/peers.js';
import type { Clock, Logger } from '../ports.js';
import { parseBlock } from '../sync/bodies.js';
import type { SyncRunner } from '../sync/runner.js';
import type { TransactionFetcher } from '../sync/transactionFetcher.js';
import { EarlyHeaders } from './earlyHeaders.js';
import { Inventory } from './inventory.js';
import { Requests } from './requests.js';

/** How long announcements are gathered before they go out together. */
const GATHER_MS = 20;
/** Bodies asked of one peer in one call. */
const BATCH = 250;
/** Announcements waiting for one peer. A slow peer misses some and finds them by synchronization. */
const MAX_QUEUED = 20_000;

/** Announced blocks of one peer that are looked at at once: the chain's queue is for everybody. */
const MAX_TAKING = 4;

/** What relay needs. */
export interface RelayParts {
  readonly chain: Chainstate;
  readonly mempool: Mempool;
  readonly peers: Peers;
  readonly sync: SyncRunner;
  readonly fetcher: TransactionFetcher;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts when the node stops. */
  readonly signal: AbortSignal;
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
  /** How many announced blocks of each peer are being looked at. */
  readonly #taking = new WeakMap<Peer, number>();
  readonly #early: EarlyHeaders<Peer>;
  readonly #background: Background;
  readonly #stop: (() => void)[];
  #cancelFlush: (() => void) | undefined;

  constructor(parts: RelayParts) {
    this.#parts = parts;
    this.#background = new Background(parts.log);
    this.#early = new EarlyHeaders(parts.clock, (header, peer) => this.#blockSeen(header, peer));
    this.#stop = [
      parts.mempool.events.on('accepted', (event) => this.#onAccepted(event)),
      parts.chain.events.on('settled', (event) => this.#onSettled(event)),
      parts.peers.events.on('dropped', (peer) => this.#onDropped(peer)),
    ];
  }

  /** Ends relaying; settles once what is under way has ended. */
  async close(): Promise<void> {
    this.#cancelFlush?.();
    this.#early.close();
    for (const stop of this.#stop) stop();
    await this.#background.settled();
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
    if (peer !== undefined && (this.#taking.get(peer) ?? 0) < MAX_TAKING) this.#blockSeen(header, peer);
    return false;
  }

  #isStopping(): boolean {
    return this.#parts.signal.aborted;
  }

  #blockSeen(header: Header, peer: Peer): void {
    this.#taking.set(peer, (this.#taking.get(peer) ?? 0) + 1);
    this.#blocks.announced(header.hash, peer);
    const taken = this.#takeAnnounced(header, peer).finally(() => {
      this.#taking.set(peer, (this.#taking.get(peer) ?? 1) - 1);
    });
    this.#background.run('taking an announced block', taken);
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
    const { peers, sync } = this.#parts;
    this.#blocks.done(tip.header.hash);
    if (sync.isStep(tip) || this.#isStopping()) return;
    for (const peer of peers.all()) {
      if (!this.#inventory.has(peer, tip.header.hash))
        this.#background.run('announcing a block', this.#announceBlock(peer, tip.header));
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
      this.#background.run('announcing transactions', this.#announceTransactions(peer, [...queue]));
    }
  }

  async #announceTransactions(peer: Peer, wtxids: readonly Wtxid[]): Promise<void> {
    for (let start = 0; start < wtxids.length && !this.#isStopping(); start += MAX_IDS) {
      // What was confirmed or came from this very peer meanwhile is no news.
      const news = wtxids
        .slice(start, start + MAX_IDS)
        .filter((id) => !this.#inventory.has(peer, id) && this.#parts.mempool.pool.byWtxid(id) !== undefined);
      if (news.length === 0) continue;
      for (const id of news) this.#inventory.add(peer, id);
      if (!peer.reachesUs) await this.#pushTransactions(peer, news);
      else {
        const told = await this.#parts.peers.ask(peer, (client) =>
          client.transaction.announce.mutate({ wtxids: news }),
        );
        if (!told.ok) return;
      }
    }
  }

  /** A peer that cannot call us cannot ask for bodies either: it is handed them. */
  async #pushTransactions(peer: Peer, wtxids: readonly Wtxid[]): Promise<void> {
    for (const wtxid of wtxids) {
      const raw = this.#parts.mempool.pool.byWtxid(wtxid)?.transaction.raw;
      if (raw === undefined || this.#isStopping()) continue;
      const transaction = toBase64(raw);
      await this.#parts.peers.ask(peer, (client) => client.transaction.submit.mutate({ transaction }));
    }
  }

  async #announceBlock(peer: Peer, header: Header): Promise<void> {
    this.#inventory.add(peer, header.hash);
    if (!peer.reachesUs) {
      const raw = this.#parts.chain.store.rawBlock(header.hash);
      if (raw === undefined) return;
      const block = toBase64(raw);
      await this.#parts.peers.ask(peer, (client) => client.block.submit.mutate({ block }, within(BULK_TIMEOUT_MS)));
      return;
    }
    const encoded = toBase64(encodeHeader(header));
    await this.#parts.peers.ask(peer, (client) => client.block.announce.mutate({ header: encoded }));
  }

  #askForTransactions(): void {
    if (this.#isStopping()) return;
    for (const { source, items } of this.#transactions.next(BATCH))
      this.#background.run('fetching transactions', this.#fetch(source, items));
  }

  async #fetch(peer: Peer, wtxids: readonly Wtxid[]): Promise<void> {
    let came: ReadonlySet<Wtxid> = new Set();
    try {
      const fetched = await this.#parts.fetcher.fetch(peer, wtxids);
      if (fetched.ok) came = fetched.value;
    } finally {
      for (const wtxid of wtxids) {
        if (came.has(wtxid)) this.#transactions.done(wtxid);
        else this.#transactions.failed(wtxid, peer);
      }
    }
    this.#askForTransactions();
  }

  /** The header proves its work before anything is fetched for it. */
  async #takeAnnounced(header: Header, peer: Peer): Promise<void> {
    const { chain, sync, log, peers } = this.#parts;
    const taken = await chain.submitHeaders([header]).catch((error: unknown) => {
      this.#blocks.done(header.hash);
      throw error;
    });
    // A block that was found bad before is not worth fetching again, however often it is announced.
    const accepted = taken.ok && taken.value.invalid ? refuse(reasonOfMark(taken.value)) : taken;
    if (accepted.ok) {
      const { header: shown, work } = accepted.value;
      peers.showed(peer, { height: shown.height, hash: shown.hash, work });
    }
    if (accepted.ok && chain.headers.get(header.previous)?.body !== null) return this.#askForBlocks();
    this.#blocks.done(header.hash);
    // There is more to catch up with than one block: its parent, or the parent's body, is missing here.
    if (accepted.ok || accepted.reject.code === 'header-parent-unknown') return sync.request(peer);
    log.info('an announced header was refused', { peer: peer.url, hash: header.hash, ...accepted.reject });
    if (accepted.reject.code === 'header-time-future')
      this.#early.keep(header, peer, accepted.reject.timestamp - accepted.reject.latest);
    peers.charge(peer, accepted.reject);
  }

  async #askForBlocks(): Promise<void> {
    for (
      let requests = this.#blocks.next(1);
      requests.length > 0 && !this.#isStopping();
      requests = this.#blocks.next(1)
    )
      await Promise.all(requests.map(({ source, items }) => this.#fetchBlocks(source, items)));
  }

  async #fetchBlocks(peer: Peer, hashes: readonly BlockHash[]): Promise<void> {
    for (const hash of hashes) {
      let isSettled = true;
      try {
        isSettled = await this.#fetchBlock(peer, hash);
      } finally {
        // Where this machine failed, asking another peer would not help: synchronization comes back to it.
        if (isSettled) this.#blocks.done(hash);
        else this.#blocks.failed(hash, peer);
      }
    }
  }

  /** Whether nobody else needs to be asked for this block. */
  async #fetchBlock(peer: Peer, hash: BlockHash): Promise<boolean> {
    const { chain, log, peers } = this.#parts;
    const answer = await peers.ask(peer, (client) => client.block.raw.query({ block: hash }, within(BULK_TIMEOUT_MS)));
    if (!answer.ok) return false;
    const block = parseBlock(answer.value.raw);
    if (block?.header.hash !== hash) {
      peers.lied(peer, 'block.raw: another block than the one asked for');
      return false;
    }
    const outcome = await chain.submitBlock(block);
    if (outcome.ok) return true;
    log.info('a relayed block was refused', { peer: peer.url, hash, ...outcome.reject });
    peers.charge(peer, outcome.reject);
    // A body that is not the header's own may be had elsewhere; a block that breaks a rule breaks it everywhere.
    return chain.headers.get(hash)?.invalid ?? false;
  }
}
