import { LRUCache } from 'lru-cache';
import { whyOf } from '../../client/failure.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { KnownNode } from '../../shared/rpc/nodeSchemas.js';
import type { TipView } from '../../shared/rpc/views.js';
import { Background } from '../background.js';
import type { Clock, Logger, Random } from '../ports.js';
import type { Greeter } from './greeter.js';
import { groupOf } from './netGroup.js';
import type { Peer } from './peer.js';
import { MAX_ANCHORS, type PeerBook } from './peerBook.js';
import type { Peers } from './peers.js';
import { type PeerUrl, parsePeerUrl } from './peerUrl.js';
import { type Doubts, planRotation, type Situation } from './planRotation.js';

/** How many nodes this one seeks to keep in touch with. */
export const TARGET_PEERS = 8;
/** Dials under way at once. */
const MAX_DIALS = 8;
/** How often a node makes itself known to the directory again, and asks for addresses that it does not need, in rounds. */
const DIRECTORY_ROUNDS = 20;
/** Peers remembered that were of no use when the tip was stale. */
const MAX_DOUBTED = 64;

/** What upkeep needs. */
export interface UpkeepParts {
  readonly genesis: BlockHash;
  /** Where this node can be reached; `null` where it cannot. */
  readonly ownUrl: () => PeerUrl | null;
  readonly peers: Peers;
  readonly book: PeerBook;
  readonly greeter: Greeter;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Directory servers, the last resort. */
  readonly directories: readonly PeerUrl[];
  /** Our own tip. */
  readonly tip: () => TipView;
  /** Time between two rounds. */
  readonly everyMs: number;
  /** When to doubt the peers there are. */
  readonly doubts: Doubts;
  /** Aborts when the node stops. */
  readonly signal: AbortSignal;
}

/**
 * Looks after the peers on a timer: the living are pinged, the dead dropped, the missing replaced, first from the book,
 * then by asking peers whom they know, and the directory last. Bound: `TARGET_PEERS` that this node seeks, and one more
 * while `planRotation` doubts them.
 */
