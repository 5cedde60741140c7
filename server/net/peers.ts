import type { Client } from '../../client/createClient.js';
import { reasonOf } from '../../client/failure.js';
import { Emitter } from '../../shared/emitter.js';
import { TrestleError } from '../../shared/errors.js';
import type { BlockHash } from '../../shared/model/ids.js';
import { PROTOCOL_VERSION, type TipView } from '../../shared/rpc/nodeSchemas.js';
import type { Clock, Logger, Random } from '../ports.js';
import type { Dialer } from './dialer.js';
import { CAPABILITIES, checkGreeting, type OwnNonces, USER_AGENT } from './handshake.js';
import type { PeerBook } from './peerBook.js';
import { type PeerUrl, parsePeerUrl } from './peerUrl.js';

/** How many nodes this one seeks to keep in touch with. */
export const TARGET_PEERS = 8;
/** How many it keeps at most, when others seek it. */
const MAX_PEERS = 32;
/** Dials under way at once. */
const MAX_DIALS = 8;
/** Failed pings in a row after which a peer is dropped. */
const MAX_MISSED = 2;
/** How often a node makes itself known to the directory again, in rounds of upkeep. */
const DIRECTORY_ROUNDS = 20;

/** A node this one has a session with. */
export interface Peer {
  readonly url: PeerUrl;
  readonly client: Client;
  /** What it last said of its chain. */
  tip: TipView;
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
  readonly tip: () => TipView;
  /** Where this node can be reached; `null` where it cannot. */
  readonly ownUrl: () => PeerUrl | null;
  readonly book: PeerBook;
  readonly dialer: Dialer;
  readonly nonces: OwnNonces;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Directory servers, the last resort. */
  readonly directories: readonly PeerUrl[];
  /** Time between two rounds of upkeep. */
  readonly upkeepMs: number;
}

/**
 * The nodes this one is in touch with, looked after on a timer: the living are pinged, the dead dropped, the missing
 * replaced, first from the book, then by asking peers whom they know, and the directory last. Bound: `MAX_PEERS`.
 */
export class Peers {
  readonly events = new Emitter<PeerEvents>();
  readonly #parts: PeersParts;
  readonly #live = new Map<string, Peer>();
  readonly #dialling = new Set<PeerUrl>();
  /** URLs that turned out to be this very node, under whatever name. */
  readonly #ourselves = new Set<PeerUrl>();
  #cancel = (): void => {};
  #stopped = false;
  #round = 0;
  #upkeep: Promise<void> = Promise.resolve();

