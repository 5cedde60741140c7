import { whyOf } from '../../client/failure.js';
import type { BlockHash } from '../../shared/model/ids.js';
import type { KnownNode } from '../../shared/rpc/nodeSchemas.js';
import { Background } from '../background.js';
import type { Clock, Logger, Random } from '../ports.js';
import type { Greeter } from './greeter.js';
import type { Peer } from './peer.js';
import type { PeerBook } from './peerBook.js';
import type { Peers } from './peers.js';
import { type PeerUrl, parsePeerUrl } from './peerUrl.js';

/** How many nodes this one seeks to keep in touch with. */
export const TARGET_PEERS = 8;
/** Dials under way at once. */
const MAX_DIALS = 8;
/** How often a node makes itself known to the directory again, in rounds of upkeep. */
const DIRECTORY_ROUNDS = 20;

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
  /** Time between two rounds. */
  readonly everyMs: number;
  /** Aborts when the node stops. */
  readonly signal: AbortSignal;
}

/**
 * Looks after the peers on a timer: the living are pinged, the dead dropped, the missing replaced, first from the book,
 * then by asking peers whom they know, and the directory last. Bound: `TARGET_PEERS` that this node seeks.
 */
export class Upkeep {
  readonly #parts: UpkeepParts;
  readonly #background: Background;
  #cancel = (): void => {};
  #round = 0;

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
    const { peers, random, directories } = this.#parts;
    await Promise.all(peers.all().map((peer) => this.#ping(peer)));
    await this.#dialDue();
    if (peers.all().length < TARGET_PEERS) {
      const known = peers.all();
      const asked = known[random.below(Math.max(known.length, 1))];
      if (asked !== undefined) await this.#learnFrom(asked);
      await this.#dialDue();
    }
    if (peers.all().length === 0 || this.#round % DIRECTORY_ROUNDS === 0) {
      for (const url of directories) await this.#visitDirectory(url);
      await this.#dialDue();
    }
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

  async #dialDue(): Promise<void> {
    const { peers, book } = this.#parts;
    const sought = peers.all().filter((peer) => peer.sought).length;
    const room = Math.min(TARGET_PEERS - sought, MAX_DIALS);
    if (room <= 0 || this.#isStopping()) return;
    const due = book.due(room, (url) => peers.isTaken(url));
    await Promise.all(due.map((url) => peers.connect(url, true)));
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
    const answer = await this.#parts.peers.ask(peer, (client) => client.node.list.query());
    if (answer.ok) this.#learn(answer.value.nodes);
  }

  /** Takes the nodes that another knows into the book, which is a help and not the truth: the node goes on without. */
  #learn(nodes: readonly KnownNode[]): void {
    const { book, ownUrl } = this.#parts;
    for (const { url } of nodes) {
      const parsed = parsePeerUrl(url);
      if (parsed !== undefined && parsed !== ownUrl())
        this.#background.run('saving the list of known nodes', book.learn(parsed));
    }
  }
}
