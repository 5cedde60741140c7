import type { Coin } from '../../shared/consensus/coins.js';
import type { Address } from '../../shared/model/address.js';
import type { Amount } from '../../shared/model/amount.js';
import { decodeHeader, encodeHeader, HEADER_BYTES, type Header } from '../../shared/model/header.js';
import type { Height } from '../../shared/model/height.js';
import type { BlockHash, TxId } from '../../shared/model/ids.js';
import type { OutPoint } from '../../shared/model/outpoint.js';
import {
  addressCodec,
  amountCodec,
  bytesCodec,
  countCodec,
  emptyCodec,
  flagCodec,
  heightKey,
  idCodec,
  invertedAmountKey,
  lastAdded,
  list,
  optional,
  outPointKeyCodec,
  positionKey,
  record,
  restCodec,
  shortTextCodec,
  sumCodec,
  textCodec,
  workCodec,
} from './codecs.js';
import { type Codec, space } from './space.js';

/** The version of everything on this page. A store of another version is refused. */
export const SCHEMA_VERSION = 2;

/** Bytes of a book's salt. */
export const SALT_BYTES = 32;

const headerCodec: Codec<Header> = {
  write: (writer, header) => writer.bytes(encodeHeader(header)),
  read: (reader) => {
    const header = decodeHeader(reader.bytes(HEADER_BYTES));
    return header.ok ? header.value : reader.fail(header.detail);
  },
};

/** What a node knows of a header it has accepted. */
export interface HeaderRecord {
  readonly header: Header;
  /** Work of the branch up to and with this block. */
  readonly work: bigint;
  /** Timestamp of block 1 of the branch, the difficulty's anchor; `null` for genesis itself. */
  readonly anchorTime: number | null;
  /** An ancestor further down, by which any ancestor is found in a logarithm of steps. */
  readonly skip: BlockHash;
  /** Whether the chain must do without it: the block or one below it broke a rule, or the operator has set it aside. */
  readonly invalid: boolean;
  /** Whether that is the operator's doing alone: whoever sends it has done nothing wrong. */
  readonly setAside: boolean;
  /** What is known of the body, once it is stored. Every stored body's parent has a stored body too. */
  readonly body: BodyFacts | null;
  /** What the transfers left to the miner, once the block has been connected: then there is an undo record. */
  readonly fees: Amount | null;
}

/** What lists of blocks show without reading the block. */
export interface BodyFacts {
  readonly size: number;
  readonly transactions: number;
  /** Whom the coinbase pays first. */
  readonly creator: Address | null;
}

/** Where a confirmed transaction is: its bytes can be read without decoding the block. */
export interface TxPlace {
  readonly height: Height;
  readonly position: number;
  /** Byte offset and length within the raw block. */
  readonly offset: number;
  readonly size: number;
  /** How many coins the transactions before it spend: where its own begin in the undo record. */
  readonly spentBefore: number;
}

/** One transaction's effect on one address. */
export interface HistoryEntry {
  readonly txid: TxId;
  readonly received: Amount;
  readonly spent: Amount;
}

/** What an address has and had. */
export interface Balance {
  readonly balance: Amount;
  /** All it was ever paid, and all it ever spent: change goes through both. */
  readonly received: bigint;
  readonly sent: bigint;
  /** Unspent coins. */
  readonly coins: number;
  /** Rows of history. */
  readonly transactions: number;
}

/** A peer in the book. */
export interface PeerRecord {
  readonly firstSeen: number;
  /** When it last answered; `null`: never yet. */
  readonly lastSeen: number | null;
  readonly lastTried: number | null;
  /** Attempts that failed since it last answered. */
  readonly failures: number;
  /** Where it stands in the book; `null` in records from before books had tables. */
  readonly place: PeerPlace | null;
}

/** A peer's place in the book. */
export interface PeerPlace {
  /** Whether it stands among those that answered when we called them. */
  readonly tried: boolean;
  /** The network group of whoever named it. */
  readonly source: string;
}

/** What a book has beside its peers. */
export interface BookState {
  /** The secret by which addresses come into buckets: nobody can work out which addresses share one. */
  readonly salt: Uint8Array;
  /** Peers that were sought longest, to be dialled first at the next start. */
  readonly anchors: readonly string[];
}

/** Somebody who is kept out. */
export interface BanRecord {
  readonly since: number;
  readonly until: number;
  readonly why: string;
}

/** Sums over the active chain. */
export interface Totals {
  /** Coinbases counted in. */
  readonly transactions: number;
  /** Addresses with history. */
  readonly addresses: number;
  /** Unspent coins. */
  readonly supply: Amount;
}

