import type { TxReject } from '../../shared/consensus/reject.js';
import { Emitter } from '../../shared/emitter.js';
import type { TxId, Wtxid } from '../../shared/model/ids.js';
import { inputsOf, isTransfer, type Transaction, type TransferBody } from '../../shared/model/transaction.js';
import type { PoolReject } from '../../shared/policy/reject.js';
import type { Verdict } from '../../shared/verdict.js';
import { Background } from '../background.js';
import type { Chainstate } from '../chain/chainstate.js';
import type { BlockEvent } from '../chain/events.js';
import type { Mempool } from '../mempool/mempool.js';
import { missingParents } from '../mempool/missingParents.js';
import type { PoolEntry } from '../mempool/pool.js';
import { type Orphan, ROOM_LIMITS, WaitingRoom } from '../mempool/waitingRoom.js';
import type { Peer } from '../net/peer.js';
import type { Peers } from '../net/peers.js';
import type { Clock, Logger } from '../ports.js';
import { isAboutFee, PoorParents, type Sent, type Trial } from './poorParents.js';
import { RecentlyDecided } from './recentlyDecided.js';
import { Turns } from './turns.js';

/** How long those that waited may hold the event loop once their parents are there, before others get a turn. */
const SLICE_MS = 8;
/** Children with which a parent that pays too little is tried. */
const MAX_TRIES = 3;

type Reject = TxReject | PoolReject;

/** What taking in relayed transactions needs. */
export interface RelayedTransactionsParts {
  readonly chain: Pick<Chainstate, 'events' | 'store'>;
  readonly mempool: Pick<Mempool, 'events' | 'pool' | 'submit' | 'submitPackage'>;
  readonly peers: Pick<Peers, 'events' | 'get' | 'brought' | 'charge'>;
  readonly clock: Pick<Clock, 'monotonic' | 'yield'>;
  readonly log: Logger;
  /** Aborts when the node stops. */
  readonly signal: AbortSignal;
}

/**
 * What became of a transaction that a peer handed over. `forged`: its signatures may be the reason, which says nothing of
 * others of the same txid.
 */
export type Fate = 'taken' | 'waits' | 'refused' | 'forged';

/** What others learn. */
export interface RelayedEvents {
  /** Transactions that are waited for here, and a peer that has what waits. */
  missing: { readonly parents: readonly TxId[]; readonly peer: Peer };
}

/**
 * Takes in what peers hand over. A transaction whose parents are unknown waits for them, and is submitted once they are
 * there: as its sender's own, who answers for it. Owner of the waiting room and of what was decided lately.
 */
export class RelayedTransactions {
  readonly events = new Emitter<RelayedEvents>();
  readonly #parts: RelayedTransactionsParts;
  readonly #room = new WaitingRoom<Peer>();
  readonly #decided: RecentlyDecided;
  readonly #poor: PoorParents;
  /** Those whose parents have come. */
  readonly #ready = new Turns<Peer, Wtxid>();
  /** Those that are being judged. */
  readonly #inHand = new Set<TxId>();
  readonly #background: Background;
  readonly #stop: (() => void)[];
  #isResolving = false;

