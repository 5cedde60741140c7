import { within } from '../../client/links.js';
import { parseBase64 } from '../../shared/bytes/base64.js';
import { Emitter } from '../../shared/emitter.js';
import type { TxId, Wtxid } from '../../shared/model/ids.js';
import { decodeTransaction, type Transaction } from '../../shared/model/transaction.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import type { Peer } from '../net/peer.js';
import type { Peers } from '../net/peers.js';
import type { RelayedTransactions } from './relayedTransactions.js';

/** How long a peer may take to hand over the parents of what it has, before the next one is asked. */
const PARENTS_LIMIT_MS = 2_000;

/** What fetching transactions needs. */
export interface FetcherParts {
  readonly peers: Pick<Peers, 'ask' | 'lied'>;
  readonly relayed: RelayedTransactions;
}

/** What others learn. */
export interface FetcherEvents {
  /** Everything that this peer was asked for by name has come, or will not. */
  free: Peer;
}

/** Fetches bodies of transactions from one peer and has them taken in. Relay and synchronization both do it through here. */
export class TransactionFetcher {
  readonly events = new Emitter<FetcherEvents>();
  readonly #parts: FetcherParts;
  /** Those that have been asked for and have not come. */
  readonly #underWay = new Set<Wtxid>();
  /** How many calls for bodies are under way to each peer. */
  readonly #busy = new Map<Peer, number>();

  constructor(parts: FetcherParts) {
    this.#parts = parts;
  }

  /** Whether a body has been asked for and has not come yet: nobody else need be asked, unless it does not come. */
  isUnderWay(wtxid: Wtxid): boolean {
    return this.#underWay.has(wtxid);
  }

  /** Whether a peer has been asked for bodies that have not come yet. */
  isBusy(peer: Peer): boolean {
    return this.#busy.has(peer);
  }

  /**
   * Fetches those bodies and takes in what is valid; answers which bodies came, or why the peer was no use. Throws where
   * this machine fails, which is not the peer's fault.
   */
  async fetch(peer: Peer, wtxids: readonly Wtxid[]): Promise<Verdict<ReadonlySet<Wtxid>, string>> {
    const { peers, relayed } = this.#parts;
    const wanted = new Set(wtxids);
    for (const wtxid of wanted) this.#underWay.add(wtxid);
    this.#busy.set(peer, (this.#busy.get(peer) ?? 0) + 1);
    try {
      const answer = await peers.ask(peer, (client) => client.transaction.raw.query({ wtxids: [...wanted] }));
      if (!answer.ok) return answer;
      const came = new Set<Wtxid>();
      for (const text of answer.value.transactions) {
        const transaction = this.#parse(text, peer, ({ wtxid }) => wanted.has(wtxid));
        if (transaction === undefined) return refuse('peer-protocol');
        came.add(transaction.wtxid);
        await relayed.take(transaction, peer);
      }
      return accept(came);
    } finally {
      for (const wtxid of wanted) this.#underWay.delete(wtxid);
      this.#freed(peer);
    }
  }

  /**
   * The same for transactions that others wait for, by their txids, of a peer that says it answers those. What came under
   * bad signatures has not come.
   */
  async fetchParents(peer: Peer, txids: readonly TxId[]): Promise<Verdict<ReadonlySet<TxId>, string>> {
    const { peers, relayed } = this.#parts;
    const answer = await peers.ask(peer, (client) =>
      client.transaction.raw.query({ wtxids: [], txids: [...txids] }, within(PARENTS_LIMIT_MS)),
    );
    if (!answer.ok) return answer;
    const wanted = new Set(txids);
    const came = new Set<TxId>();
    for (const text of answer.value.transactions) {
      const transaction = this.#parse(text, peer, ({ txid }) => wanted.delete(txid));
      if (transaction === undefined) return refuse('peer-protocol');
      const fate = await relayed.takeParent(transaction, peer);
      if (fate !== 'forged') came.add(transaction.txid);
    }
    return accept(came);
  }

  /** One body of an answer; `undefined` where the peer lied. An answer holds as many as fit, of what waits there. */
  #parse(text: string, peer: Peer, isWanted: (transaction: Transaction) => boolean): Transaction | undefined {
    const bytes = parseBase64(text);
    const decoded = bytes === undefined ? undefined : decodeTransaction(bytes);
    if (decoded?.ok && isWanted(decoded.value)) return decoded.value;
    this.#parts.peers.lied(peer, 'transaction.raw: not what was asked for');
    return undefined;
  }

  #freed(peer: Peer): void {
    const left = (this.#busy.get(peer) ?? 1) - 1;
    if (left > 0) this.#busy.set(peer, left);
    else {
      this.#busy.delete(peer);
      this.events.emit('free', peer);
    }
  }
}