/** The one row of `meta`: what the store is, and where its chain stands. */
export interface Meta {
  readonly schema: number;
  readonly network: string;
  readonly genesis: BlockHash;
  readonly tip: BlockHash;
  readonly totals: Totals;
}

const coinCodec: Codec<Coin> = record({
  address: addressCodec,
  value: amountCodec,
  height: heightKey,
  coinbase: flagCodec,
});

const blockHashCodec = idCodec<BlockHash>();

/** Every key space: the first byte of its keys is its place in the order below. */
export const layout = {
  /** Every accepted header. */
  header: space<BlockHash, HeaderRecord>('header', 0x01, {
    key: blockHashCodec,
    value: record({
      header: headerCodec,
      work: workCodec,
      anchorTime: optional(countCodec),
      skip: blockHashCodec,
      invalid: flagCodec,
      setAside: flagCodec,
      body: optional(record({ size: countCodec, transactions: countCodec, creator: optional(addressCodec) })),
      fees: optional(amountCodec),
    }),
  }),
  /** Headers without children, by work. */
  tips: space<{ work: bigint; hash: BlockHash }, null>('tips', 0x02, {
    key: record({ work: workCodec, hash: blockHashCodec }),
    value: emptyCodec,
  }),
  /** The active chain. */
  chain: space<Height, BlockHash>('chain', 0x03, { key: heightKey, value: blockHashCodec }),
  /** Raw blocks. */
  block: space<BlockHash, Uint8Array>('block', 0x04, { key: blockHashCodec, value: restCodec }),
  /** The coins a block spent, in order. */
  undo: space<BlockHash, readonly Coin[]>('undo', 0x05, { key: blockHashCodec, value: list(coinCodec) }),
  /** Unspent coins. */
  coin: space<OutPoint, Coin>('coin', 0x06, { key: outPointKeyCodec, value: coinCodec }),
  /** Where confirmed transactions are. */
  txIndex: space<TxId, TxPlace>('txIndex', 0x07, {
    key: idCodec<TxId>(),
    value: record({
      height: heightKey,
      position: countCodec,
      offset: countCodec,
      size: countCodec,
      spentBefore: countCodec,
    }),
  }),
  /** Unspent coins by owner. */
  addressCoin: space<{ address: Address; outpoint: OutPoint }, Omit<Coin, 'address'>>('addressCoin', 0x08, {
    key: record({ address: addressCodec, outpoint: outPointKeyCodec }),
    value: record({ value: amountCodec, height: heightKey, coinbase: flagCodec }),
  }),
  /** Confirmed transactions by address. */
  addressHistory: space<{ address: Address; height: Height; position: number }, HistoryEntry>('addressHistory', 0x09, {
    key: record({ address: addressCodec, height: heightKey, position: positionKey }),
    value: record({ txid: idCodec<TxId>(), received: amountCodec, spent: amountCodec }),
  }),
  /** What every address with history has. */
  balance: space<Address, Balance>('balance', 0x0a, {
    key: addressCodec,
    value: record({
      balance: amountCodec,
      received: sumCodec,
      sent: sumCodec,
      coins: countCodec,
      transactions: countCodec,
    }),
  }),
  /** Addresses by balance, richest first; equal ones by their bytes. */
  rich: space<{ balance: Amount; address: Address }, null>('rich', 0x0b, {
    key: record({ balance: invertedAmountKey, address: addressCodec }),
    value: emptyCodec,
  }),
  /** Known peers by URL. */
  peer: space<string, PeerRecord>('peer', 0x0c, {
    key: textCodec,
    value: record({
      firstSeen: countCodec,
      lastSeen: optional(countCodec),
      lastTried: optional(countCodec),
      failures: countCodec,
      place: lastAdded(record({ tried: flagCodec, source: textCodec })),
    }),
  }),
  /** One row. */
  meta: space<null, Meta>('meta', 0x0d, {
    key: emptyCodec,
    value: record({
      schema: countCodec,
      genesis: blockHashCodec,
      tip: blockHashCodec,
      totals: record({ transactions: countCodec, addresses: countCodec, supply: amountCodec }),
      network: textCodec,
    }),
  }),
  /** One row. */
  book: space<null, BookState>('book', 0x0e, {
    key: emptyCodec,
    value: record({ salt: bytesCodec(SALT_BYTES), anchors: list(shortTextCodec) }),
  }),
  /** Bans by URL or address. */
  ban: space<string, BanRecord>('ban', 0x0f, {
    key: textCodec,
    value: record({ since: countCodec, until: countCodec, why: textCodec }),
  }),
} as const;