  constructor(parts: RelayedTransactionsParts) {
    const { chain, mempool, peers, clock, log } = parts;
    this.#parts = parts;
    this.#decided = new RecentlyDecided(chain);
    this.#poor = new PoorParents(parts);
    this.#background = new Background(log);
    this.#stop = [
      mempool.events.on('accepted', ({ entry: { transaction } }) => {
        this.#room.remove(transaction.wtxid);
        this.#came(transaction.txid);
      }),
      chain.events.on('connected', (event) => this.#onConnected(event)),
      chain.events.on('settled', () => this.#room.expire(clock.monotonic())),
      peers.events.on('dropped', (peer) => this.#room.dropped(peer)),
    ];
  }

  /** Ends taking in what waited; settles once what is under way has ended. */
  async close(): Promise<void> {
    for (const stop of this.#stop) stop();
    this.#decided.close();
    await this.#background.settled();
  }

  /** How many wait for their parents. */
  get orphans(): number {
    return this.#room.count;
  }

  /** Whether a transaction is worth fetching: it is not here, and was neither confirmed nor refused lately. */
  lacks(wtxid: Wtxid): boolean {
    const isHere = this.#parts.mempool.pool.byWtxid(wtxid) !== undefined || this.#room.get(wtxid) !== undefined;
    return !isHere && !this.#decided.has(wtxid);
  }

  /** Whether something waits for a transaction that is worth asking for by its txid. */
  seeks(txid: TxId): boolean {
    const { chain, mempool } = this.#parts;
    const depth = this.#room.depthOf(txid);
    if (depth === 0 || depth > ROOM_LIMITS.depth || this.#room.holds(txid) || this.#inHand.has(txid)) return false;
    if (mempool.pool.get(txid) !== undefined || chain.store.place(txid) !== undefined) return false;
    return !this.#decided.hasBody(txid);
  }

  /** A peer has a transaction. Where that waits for its parents, the peer has those, too. */
  named(wtxid: Wtxid, peer: Peer): void {
    if (this.#isLive(peer) && this.#room.named(wtxid, peer)) this.#seek(wtxid, [peer]);
  }

  /** Judges a transaction that a peer named and handed over, and does with it as is due. Throws where this machine fails. */
  take(transaction: Transaction, sender: Peer): Promise<Fate> {
    return this.#take(transaction, sender, 0);
  }

  /** The same for one that was asked for by its txid, because others wait for it. */
  takeParent(transaction: Transaction, sender: Peer): Promise<Fate> {
    return this.#take(transaction, sender, this.#room.depthOf(transaction.txid));
  }

  async #take(transaction: Transaction, sender: Peer, depth: number): Promise<Fate> {
    this.#inHand.add(transaction.txid);
    const verdict = await this.#submit(transaction, sender).finally(() => this.#inHand.delete(transaction.txid));
    if (verdict.ok) {
      this.#parts.peers.brought(sender);
      return 'taken';
    }
    const { reject } = verdict;
    if (reject.code === 'tx-input-missing' && isTransfer(transaction)) {
      const missing = this.#missingOf(transaction);
      if (missing !== undefined) return this.#wait({ transaction, sender, depth }, missing);
    }
    const fate = isAboutFee(reject.code) ? await this.#withChild({ transaction, sender }) : fateOf(reject);
    if (fate !== 'taken') this.#refused({ transaction, sender }, reject);
    return fate;
  }

  async #submit(transaction: Transaction, { url }: Peer): Promise<Verdict<PoolEntry, Reject>> {
    const { mempool } = this.#parts;
    const verdict = await mempool.submit(transaction, url);
    if (verdict.ok || verdict.reject.code !== 'tx-input-missing' || !isTransfer(transaction)) return verdict;
    // Its parents may have come in the very moment.
    return this.#missingOf(transaction)?.size === 0 ? mempool.submit(transaction, url) : verdict;
  }

  #missingOf(transaction: Transaction<TransferBody>): ReadonlySet<TxId> | undefined {
    const { mempool, chain } = this.#parts;
    const isConfirmed = (txid: TxId): boolean => chain.store.place(txid) !== undefined;
    return missingParents(transaction, { pool: mempool.pool, coins: chain.store, isConfirmed });
  }

  async #wait(orphan: Orphan<Peer>, missing: ReadonlySet<TxId>): Promise<Fate> {
    const { wtxid } = orphan.transaction;
    const isLive = this.#isLive(orphan.sender);
    const mayWait = isLive || this.#room.get(wtxid) !== undefined;
    if (!mayWait || !this.#room.add({ ...orphan, missing }, this.#parts.clock.monotonic())) {
      this.#room.remove(wtxid);
      return 'refused';
    }
    if (isLive && orphan.depth === 0) this.#room.named(wtxid, orphan.sender);
    const [only] = missing;
    const parent = missing.size === 1 && only !== undefined ? this.#poor.get(only) : undefined;
    const trial = parent === undefined ? undefined : await this.#try(parent, orphan);
    if (trial === 'taken') return trial;
    this.#seek(wtxid, this.#room.sourcesOf(wtxid));
    return trial === 'poor' ? 'refused' : 'waits';
  }

  /** A parent pays too little: one of those that wait for it may pay for it. Those come first that its own sender has. */
  async #withChild(parent: Sent): Promise<Fate> {
    this.#poor.keep(parent);
    const isOfSender = ({ transaction }: Orphan<Peer>): boolean =>
      this.#room.sourcesOf(transaction.wtxid).includes(parent.sender);
    const children = this.#room
      .childrenOf(parent.transaction.txid)
      .filter(({ transaction }) => this.#room.missingOf(transaction.wtxid).length === 1)
      .reverse();
    const ordered = [...children.filter(isOfSender), ...children.filter((child) => !isOfSender(child))];
    let fate: Fate = 'refused';
    for (const child of ordered.slice(0, MAX_TRIES)) {
      const trial = await this.#try(parent, child);
      if (trial === 'taken') return trial;
      if (trial === 'bad') fate = 'forged';
    }
    return fate;
  }

  async #try(parent: Sent, child: Orphan<Peer>): Promise<Trial> {
    const trial = await this.#poor.try(parent, child);
    const { wtxid } = child.transaction;
    if (trial !== 'poor') return trial;
    this.#decided.refused(wtxid);
    this.#room.remove(wtxid);
    return trial;
  }

