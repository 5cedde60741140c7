import { toBase64 } from '../../shared/bytes/base64.js';
import type { Wtxid } from '../../shared/model/ids.js';
import { MAX_IDS } from '../../shared/rpc/transactionSchemas.js';
import type { AcceptedEvent } from '../mempool/events.js';
import type { Peer } from '../net/peer.js';
import { Audience } from './audience.js';
import type { RelayContext } from './relayContext.js';
import { Requests } from './requests.js';

/** How long announcements are gathered while there are many. The first after a quiet while goes out at once. */
const GATHER_MS = 20;
/**
 * How long those wait at the least that do not hear at once, and how much longer by chance: by then most have it from
 * somebody else, and two nodes that tell each other at once tell it in vain.
 */
const REST_MS = 1_000;
const REST_SPREAD_MS = 2_000;
/** Bodies asked of one peer in one call. */
const BATCH = 250;
/** Announcements waiting for one peer. A slow peer misses some and finds them by synchronization. */
const MAX_QUEUED = 20_000;

type Queues = Map<Peer, Set<Wtxid>>;

/** Passes on transactions: names are pushed, in batches, and bodies are pulled, each from one peer at a time. */
export class TransactionRelay {
  readonly #context: RelayContext;
  readonly #audience: Audience<Peer>;
  /** What is announced in the next round, and what waits a little longer. */
  readonly #queues: Queues = new Map();
  readonly #rest: Queues = new Map();
  readonly #requests = new Requests<Wtxid, Peer>();
  readonly #stop: (() => void)[];
  #cancelFlush = (): void => {};
  #cancelRest: (() => void) | undefined;
  /** Whether announcements went out less than `GATHER_MS` ago: then the next wait for their turn. */
  #isBusy = false;

  constructor(context: RelayContext) {
    this.#context = context;
    this.#audience = new Audience(context.random);
    this.#stop = [
      context.mempool.events.on('accepted', (event) => this.#onAccepted(event)),
      // What a block has brought need not be asked of anybody any more.
      context.chain.events.on('connected', ({ block }) => {
        for (const { wtxid } of block.transactions) this.#requests.done(wtxid);
      }),
      context.peers.events.on('dropped', (peer) => this.#onDropped(peer)),
    ];
  }

  close(): void {
    this.#cancelFlush();
    this.#cancelRest?.();
    for (const stop of this.#stop) stop();
  }

  /** A peer has transactions. Answers how many of them are news, and will be asked of it. */
  told(wtxids: readonly Wtxid[], peer: Peer): number {
    const { inventory, relayed } = this.#context;
    let [news, repeated] = [0, 0];
    for (const wtxid of wtxids) {
      inventory.add(peer, wtxid);
      relayed.named(wtxid, peer);
      const isRepeated = this.#hasJustCome(wtxid);
      if (isRepeated) repeated += 1;
      if (relayed.lacks(wtxid) && this.#requests.announced(wtxid, peer) && !isRepeated) news += 1;
    }
    if (news > 0) this.#audience.wasNews(peer);
    else if (repeated > 0) this.#audience.wasRepeated(peer);
    this.#ask();
    return news;
  }

  /** Whether a transaction is being fetched, or has come so lately that nobody who tells of it can have left it for later. */
  #hasJustCome(wtxid: Wtxid): boolean {
    const { mempool, clock } = this.#context;
    const entry = mempool.pool.byWtxid(wtxid);
    return this.#requests.has(wtxid) || (entry !== undefined && clock.now() - entry.firstSeen < REST_MS);
  }

  #onAccepted({ entry, source }: AcceptedEvent): void {
    const { inventory, peers } = this.#context;
    const { wtxid } = entry.transaction;
    this.#requests.done(wtxid);
    const unaware = peers.all().filter((peer) => peer.url !== source && !inventory.has(peer, wtxid));
    const { atOnce, later } = this.#audience.divide(unaware, { isOurs: source === null });
    for (const peer of atOnce) enqueue(this.#queues, peer, wtxid);
    for (const peer of later) enqueue(this.#rest, peer, wtxid);
    this.#announceSoon();
  }

  #announceSoon(): void {
    const { background, clock, random } = this.#context;
    if (this.#rest.size > 0)
      this.#cancelRest ??= clock.after(REST_MS + random.below(REST_SPREAD_MS), () => {
        this.#cancelRest = undefined;
        this.#flush(this.#rest);
      });
    if (this.#isBusy || this.#queues.size === 0) return;
    this.#pause();
    // Whoever submitted is answered first.
    background.run(
      'announcing transactions',
      clock.yield().then(() => this.#flush(this.#queues)),
    );
  }

  /** Gathers what comes from now on; ends when nothing has come for one round. */
  #pause(): void {
    this.#isBusy = true;
    this.#cancelFlush = this.#context.clock.after(GATHER_MS, () => {
      this.#isBusy = false;
      if (this.#queues.size === 0) return;
      this.#pause();
      this.#flush(this.#queues);
    });
  }

  #onDropped(peer: Peer): void {
    this.#queues.delete(peer);
    this.#rest.delete(peer);
    this.#audience.dropped(peer);
    this.#requests.dropped(peer);
    this.#ask();
  }

