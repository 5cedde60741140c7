import { LRUCache } from 'lru-cache';
import type { Client } from '../../client/createClient.js';
import { reasonOf, whyOf } from '../../client/failure.js';
import { Emitter } from '../../shared/emitter.js';
import type { Reason } from '../../shared/reasons.js';
import type { TipView } from '../../shared/rpc/views.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import { Background } from '../background.js';
import type { Logger } from '../ports.js';
import type { Greeter } from './greeter.js';
import type { Peer, PeerEvents } from './peer.js';
import type { PeerBook } from './peerBook.js';
import type { PeerUrl } from './peerUrl.js';
import { consequenceOf } from './score.js';

/** How many it keeps at most of those that seek it. They take no place of those it seeks itself. */
const MAX_MET = 24;
/** Failed pings in a row after which a peer is dropped. */
const MAX_MISSED = 2;
/** URLs remembered as leading back here. */
const MAX_OURSELVES = 64;

/** What the peers need. */
export interface PeersParts {
  /** Where this node can be reached, and need not be dialled; `null` where it cannot. */
  readonly ownUrl: () => PeerUrl | null;
  readonly book: PeerBook;
  readonly greeter: Greeter;
  readonly log: Logger;
  /** Aborts when the node stops. */
  readonly signal: AbortSignal;
}

/** The nodes this one is in touch with. `Upkeep` looks after them; `MAX_MET` bounds those that sought us. */
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

  constructor(parts: PeersParts) {
    this.#parts = parts;
    this.#background = new Background(parts.log);
  }

  /** All peers there is a session with, the longest known first. */
  all(): Peer[] {
    return [...this.#live.values()];
  }

  get(url: string): Peer | undefined {
    return this.#live.get(url);
  }

  /** Settles once no dial is under way. The node's signal has ended their calls before. */
  async close(): Promise<void> {
    await this.#background.settled();
  }

  /** A node that sought us and can be reached: sessions go one way, so we open ours to it. */
  meet(url: PeerUrl): void {
    const met = this.all().filter(({ sought }) => !sought).length;
    if (this.#isStopping() || met + this.#dialling.size >= MAX_MET) return;
    this.#background.run('meeting a peer', this.connect(url, false));
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

  /** A peer said what its tip is now. */
  told(peer: Peer, tip: TipView): void {
    peer.tip = tip;
    this.events.emit('tip', peer);
  }

  /** A peer has shown a header by which its chain has more work than it said. */
  showed(peer: Peer, tip: TipView): void {
    if (tip.work > peer.tip.work) peer.tip = tip;
  }

  /** Lets peers that lost our session lately lose it once more before they are given up. */
  forgetRenewals(): void {
    this.#renewed.clear();
  }

  /** Parts with a peer that has done nothing wrong, for another. */
  letGo(peer: Peer, why: string): void {
    this.#drop(peer, why);
  }

  #giveUp(peer: Peer, why: string): void {
    this.#drop(peer, why);
    this.#note(this.#parts.book.failed(peer.url, this.#live.size === 0));
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

  /** Whether there is no use in dialling a URL: we have a session there, or are about to, or it leads back here. */
  isTaken(url: PeerUrl): boolean {
    return this.#live.has(url) || this.#dialling.has(url) || this.#ourselves.has(url) || url === this.#parts.ownUrl();
  }

  /** Opens a session with a node, sought by us or met because it sought us; where that fails, the book learns it. */
  async connect(url: PeerUrl, sought: boolean): Promise<void> {
    if (this.isTaken(url)) return;
    this.#dialling.add(url);
    const { book, log } = this.#parts;
    try {
      const peer: Peer = { ...(await this.#parts.greeter.greet(url)), sought, missed: 0 };
      this.#live.set(url, peer);
      // Who sought us has chosen the moment: it is not taken for tried because of that (Heilman et al. 2015).
      this.#note(sought ? book.succeeded(url) : book.confirmed(url));
      log.info('peer connected', { peer: url, height: peer.tip.height });
      this.events.emit('connected', peer);
      this.events.emit('tip', peer);
    } catch (error) {
      if (this.#isStopping()) return;
      const code = reasonOf(error)?.code;
      if (code === 'peer-self') this.#ourselves.set(url, true);
      this.#note(
        code === 'peer-self' || code === 'peer-network' ? book.forget(url) : book.failed(url, this.#live.size === 0),
      );
      log.debug('peer not reached', { peer: url, why: whyOf(error) });
    } finally {
      this.#dialling.delete(url);
    }
  }

  /** The book is a help, not the truth: where it cannot be written, the node goes on. */
  #note(written: Promise<void>): void {
    this.#background.run('saving the list of known nodes', written);
  }
}