  #refused({ transaction, sender }: Sent, reject: Reject): void {
    const { peers, log } = this.#parts;
    const { txid, wtxid } = transaction;
    log.debug('a relayed transaction was refused', { txid, ...reject });
    this.#room.remove(wtxid);
    this.#decided.refused(wtxid);
    peers.charge(sender, reject);
    if (fateOf(reject) === 'refused') {
      // What pays too little by itself is asked for again where another child of it comes.
      if (!isAboutFee(reject.code)) this.#decided.refusedBody(txid);
      return;
    }
    // Whoever waits for it has not seen the right one yet.
    for (const child of this.#room.childrenOf(txid))
      this.#seek(child.transaction.wtxid, this.#room.sourcesOf(child.transaction.wtxid));
  }

  #seek(wtxid: Wtxid, sources: readonly Peer[]): void {
    const parents = this.#room.missingOf(wtxid).filter((txid) => this.seeks(txid));
    if (parents.length === 0) return;
    for (const peer of sources) this.events.emit('missing', { parents, peer });
  }

  #isLive(peer: Peer): boolean {
    return this.#parts.peers.get(peer.url) === peer;
  }

  #onConnected({ block }: BlockEvent): void {
    if (this.#room.count === 0) return;
    for (const transaction of block.transactions) {
      for (const input of inputsOf(transaction)) this.#room.spent(input);
      this.#came(transaction.txid);
    }
  }

  #came(parent: TxId): void {
    for (const wtxid of this.#room.came(parent)) {
      const sender = this.#room.get(wtxid)?.sender;
      if (sender !== undefined) this.#ready.add(wtxid, sender);
    }
    if (this.#isResolving || this.#ready.isEmpty) return;
    this.#isResolving = true;
    this.#background.run('taking in what waited for its parents', this.#resolve());
  }

  /** Takes in those whose parents have come, one after the other: there may be hundreds, and whoever else wants something. */
  async #resolve(): Promise<void> {
    const { clock, signal } = this.#parts;
    let until = Number.NEGATIVE_INFINITY;
    try {
      while (!this.#ready.isEmpty && !signal.aborted) {
        if (clock.monotonic() >= until) {
          await clock.yield();
          until = clock.monotonic() + SLICE_MS;
        }
        const wtxid = this.#ready.next();
        const orphan = wtxid === undefined ? undefined : this.#room.get(wtxid);
        if (orphan !== undefined) await this.#take(orphan.transaction, orphan.sender, orphan.depth);
      }
    } finally {
      this.#isResolving = false;
    }
  }
}

/** Signatures and size are of one form of a transaction; all else is the same under any signatures. */
function fateOf({ code }: Reject): Fate {
  return code.startsWith('tx-signature-') || code === 'tx-too-large' || code === 'pool-known' ? 'forged' : 'refused';
}