export class Upkeep {
  readonly #parts: UpkeepParts;
  readonly #background: Background;
  readonly #doubted = new LRUCache<PeerUrl, true>({ max: MAX_DOUBTED });
  #cancel = (): void => {};
  #round = 0;
  /** The tip at the last look, and since when it has been that; since when there has been one peer more than usual. */
  #tip: { readonly hash: BlockHash; readonly since: number } | undefined;
  #trialSince: number | undefined;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
    this.#background = new Background(parts.log);
  }

  /** Starts; the first round begins at once. */
  start(): void {
    this.#schedule(0);
  }

  /** Settles once no round is under way. The node's signal has ended its calls before. */
  async close(): Promise<void> {
    this.#cancel();
    await this.#background.settled();
  }

  #isStopping(): boolean {
    return this.#parts.signal.aborted;
  }

  #schedule(ms: number): void {
    if (this.#isStopping()) return;
    this.#cancel = this.#parts.clock.after(ms, () => {
      this.#background.run(
        'upkeep of peers',
        this.#keepUp().finally(() => this.#schedule(this.#parts.everyMs)),
      );
    });
  }

  async #keepUp(): Promise<void> {
    const { peers, book, random, directories } = this.#parts;
    await Promise.all(peers.all().map((peer) => this.#ping(peer)));
    if (this.#round === 0) await this.#dial(book.anchors.slice(0, this.#room()));
    await this.#dialDue();
    if (this.#room() > 0 || this.#round % DIRECTORY_ROUNDS === DIRECTORY_ROUNDS - 1) {
      const known = peers.all();
      const asked = known[random.below(Math.max(known.length, 1))];
      if (asked !== undefined) await this.#learnFrom(asked);
      await this.#dialDue();
    }
    if (peers.all().length === 0 || this.#round % DIRECTORY_ROUNDS === 0) {
      for (const url of directories) await this.#visitDirectory(url);
      await this.#dialDue();
    }
    await this.#rotate();
    this.#rememberAnchors();
    this.#round += 1;
    if (this.#round % DIRECTORY_ROUNDS === 0) peers.forgetRenewals();
  }

  async #ping(peer: Peer): Promise<void> {
    const { peers, genesis } = this.#parts;
    const answer = await peers.ask(peer, (client) => client.node.ping.query());
    if (!answer.ok) return;
    if (answer.value.genesis !== genesis)
      return peers.charge(peer, { code: 'peer-network', genesis: answer.value.genesis, expected: genesis });
    peers.told(peer, answer.value.tip);
  }

  #sought(): Peer[] {
    return this.#parts.peers.all().filter(({ sought }) => sought);
  }

  #room(): number {
    return this.#isStopping() ? 0 : Math.min(TARGET_PEERS - this.#sought().length, MAX_DIALS);
  }

  async #dialDue(): Promise<void> {
    const room = this.#room();
    if (room <= 0) return;
    const { book, peers } = this.#parts;
    const groups = this.#sought().map(({ url }) => groupOf(url));
    await this.#dial(book.due(room, (url) => peers.isTaken(url), { groups }));
  }

  async #dial(urls: readonly PeerUrl[]): Promise<void> {
    await Promise.all(urls.map((url) => this.#parts.peers.connect(url, true)));
  }

  /** Seeks one more peer where the others are in doubt, or parts with one for it. */
  async #rotate(): Promise<void> {
    const { peers, book, tip, clock, doubts } = this.#parts;
    const now = clock.monotonic();
    const { hash, work } = tip();
    if (this.#tip?.hash !== hash) {
      this.#tip = { hash, since: now };
      this.#doubted.clear();
    }
    const sought = this.#sought();
    this.#trialSince = sought.length > TARGET_PEERS ? (this.#trialSince ?? now) : undefined;
    const situation: Situation = {
      sought: sought.map(({ url, tip }) => ({
        url,
        group: groupOf(url),
        isKept: book.isKept(url),
        work: tip.work,
      })),
      target: TARGET_PEERS,
      work,
      tipAgeMs: now - this.#tip.since,
      trialMs: now - (this.#trialSince ?? now),
    };
    const rotation = planRotation(situation, doubts);
    if (rotation.kind === 'leave') {
      const peer = peers.get(rotation.url);
      this.#doubted.set(rotation.url, true);
      if (peer !== undefined) peers.letGo(peer, rotation.why);
    } else if (rotation.kind === 'seek' && !this.#isStopping()) {
      const isOut = (url: PeerUrl): boolean => peers.isTaken(url) || this.#doubted.has(url);
      const groups = situation.sought.map(({ group }) => group);
      await this.#dial(book.due(1, isOut, { groups, isStrict: true }));
    }
  }

  /** Those sought longest are dialled first at the next start: whoever surrounds the node then finds them there. */
  #rememberAnchors(): void {
    const { book } = this.#parts;
    const oldest = this.#sought().flatMap(({ url }) => (book.isKept(url) ? [] : [url]));
    const anchors = [...new Set([...oldest, ...book.anchors])].slice(0, MAX_ANCHORS);
    this.#background.run('saving the list of known nodes', book.anchor(anchors));
  }

  /** Makes this node known to a directory and learns from it. A directory is no peer: it has no chain. */
  async #visitDirectory(url: PeerUrl): Promise<void> {
    try {
      const { client } = await this.#parts.greeter.greet(url);
      const { nodes } = await client.node.list.query();
      this.#learn(nodes, url);
    } catch (error) {
      if (this.#isStopping()) return;
      this.#parts.log.warn('directory not reached', { directory: url, why: whyOf(error) });
    }
  }

  async #learnFrom(peer: Peer): Promise<void> {
    const answer = await this.#parts.peers.ask(peer, (client) => client.node.list.query());
    if (answer.ok) this.#learn(answer.value.nodes, peer.url);
  }

  /** Takes the nodes that another knows into the book, which is a help and not the truth: the node goes on without. */
  #learn(nodes: readonly KnownNode[], source: PeerUrl): void {
    const { book, ownUrl } = this.#parts;
    const urls = nodes.flatMap(({ url }) => parsePeerUrl(url) ?? []).filter((url) => url !== ownUrl());
    this.#background.run('saving the list of known nodes', book.learnAll(urls, groupOf(source)));
  }
}
