import { LRUCache } from 'lru-cache';
import type { Client } from '../../client/createClient.js';
import { reasonOf, whyOf } from '../../client/failure.js';
import { Emitter } from '../../shared/emitter.js';
import type { Reason } from '../../shared/reasons.js';
import type { TipView } from '../../shared/rpc/views.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import { Background } from '../background.js';
import type { Clock, Logger } from '../ports.js';
import type { Ban, Bans } from './bans.js';
import { banOn, whatToBan } from './banTargets.js';
import type { Greeter } from './greeter.js';
import { type Candidate, whoMakesRoom } from './inbound.js';
import { groupOf } from './netGroup.js';
import type { Peer, PeerEvents } from './peer.js';
import type { PeerBook } from './peerBook.js';
import type { PeerUrl } from './peerUrl.js';
import { type Penalty, penaltyOf, penaltyOfAnswer } from './score.js';
import { LIE_BAN_MS, Scores, type Sentence } from './scores.js';
import type { Sessions } from './sessions.js';

/** How many it keeps at most of those that seek it. They take no place of those it seeks itself. */
const MAX_MET = 24;
/** And of one network group: addresses of one network cost next to nothing. */
const MAX_MET_PER_GROUP = 6;
/** Calls in a row that bring nothing, after which a peer is left: it has gone. */
const MAX_MISSED = 2;
/** URLs remembered as leading back here. */
const MAX_OURSELVES = 64;

/** What the peers need. */
export interface PeersParts {
  /** Where this node can be reached, and need not be dialled; `null` where it cannot. */
  readonly ownUrl: () => PeerUrl | null;
  readonly book: PeerBook;
  readonly greeter: Greeter;
  readonly sessions: Sessions;
  readonly bans: Bans;
  /** Whether many nodes share an address, so that none of them may be banned by it. */
  readonly isShared: (address: string) => boolean;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
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
  readonly #scores = new Scores();
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

  /**
   * A node that sought us and can be reached: sessions go one way, so we open ours to it. Where all places are taken, the
   * one that can best be done without makes room for it, where it may.
   */
  meet(url: PeerUrl, { mayReplace = true } = {}): void {
    if (this.#isStopping() || this.isTaken(url) || !this.#hasPlaceFor(url, mayReplace)) return;
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
      if (!this.#isStopping()) {
        const reason = reasonOf(error);
        this.#punish(peer, penaltyOfAnswer(reason), reason);
      }
      return refuse(whyOf(error));
    }
  }

  /**
   * Draws the consequence of something this peer sent that was refused, or of its silence: the single door to points and
   * bans. A block that came before anybody can have judged its contents is no matter for it (`isBadContents`).
   */
  charge(peer: Peer, reason: Reason | null): void {
    this.#punish(peer, penaltyOf(reason), reason);
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
    if (tip.work <= peer.tip.work) return;
    peer.tip = tip;
    this.brought(peer);
  }

  /** A peer has brought something that was new here and keeps the rules: a reason to keep it where others must go. */
  brought(peer: Peer): void {
    peer.usefulAt = this.#parts.clock.monotonic();
  }

  /** The points against a peer by now. */
  pointsOf(url: string): number {
    return this.#scores.points(url, this.#parts.clock.monotonic());
  }

  /**
   * Leaves whoever is kept out by now, and ends the sessions they have here. The operator's bans and our own come through
   * here alike.
   */
  leaveBanned({ target, why }: Ban): void {
    const { bans, sessions } = this.#parts;
    for (const peer of this.all()) if (banOn(bans, peer.url) !== undefined) this.#drop(peer, `banned: ${why}`);
    sessions.end(({ url, remoteAddress }) => url === target || banOn(bans, url, remoteAddress) !== undefined);
  }