  constructor(parts: PeersParts) {
    this.#parts = parts;
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

  async close(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#upkeep;
  }

  /** A node that sought us and can be reached: sessions go one way, so we open ours to it. */
  meet(url: PeerUrl): void {
    if (this.#stopped || this.#live.size >= MAX_PEERS) return;
    void this.#dial(url);
  }

  /** Ends a session: the peer broke the contract, or does not know us any more. It may be dialled again. */
  drop(peer: Peer, why: string): void {
    if (this.#live.get(peer.url) !== peer) return;
    this.#live.delete(peer.url);
    this.#parts.log.info('peer dropped', { peer: peer.url, why });
    this.events.emit('dropped', peer);
  }

  /**
   * Notes that a call to a peer failed and says why. A peer that is slow or away is given another chance, one that lost
   * our session is met anew, one that lacks something keeps its place; whoever sends what no rule allows is dropped.
   */
  failed(peer: Peer, error: unknown): string {
    const code = reasonOf(error)?.code;
    const why = code ?? String(error);
    switch (code) {
      case undefined:
      case 'peer-unreachable':
      case 'timeout':
      case 'busy':
        this.#missed(peer, why);
        break;
      case 'unauthorized':
        this.drop(peer, 'it lost our session');
        this.meet(peer.url);
        break;
      case 'not-found':
        break;
      default:
        this.drop(peer, why);
        void this.#note(this.#parts.book.failed(peer.url));
    }
    return why;
  }

  #missed(peer: Peer, why: string): void {
    peer.missed += 1;
    if (peer.missed < MAX_MISSED) return;
    this.drop(peer, why);
    void this.#note(this.#parts.book.failed(peer.url));
  }

  #schedule(ms: number): void {
    if (this.#stopped) return;
    this.#cancel = this.#parts.clock.after(ms, () => {
      this.#upkeep = this.#keepUp()
        .catch((error: unknown) => this.#parts.log.error('upkeep of peers failed', { error: String(error) }))
        .then(() => this.#schedule(this.#parts.upkeepMs));
    });
  }

  async #keepUp(): Promise<void> {
    await Promise.all(this.all().map((peer) => this.#ping(peer)));
    await this.#dialDue();
    if (this.#live.size < TARGET_PEERS) {
      const known = this.all();
      const asked = known[this.#parts.random.below(Math.max(known.length, 1))];
      if (asked !== undefined) await this.#learnFrom(asked.client, asked.url);
      await this.#dialDue();
    }
    if (this.#live.size === 0 || this.#round % DIRECTORY_ROUNDS === 0) {
      for (const url of this.#parts.directories) await this.#visitDirectory(url);
      await this.#dialDue();
    }
    this.#round += 1;
  }

  async #ping(peer: Peer): Promise<void> {
    try {
      const { genesis, tip } = await peer.client.node.ping.query();
      if (genesis !== this.#parts.genesis) return this.drop(peer, 'peer-network');
      peer.missed = 0;
      peer.tip = tip;
      this.events.emit('tip', peer);
    } catch (error) {
      if (!this.#stopped) this.failed(peer, error);
    }
  }

  async #dialDue(): Promise<void> {
    const room = Math.min(TARGET_PEERS - this.#live.size, MAX_DIALS);
    if (room <= 0 || this.#stopped) return;
    await Promise.all(this.#parts.book.due(room, (url) => this.#isTaken(url)).map((url) => this.#dial(url)));
  }

  #isTaken(url: PeerUrl): boolean {
    return this.#live.has(url) || this.#dialling.has(url) || this.#ourselves.has(url) || url === this.#parts.ownUrl();
  }

  async #dial(url: PeerUrl): Promise<void> {
    if (this.#isTaken(url)) return;
    this.#dialling.add(url);
    const { book, log } = this.#parts;
    try {
      const peer = await this.#greet(url);
      if (this.#stopped) return;
      this.#live.set(url, peer);
      await book.succeeded(url);
      log.info('peer connected', { peer: url, height: peer.tip.height });
      this.events.emit('connected', peer);
      this.events.emit('tip', peer);
    } catch (error) {
      if (this.#stopped) return;
      const reason = reasonOf(error);
      if (reason?.code === 'peer-self') {
        this.#ourselves.add(url);
        await this.#note(book.forget(url));
      } else if (reason?.code === 'peer-network') await this.#note(book.forget(url));
      else await this.#note(book.failed(url));
      log.debug('peer not reached', { peer: url, why: reason?.code ?? String(error) });
    } finally {
      this.#dialling.delete(url);
    }
  }

  /** Says hello and opens the session; throws where the other side cannot be a peer. */
  async #greet(url: PeerUrl): Promise<Peer> {
    const { genesis, tip, ownUrl, dialer, nonces } = this.#parts;
    let token: string | undefined;
    const client = dialer.dial(url, { session: () => token });
    const answer = await nonces.during((nonce) =>
      client.node.hello.mutate({
        protocol: PROTOCOL_VERSION,
        capabilities: [...CAPABILITIES],
        genesis,
        url: ownUrl(),
        nonce,
        tip: tip(),
        userAgent: USER_AGENT,
      }),
    );
    const verdict = checkGreeting(answer, genesis);
    if (!verdict.ok) throw new TrestleError(verdict.reject);
    token = answer.session;
    return { url, client, tip: answer.tip, missed: 0 };
  }

  /** Makes this node known to a directory and learns from it. A directory is no peer: it has no chain. */
  async #visitDirectory(url: PeerUrl): Promise<void> {
    try {
      const { client } = await this.#greet(url);
      await this.#learnFrom(client, url);
    } catch (error) {
      if (this.#stopped) return;
      this.#parts.log.warn('directory not reached', { directory: url, why: reasonOf(error)?.code ?? String(error) });
    }
  }

  async #learnFrom(client: Client, from: PeerUrl): Promise<void> {
    try {
      const { nodes } = await client.node.list.query();
      for (const { url } of nodes) {
        const parsed = parsePeerUrl(url);
        if (parsed !== undefined && parsed !== this.#parts.ownUrl()) await this.#parts.book.learn(parsed);
      }
    } catch (error) {
      this.#parts.log.debug('no nodes learnt', { from, why: reasonOf(error)?.code ?? String(error) });
    }
  }

  /** The book is a help, not the truth: where it cannot be written, the node goes on. */
  async #note(written: Promise<void>): Promise<void> {
    await written.catch((error: unknown) => {
      this.#parts.log.error('the list of known nodes could not be saved', { error: String(error) });
    });
  }
}
