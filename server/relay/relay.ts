import type { Block } from '../../shared/model/block.js';
import type { CompactBlock } from '../../shared/model/compactBlock.js';
import type { Header } from '../../shared/model/header.js';
import type { BlockHash, Wtxid } from '../../shared/model/ids.js';
import { Background } from '../background.js';
import type { Peer } from '../net/peer.js';
import { Acquaintance } from './acquaintance.js';
import { BlockAnnouncer } from './blockAnnouncer.js';
import { asTold, BlockTaker, type Told } from './blockTaker.js';
import { Follower } from './follower.js';
import { Inventory } from './inventory.js';
import { ParentSeeker } from './parentSeeker.js';
import { RecentBlocks } from './recentBlocks.js';
import type { RelayContext, RelayParts } from './relayContext.js';
import { TransactionRelay } from './transactionRelay.js';

/**
 * Passes on what is new, in the background: names are pushed, bodies are pulled. Each body is fetched once, from one peer
 * at a time, and nothing is announced to a peer that is known to have it. Never delays whoever submitted.
 */
export class Relay {
  readonly #context: RelayContext;
  readonly #acquaintance: Acquaintance;
  readonly #announcer: BlockAnnouncer;
  readonly #taker: BlockTaker;
  readonly #transactions: TransactionRelay;
  readonly #parents: ParentSeeker;
  readonly #follower: Follower;

  constructor(parts: RelayParts) {
    const background = new Background(parts.log);
    this.#context = { ...parts, background, inventory: new Inventory(), recent: new RecentBlocks() };
    this.#acquaintance = new Acquaintance(parts.peers, parts.clock);
    this.#announcer = new BlockAnnouncer(this.#context);
    this.#taker = new BlockTaker(this.#context);
    this.#transactions = new TransactionRelay(this.#context);
    this.#parents = new ParentSeeker(this.#context);
    this.#follower = new Follower(this.#context, {
      block: (told, peer) => this.#blockHeard(told, peer),
      transaction: (wtxid, peer) => this.#transactions.told([wtxid], peer),
    });
  }

  /** Ends relaying; settles once what is under way has ended. */
  async close(): Promise<void> {
    for (const part of [this.#follower, this.#announcer, this.#taker, this.#transactions, this.#parents]) part.close();
    await this.#context.background.settled();
  }

  /** A peer announced transactions. Answers how many of them will be asked for. */
  transactionsAnnounced(wtxids: readonly Wtxid[], url: string | null): number {
    const peer = this.#acquaintance.peer(url);
    return peer === undefined ? 0 : this.#transactions.told(wtxids, peer);
  }

  /** A peer announced a block by its header, and its short form where it sent one. Answers whether it was here already. */
  blockAnnounced(header: Header, compact: CompactBlock | undefined, url: string | null): boolean {
    const peer = this.#acquaintance.peer(url);
    if (peer !== undefined) this.#context.inventory.add(peer, header.hash);
    if (this.#taker.has(header.hash)) return true;
    if (peer !== undefined) this.#taker.told(asTold(header), { source: peer, compact });
    return false;
  }

  /** A block that peers were told of lately, whether or not it has been connected. */
  recentBlock(hash: BlockHash): Block | undefined {
    return this.#context.recent.get(hash);
  }

  /** A peer that is followed stands on a block. */
  #blockHeard({ hash, previous }: Omit<Told, 'header'>, peer: Peer): void {
    this.#context.inventory.add(peer, hash);
    if (!this.#taker.has(hash))
      this.#taker.told({ hash, previous, header: undefined }, { source: peer, compact: undefined });
  }
}
