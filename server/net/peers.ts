import { LRUCache } from 'lru-cache';
import type { Client } from '../../client/createClient.js';
import { reasonOf, whyOf } from '../../client/failure.js';
import { Emitter } from '../../shared/emitter.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { Reason } from '../../shared/reasons.js';
import type { KnownNode } from '../../shared/rpc/nodeSchemas.js';
import type { TipView } from '../../shared/rpc/views.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import { Background } from '../background.js';
import type { Clock, Logger, Random } from '../ports.js';
import type { Greeted, Greeter } from './greeter.js';
import type { PeerBook } from './peerBook.js';
import { type PeerUrl, parsePeerUrl } from './peerUrl.js';
import { consequenceOf } from './score.js';

/** How many nodes this one seeks to keep in touch with. */
export const TARGET_PEERS = 8;
/** How many it keeps at most of those that seek it. They take no place of those it seeks itself. */
const MAX_MET = 24;
/** Dials under way at once. */
const MAX_DIALS = 8;
/** Failed pings in a row after which a peer is dropped. */
const MAX_MISSED = 2;
/** URLs remembered as leading back here. */
const MAX_OURSELVES = 64;
/** How often a node makes itself known to the directory again, in rounds of upkeep. */
const DIRECTORY_ROUNDS = 20;

/** A node this one has a session with. */
export interface Peer extends Omit<Greeted, 'tip'> {
  /** Whether we sought it; the others sought us. */
  readonly sought: boolean;
  /** What it last said of its chain. */
  tip: TipView;
  /** Calls in a row that brought nothing. */
  missed: number;
}

/** What others learn about peers. */
export interface PeerEvents {
  connected: Peer;
  dropped: Peer;
  /** A peer said something of its tip. */
  tip: Peer;
}

/** What the peers need. */
export interface PeersParts {
  readonly genesis: BlockHash;
  /** Where this node can be reached, and need not be dialled; `null` where it cannot. */
  readonly ownUrl: () => PeerUrl | null;
  readonly book: PeerBook;
  readonly greeter: Greeter;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Directory servers, the last resort. */
  readonly directories: readonly PeerUrl[];
  /** Time between two rounds of upkeep. */
  readonly upkeepMs: number;
  /** Aborts when the node stops. */
  readonly signal: AbortSignal;
}

/**
 * The nodes this one is in touch with, looked after on a timer: the living are pinged, the dead dropped, the missing
 * replaced, first from the book, then by asking peers whom they know, and the directory last. Bounds: `TARGET_PEERS`
 * that it seeks, `MAX_MET` that seek it.
 */
export class Peers {
  readonly events = new Emitter<PeerEvents>();
  readonly #parts: PeersParts;
  readonly #live = new Map<string, Peer>();
  readonly #dialling = new Set<PeerUrl>();
  /** URLs that turned out to be this very node, under whatever name. */
  readonly #ourselves = new LRUCache<PeerUrl, true>({ max: MAX_OURSELVES });
  /** Peers met anew lately, because they had lost our session. */
  readonly #renewed = new LRUCache<PeerUrl, true>({ max: MAX_OURSELVES });
  readonly #background: Background;
  #cancel = (): void => {};
  #round = 0;

  constructor(parts: PeersParts) {
    this.#parts = parts;
    this.#background = new Background(parts.log);
  }

