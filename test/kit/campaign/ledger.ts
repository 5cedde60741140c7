import type { RunningNode } from '../../../server/node.js';
import type { BlockHash, TxId } from '../../../shared/model/ids.js';
import { isTransfer, type Transaction, type TransferBody } from '../../../shared/model/transaction.js';
import { InvariantBroken } from '../sim/invariants/invariantBroken.js';
import type { SimNode } from '../sim/simNode.js';
import type { Kind } from './coverage.js';

/** Where a node has a payment: it waits, it is on its chain, or its block has left and it is to be judged again. */
type Place = 'pool' | 'chain' | 'returning';

interface Holding {
  readonly transfer: Transaction<TransferBody>;
  place: Place;
  /** Where it was before the switch of branches that is under way put it on the chain. */
  before: Place | undefined;
}

/** What a node holds, and why it let go of what it held. */
interface Book {
  readonly held: Map<TxId, Holding>;
  readonly connectedInSwitch: Set<BlockHash>;
  isSwitching: boolean;
  /** Some of what waits may not have been stored: its disk was full. */
  isUnsaved: boolean;
}

/**
 * The payments of a run, and which nodes have them. A node that has taken a payment keeps it, through crashes and
 * reorganisations, until it says why not, or until its disk has lost it by a fault that a node promises nothing about.
 */
export class Ledger {
  readonly #books = new Map<SimNode, Book>();
  /** Payments that a node has answered for. */
  readonly #answered = new Map<TxId, SimNode>();
  readonly #count: (kind: Kind) => void;

  constructor(nodes: readonly SimNode[], count: (kind: Kind) => void) {
    this.#count = count;
    for (const node of nodes) this.forget(node);
  }

  /** A node has answered that it took a payment. */
  answered(txid: TxId, node: SimNode): void {
    this.#answered.set(txid, node);
    this.#count('paymentsTaken');
  }

  /** Follows what a node takes and gives up, from its start to its end. */
  follow(node: SimNode, { chain, mempool }: RunningNode): void {
    const book = this.#of(node);
    mempool.events.on('accepted', ({ entry: { transaction } }) => {
      const known = book.held.get(transaction.txid);
      if (known?.place === 'returning') this.#count('paymentsReturned');
      book.held.set(transaction.txid, { transfer: transaction, place: 'pool', before: undefined });
    });
    mempool.events.on('dropped', ({ transaction, code }) => {
      if (code === 'pool-full') this.#count('evictions');
      book.held.delete(transaction.txid);
    });
    chain.events.on('connected', ({ block }) => {
      if (book.isSwitching) book.connectedInSwitch.add(block.header.hash);
      for (const transfer of block.transactions.filter(isTransfer)) {
        const before = book.held.get(transfer.txid)?.place;
        book.held.set(transfer.txid, { transfer, place: 'chain', before: book.isSwitching ? before : undefined });
      }
    });
    chain.events.on('disconnected', ({ block }) => {
      book.isSwitching = true;
      const isTried = book.connectedInSwitch.has(block.header.hash);
      for (const { txid } of block.transactions.filter(isTransfer)) {
        const holding = book.held.get(txid);
        if (holding === undefined) continue;
        // A branch that came and failed within one switch gives nobody a claim: what was before is again.
        if (!isTried) holding.place = 'returning';
        else if (holding.before === undefined) book.held.delete(txid);
        else holding.place = holding.before;
      }
    });
    chain.events.on('settled', () => {
      book.isSwitching = false;
      book.connectedInSwitch.clear();
    });
  }

  /** A node has said that it could not keep all that came back from lost blocks. */
  forgotten(node: SimNode): void {
    for (const [txid, { place }] of this.#of(node).held) if (place === 'returning') this.#of(node).held.delete(txid);
  }

  /** A node's disk is full: until it starts anew, what waits may be nowhere but in memory. */
  unsaved(node: SimNode): void {
    this.#of(node).isUnsaved = true;
  }

  /** The power went: what waited was not synced. */
  powerLost(node: SimNode): void {
    this.#forgetWaiting(this.#of(node));
  }

  /** The disk is empty. */
  forget(node: SimNode): void {
    const book = { held: new Map(), connectedInSwitch: new Set<BlockHash>(), isSwitching: false, isUnsaved: false };
    this.#books.set(node, book);
  }

  /** A node is up again: what it held it holds, or it can no longer stand. */
  restarted(node: SimNode, running: RunningNode): void {
    const book = this.#of(node);
    if (book.isUnsaved) this.#forgetWaiting(book);
    book.isUnsaved = false;
    book.isSwitching = false;
    book.connectedInSwitch.clear();
    for (const [txid, holding] of book.held) {
      const place = placeOf(txid, running);
      holding.before = undefined;
      if (place !== undefined) holding.place = place;
      else if (standsNoMore(holding.transfer, running)) book.held.delete(txid);
      else throw lost(txid, node, 'had it before it went down, and does not have it now');
    }
  }

  /** At the end: every payment is where its nodes have it. Answers how many of those that were answered for are confirmed. */
  check(): void {
    for (const [node, { held }] of this.#books) {
      const { running } = node;
      if (running === undefined) continue;
      for (const txid of held.keys())
        if (placeOf(txid, running) === undefined) throw lost(txid, node, 'has it neither on its chain nor waiting');
    }
    const [running] = [...this.#books.keys()].flatMap((node) => node.running ?? []);
    if (running === undefined) return;
    for (const txid of this.#answered.keys()) if (placeOf(txid, running) === 'chain') this.#count('paymentsConfirmed');
  }

  #of(node: SimNode): Book {
    const book = this.#books.get(node);
    if (book === undefined) throw new Error(`${node.name} is not in the ledger`);
    return book;
  }

  #forgetWaiting({ held }: Book): void {
    for (const [txid, { place }] of held) if (place !== 'chain') held.delete(txid);
  }
}

function placeOf(txid: TxId, { chain, mempool }: RunningNode): 'pool' | 'chain' | undefined {
  if (chain.store.place(txid) !== undefined) return 'chain';
  return mempool.pool.get(txid) === undefined ? undefined : 'pool';
}

/** Whether a payment cannot wait at a node: its coins are spent, not there or not ripe, or there is no room. */
function standsNoMore(transfer: Transaction<TransferBody>, { chain, mempool }: RunningNode): boolean {
  const { pool } = mempool;
  if (pool.bytes + transfer.raw.length > mempool.maxBytes) return true;
  const { coinbaseMaturity } = chain.params;
  const next = chain.tip.header.height + 1;
  return transfer.body.inputs.some((input) => {
    if (pool.spenderOf(input) !== undefined) return true;
    if (pool.get(input.txid) !== undefined) return false;
    const coin = chain.store.get(input);
    return coin === undefined || (coin.coinbase && next - coin.height < coinbaseMaturity);
  });
}

function lost(txid: TxId, { name }: SimNode, what: string): InvariantBroken {
  return new InvariantBroken('payments are kept', `${name} answered for payment ${txid}: it ${what}`);
}
