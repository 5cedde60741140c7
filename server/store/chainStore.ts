import { LRUCache } from 'lru-cache';
import type { Coin, CoinView } from '../../shared/consensus/coins.js';
import { TrestleError } from '../../shared/errors.js';
import { type Address, addressBytes } from '../../shared/model/address.js';
import { ZERO_AMOUNT } from '../../shared/model/amount.js';
import { type Block, decodeBlock } from '../../shared/model/block.js';
import { type Height, toHeight } from '../../shared/model/height.js';
import type { BlockHash, TxId } from '../../shared/model/ids.js';
import type { OutPoint } from '../../shared/model/outpoint.js';
import { decodeTransaction, type Transaction } from '../../shared/model/transaction.js';
import type { Kv } from './kv.js';
import { type Balance, type HeaderRecord, type HistoryEntry, layout, type Meta, type TxPlace } from './layout.js';
import { type Row, read, scan } from './space.js';

/** A block of 2 MB is several times that when decoded. */
const DECODED_BLOCKS = 4;

const NO_BALANCE: Balance = { balance: ZERO_AMOUNT, received: 0n, sent: 0n, coins: 0, transactions: 0 };

/** Which part of a list to read. `after` is the key that the page before ended with. */
export interface Part {
  readonly after?: Uint8Array | undefined;
  readonly limit: number;
}

/** A confirmed transaction, its place, and the coins it spent. */
export interface ConfirmedTransaction {
  readonly transaction: Transaction;
  readonly place: TxPlace;
  readonly hash: BlockHash;
  readonly spent: readonly Coin[];
}

/** Typed reads of everything the chain has stored. Writing is for `chain/` alone. */
export class ChainStore implements CoinView {
  readonly kv: Kv;
  /** Blocks read last, decoded: whoever asks for one part of a block asks for the next. */
  readonly #decoded = new LRUCache<BlockHash, Block>({ max: DECODED_BLOCKS });

  constructor(kv: Kv) {
    this.kv = kv;
  }

  /** `undefined` in a store that is new. */
  meta(): Meta | undefined {
    return read(this.kv, layout.meta, null);
  }

  header(hash: BlockHash): HeaderRecord | undefined {
    return read(this.kv, layout.header, hash);
  }

  /** The hash of the active chain's block at a height. */
  hashAt(height: number): BlockHash | undefined {
    return height < 0 ? undefined : read(this.kv, layout.chain, toHeight(height));
  }

  /** Tips of branches, the one with the most work first. */
  *tips(): Generator<BlockHash> {
    const PAGE = 32;
    for (let after: Uint8Array | undefined; ; ) {
      const rows = scan(this.kv, layout.tips, { after, reverse: true, limit: PAGE });
      for (const { key } of rows) yield key.hash;
      if (rows.length < PAGE) return;
      after = rows.at(-1)?.at;
    }
  }

  rawBlock(hash: BlockHash): Uint8Array | undefined {
    return read(this.kv, layout.block, hash);
  }

  /** A stored block. Throws `store-corrupt` where it is missing or does not decode: its header says it is there. */
  block(hash: BlockHash): Block {
    const recent = this.#decoded.get(hash);
    if (recent !== undefined) return recent;
    const raw = this.rawBlock(hash);
    const block = raw === undefined ? undefined : decodeBlock(raw);
    if (block?.ok) {
      this.#decoded.set(hash, block.value);
      return block.value;
    }
    throw corrupt(`block ${hash}: ${block === undefined ? 'missing' : block.detail}`);
  }

  /** The coins a block spent, in order; `undefined` where it was never connected. */
  undo(hash: BlockHash): readonly Coin[] | undefined {
    return read(this.kv, layout.undo, hash);
  }

  get(outpoint: OutPoint): Coin | undefined {
    return read(this.kv, layout.coin, outpoint);
  }

  place(txid: TxId): TxPlace | undefined {
    return read(this.kv, layout.txIndex, txid);
  }

  /** A confirmed transaction with what it spent. */
  confirmed(txid: TxId): ConfirmedTransaction | undefined {
    const place = this.place(txid);
    if (place === undefined) return undefined;
    const hash = this.hashAt(place.height);
    const raw = hash === undefined ? undefined : this.rawBlock(hash);
    const undo = hash === undefined ? undefined : this.undo(hash);
    if (hash === undefined || raw === undefined || undo === undefined) throw corrupt(`block of transaction ${txid}`);
    const transaction = decodeTransaction(raw.subarray(place.offset, place.offset + place.size));
    if (!transaction.ok) throw corrupt(`transaction ${txid}: ${transaction.detail}`);
    const { body } = transaction.value;
    const inputs = body.kind === 'transfer' ? body.inputs.length : 0;
    const spent = undo.slice(place.spentBefore, place.spentBefore + inputs);
    return { transaction: transaction.value, place, hash, spent };
  }

  balance(address: Address): Balance {
    return read(this.kv, layout.balance, address) ?? NO_BALANCE;
  }

  /** Addresses by balance, richest first. */
  rich({ after, limit }: Part): Row<{ balance: bigint; address: Address }, null>[] {
    return scan(this.kv, layout.rich, { after, limit });
  }

  /** Confirmed unspent coins of an address, in the order of their outpoints. */
  coinsOf(address: Address, { after, limit }: Part): Row<{ outpoint: OutPoint }, Omit<Coin, 'address'>>[] {
    return scan(this.kv, layout.addressCoin, { within: addressBytes(address), after, limit });
  }

  /** Confirmed transactions of an address, newest first. */
  historyOf(address: Address, { after, limit }: Part): Row<{ height: Height; position: number }, HistoryEntry>[] {
    return scan(this.kv, layout.addressHistory, { within: addressBytes(address), after, limit, reverse: true });
  }
}

/** A fault of the store, where the chain's own records contradict each other. */
export function corrupt(detail: string): TrestleError {
  return new TrestleError({ code: 'store-corrupt', detail });
}