  /** All peers there is a session with. */
  all(): Peer[] {
    return [...this.#live.values()];
  }

  get(url: string): Peer | undefined {
    return this.#live.get(url);
  }

  /** Starts the upkeep; its first round begins at once. */
  start(): void {
    this.#schedule(0);
  }

  /** Settles once no dial and no upkeep is under way. The node's signal has ended their calls before. */
  async close(): Promise<void> {
    this.#cancel();
    await this.#background.settled();
  }

  /** A node that sought us and can be reached: sessions go one way, so we open ours to it. */
  meet(url: PeerUrl): void {
    const met = this.all().filter(({ sought }) => !sought).length;
    if (this.#isStopping() || met + this.#dialling.size >= MAX_MET) return;
    this.#background.run('meeting a peer', this.#dial(url, false));
  }

  /**
   * Calls a peer. Where that fails, the session has been charged with it already, and the caller learns why in a word.
   * Only the call belongs in here: what happens to the answer on this machine is never the peer's fault.
   */
  async ask<T>(peer: Peer, call: (client: Client) => Promise<T>): Promise<Verdict<T, string>> {
    try {
      const answer = await call(peer.client);
      peer.missed = 0;
      return accept(answer);
    } catch (error) {
      if (!this.#isStopping()) this.charge(peer, reasonOf(error));
      return refuse(whyOf(error));
    }
  }

  /** Draws the consequence of a failed call, or of something this peer sent that was refused. */
  charge(peer: Peer, reason: Reason | null): void {
    const why = reason?.code ?? 'no reason given';
    switch (consequenceOf(reason)) {
      case 'none':
        break;
      case 'missed':
        peer.missed += 1;
        if (peer.missed >= MAX_MISSED) this.#giveUp(peer, why);
        break;
      case 'renew':
        // A peer that loses every session as soon as it has it would have us greet it without end.
        if (this.#renewed.has(peer.url)) this.#giveUp(peer, why);
        else {
          this.#renewed.set(peer.url, true);
          this.#drop(peer, 'it lost our session');
          this.meet(peer.url);
        }
        break;
      case 'drop':
        this.#giveUp(peer, why);
    }
  }

  /** The same, for an answer that is not what was asked for. */
  lied(peer: Peer, detail: string): void {
    this.charge(peer, { code: 'peer-protocol', url: peer.url, detail });
  }

  /** A peer has shown a header by which its chain has more work than it said. */
  showed(peer: Peer, tip: TipView): void {
    if (tip.work > peer.tip.work) peer.tip = tip;
  }

  #giveUp(peer: Peer, why: string): void {
    this.#drop(peer, why);
    this.#note(this.#parts.book.failed(peer.url));
  }

  #drop(peer: Peer, why: string): void {
    if (this.#live.get(peer.url) !== peer) return;
    this.#live.delete(peer.url);
    this.#parts.log.info('peer dropped', { peer: peer.url, why });
    this.events.emit('dropped', peer);
  }

  #isStopping(): boolean {
    return this.#parts.signal.aborted;
  }

  #schedule(ms: number): void {
    if (this.#isStopping()) return;
    this.#cancel = this.#parts.clock.after(ms, () => {
      this.#background.run(
        'upkeep of peers',
        this.#keepUp().finally(() => this.#schedule(this.#parts.upkeepMs)),
      );
    });
  }

  async #keepUp(): Promise<void> {
    await Promise.all(this.all().map((peer) => this.#ping(peer)));
    await this.#dialDue();
    if (this.#live.size < TARGET_PEERS) {
      const known = this.all();
      const asked = known[this.#parts.random.below(Math.max(known.length, 1))];
      if (asked !== undefined) await this.#learnFrom(asked);
      await this.#dialDue();
    }
    if (this.#live.size === 0 || this.#round % DIRECTORY_ROUNDS === 0) {
      for (const url of this.#parts.directories) await this.#visitDirectory(url);
      await this.#dialDue();
    }
    this.#round += 1;
    if (this.#round % DIRECTORY_ROUNDS === 0) this.#renewed.clear();
  }

  async #ping(peer: Peer): Promise<void> {
    const answer = await this.ask(peer, (client) => client.node.ping.query());
    if (!answer.ok) return;
    const { genesis, tip } = answer.value;
    if (genesis !== this.#parts.genesis)
      return this.charge(peer, { code: 'peer-network', genesis, expected: this.#parts.genesis });
    peer.tip = tip;
    this.events.emit('tip', peer);
  }

  async #dialDue(): Promise<void> {
    const sought = this.all().filter((peer) => peer.sought).length;
    const room = Math.min(TARGET_PEERS - sought, MAX_DIALS);
    if (room <= 0 || this.#isStopping()) return;
    await Promise.all(this.#parts.book.due(room, (url) => this.#isTaken(url)).map((url) => this.#dial(url, true)));
  }

  #isTaken(url: PeerUrl): boolean {
    return this.#live.has(url) || this.#dialling.has(url) || this.#ourselves.has(url) || url === this.#parts.ownUrl();
  }

  async #dial(url: PeerUrl, sought: boolean): Promise<void> {
    if (this.#isTaken(url)) return;
    this.#dialling.add(url);
    const { book, log } = this.#parts;
    try {
      const peer: Peer = { ...(await this.#parts.greeter.greet(url)), sought, missed: 0 };
      this.#live.set(url, peer);
      this.#note(book.succeeded(url));
      log.info('peer connected', { peer: url, height: peer.tip.height });
      this.events.emit('connected', peer);
      this.events.emit('tip', peer);
    } catch (error) {
      if (this.#isStopping()) return;
      const code = reasonOf(error)?.code;
      if (code === 'peer-self') this.#ourselves.set(url, true);
      this.#note(code === 'peer-self' || code === 'peer-network' ? book.forget(url) : book.failed(url));
      log.debug('peer not reached', { peer: url, why: whyOf(error) });
    } finally {
      this.#dialling.delete(url);
    }
  }

  /** Makes this node known to a directory and learns from it. A directory is no peer: it has no chain. */
  async #visitDirectory(url: PeerUrl): Promise<void> {
    try {
      const { client } = await this.#parts.greeter.greet(url);
      const { nodes } = await client.node.list.query();
      this.#learn(nodes);
    } catch (error) {
      if (this.#isStopping()) return;
      this.#parts.log.warn('directory not reached', { directory: url, why: whyOf(error) });
    }
  }

  async #learnFrom(peer: Peer): Promise<void> {
    const answer = await this.ask(peer, (client) => client.node.list.query());
    if (answer.ok) this.#learn(answer.value.nodes);
  }

  /** Takes the nodes that another knows into the book. */
  #learn(nodes: readonly KnownNode[]): void {
    const { book, ownUrl } = this.#parts;
    for (const { url } of nodes) {
      const parsed = parsePeerUrl(url);
      if (parsed !== undefined && parsed !== ownUrl()) this.#note(book.learn(parsed));
    }
  }

  /** The book is a help, not the truth: where it cannot be written, the node goes on. */
  #note(written: Promise<void>): void {
    this.#background.run('saving the list of known nodes', written);
  }
}