  #flush(queues: Queues): void {
    const wasAtOnce = queues === this.#queues;
    for (const [peer, queue] of queues) {
      queues.delete(peer);
      this.#context.background.run('announcing transactions', this.#announce(peer, [...queue], wasAtOnce));
    }
  }

  async #announce(peer: Peer, wtxids: readonly Wtxid[], wasAtOnce: boolean): Promise<void> {
    const { signal, inventory, mempool, peers } = this.#context;
    for (let start = 0; start < wtxids.length && !signal.aborted; start += MAX_IDS) {
      // What was confirmed or came from this very peer meanwhile is no news.
      const news = wtxids
        .slice(start, start + MAX_IDS)
        .filter((id) => !inventory.has(peer, id) && mempool.pool.byWtxid(id) !== undefined);
      if (news.length === 0) continue;
      for (const id of news) inventory.add(peer, id);
      if (!peer.reachesUs) await this.#push(peer, news);
      else {
        const told = await peers.ask(peer, (client) => client.transaction.announce.mutate({ wtxids: news }));
        if (!told.ok) return;
        if (told.value.wanted > 0) this.#audience.wasNews(peer);
        else if (wasAtOnce) this.#audience.wasRepeated(peer);
      }
    }
  }

  /** A peer that cannot call us cannot ask for bodies either: it is handed them. */
  async #push(peer: Peer, wtxids: readonly Wtxid[]): Promise<void> {
    const { mempool, signal, peers } = this.#context;
    for (const wtxid of wtxids) {
      const raw = mempool.pool.byWtxid(wtxid)?.transaction.raw;
      if (raw === undefined || signal.aborted) continue;
      const transaction = toBase64(raw);
      await peers.ask(peer, (client) => client.transaction.submit.mutate({ transaction }));
    }
  }

  #ask(): void {
    const { signal, background } = this.#context;
    if (signal.aborted) return;
    for (const { source, items } of this.#requests.next(BATCH))
      background.run('fetching transactions', this.#fetch(source, items));
  }

  async #fetch(peer: Peer, wtxids: readonly Wtxid[]): Promise<void> {
    let came: ReadonlySet<Wtxid> = new Set();
    try {
      const fetched = await this.#context.fetcher.fetch(peer, wtxids);
      if (fetched.ok) came = fetched.value;
    } finally {
      for (const wtxid of wtxids) {
        if (came.has(wtxid)) this.#came(wtxid);
        else this.#requests.failed(wtxid, peer);
      }
    }
    this.#ask();
  }

  /** A body came. Where it waits for its parents, all that named it have them. */
  #came(wtxid: Wtxid): void {
    const others = this.#requests.sourcesOf(wtxid);
    this.#requests.done(wtxid);
    for (const peer of others) this.#context.relayed.named(wtxid, peer);
  }
}

function enqueue(queues: Queues, peer: Peer, wtxid: Wtxid): void {
  const queue = queues.get(peer) ?? new Set();
  queues.set(peer, queue);
  if (queue.size < MAX_QUEUED) queue.add(wtxid);
}