  /** Seeks a session with a node at once: at the operator's word, or because it was sought before. */
  seek(url: PeerUrl): void {
    if (!this.#isStopping()) this.#background.run('seeking a peer', this.connect(url, true));
  }

  /** Leaves a peer at the operator's word. */
  leave(url: PeerUrl): boolean {
    const peer = this.#live.get(url);
    if (peer !== undefined) this.#drop(peer, 'the operator says so');
    return peer !== undefined;
  }

  /** Holds nothing against a peer any more. */
  forgive(url: string): void {
    this.#scores.forgive(url);
  }

  /** Lets peers that lost our session lately lose it once more before they are given up. */
  forgetRenewals(): void {
    this.#renewed.clear();
  }

  #punish(peer: Peer, penalty: Penalty, reason: Reason | null): void {
    const why = reason?.code ?? 'no reason given';
    if (penalty === 'renew') {
      this.#renew(peer, why);
      return;
    }
    // Calls that were under way when it was left fail one after the other, and are charged once.
    if (penalty !== 'fatal' && this.#live.get(peer.url) !== peer) return;
    if (penalty === 'missed') peer.missed += 1;
    const sentence = this.#scores.charge(peer.url, penalty, this.#parts.clock.monotonic());
    const isGone = peer.missed >= MAX_MISSED;
    this.#carryOut(peer, sentence === 'stay' && isGone ? 'leave' : sentence, why);
  }

  #carryOut(peer: Peer, sentence: Sentence, why: string): void {
    if (sentence === 'stay') return;
    this.#giveUp(peer, why);
    if (sentence === 'leave') return;
    const { bans, sessions, isShared } = this.#parts;
    const own = sessions.end(({ url }) => url === peer.url);
    for (const target of whatToBan(peer.url, own, isShared)) this.leaveBanned(bans.ban(target, LIE_BAN_MS, why));
    this.events.emit('banned', { url: peer.url, why });
  }

  #renew(peer: Peer, why: string): void {
    // A peer that loses every session as soon as it has it would have us greet it without end.
    if (this.#renewed.has(peer.url)) {
      this.#giveUp(peer, why);
      return;
    }
    this.#renewed.set(peer.url, true);
    this.#drop(peer, 'it lost our session');
    // It keeps its place: one that we sought is one of those still.
    if (peer.sought) this.seek(peer.url);
    else this.meet(peer.url);
  }

  #hasPlaceFor(newcomer: PeerUrl, mayReplace: boolean): boolean {
    const met = this.all().filter(({ sought }) => !sought);
    const group = groupOf(newcomer);
    if (met.filter(({ url }) => groupOf(url) === group).length >= MAX_MET_PER_GROUP) return false;
    if (met.length + this.#dialling.size < MAX_MET) return true;
    if (!mayReplace) return false;
    const candidates = met.map((item): Candidate<Peer> => {
      const { sinceTick: since, usefulAt } = item;
      return { item, group: groupOf(item.url), since, usefulAt };
    });
    const leaves = met.length < MAX_MET ? undefined : whoMakesRoom(candidates);
    if (leaves !== undefined) this.#drop(leaves, 'another seeks its place');
    return leaves !== undefined;
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

  /** Whether there is no use in dialling a URL: we have a session there, or are about to, it leads back here or is banned. */
  isTaken(url: PeerUrl): boolean {
    const { ownUrl, bans } = this.#parts;
    if (this.#live.has(url) || this.#dialling.has(url) || this.#ourselves.has(url)) return true;
    return url === ownUrl() || banOn(bans, url) !== undefined;
  }

  /** Opens a session with a node, sought by us or met because it sought us; where that fails, the book learns it. */
  async connect(url: PeerUrl, sought: boolean): Promise<void> {
    if (this.isTaken(url)) return;
    this.#dialling.add(url);
    const { book, log, clock } = this.#parts;
    try {
      const peer: Peer = {
        ...(await this.#parts.greeter.greet(url)),
        ...{ sought, missed: 0, usefulAt: null },
        since: clock.now(),
        sinceTick: clock.monotonic(),
      };
      // It may have been banned while it answered.
      if (banOn(this.#parts.bans, url)) return;
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
