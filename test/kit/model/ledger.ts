import type { Block, OutPoint, Transaction } from './model.js';

/** A coin that nobody has spent yet. */
export interface Coin extends OutPoint {
  readonly address: string;
  readonly value: bigint;
  readonly height: number;
  readonly coinbase: boolean;
}

/** What one confirmed transaction did to one address. */
export interface HistoryRow {
  readonly address: string;
  readonly height: number;
  readonly position: number;
  readonly txid: string;
  readonly received: bigint;
  readonly spent: bigint;
}

/** What the transactions of a chain have come to: lists, in the order in which things happened. */
export interface Ledger {
  readonly coins: readonly Coin[];
  readonly history: readonly HistoryRow[];
  readonly transactions: number;
}

export const EMPTY: Ledger = { coins: [], history: [], transactions: 0 };

export function sameCoin(a: OutPoint, b: OutPoint): boolean {
  return a.index === b.index && a.txid === b.txid;
}

export function findCoin(ledger: Ledger, outPoint: OutPoint): Coin | undefined {
  return ledger.coins.find((coin) => sameCoin(coin, outPoint));
}

/** The ledger after one more transaction. Inputs that are not there spend nothing: the rules have judged before. */
export function confirm(ledger: Ledger, transaction: Transaction, place: { height: number; position: number }): Ledger {
  const { txid, kind, inputs, outputs } = transaction;
  const spent = inputs.flatMap((input) => findCoin(ledger, input) ?? []);
  const made = outputs.map((output, index) => ({ ...output, txid, index, ...place, coinbase: kind === 'coinbase' }));
  const touched = [...new Set([...spent, ...made].map(({ address }) => address))];
  const sumFor = (coins: readonly Coin[], owner: string): bigint =>
    coins.filter(({ address }) => address === owner).reduce((sum, { value }) => sum + value, 0n);
  const rows = touched.map((address) => ({
    ...{ address, ...place, txid },
    received: sumFor(made, address),
    spent: sumFor(spent, address),
  }));
  const left = spent.length === 0 ? ledger.coins : ledger.coins.filter((coin) => !spent.includes(coin));
  return {
    coins: [...left, ...made],
    history: [...ledger.history, ...rows],
    transactions: ledger.transactions + 1,
  };
}

export function confirmBlock(ledger: Ledger, { header, transactions }: Block): Ledger {
  return transactions.reduce(
    (before, transaction, position) => confirm(before, transaction, { height: header.height, position }),
    ledger,
  );
}

/** The ledger of a chain, from genesis. */
export function replay(blocks: readonly Block[]): Ledger {
  return blocks.reduce(confirmBlock, EMPTY);
}

export function supplyOf({ coins }: Ledger): bigint {
  return coins.reduce((sum, { value }) => sum + value, 0n);
}

export function addressesOf({ history }: Ledger): string[] {
  return [...new Set(history.map(({ address }) => address))];
}

/** What one address has and had. */
export interface Account {
  readonly address: string;
  readonly balance: bigint;
  readonly received: bigint;
  readonly sent: bigint;
  readonly coins: number;
  readonly transactions: number;
}

export function accountsOf(ledger: Ledger): Account[] {
  return addressesOf(ledger).map((owner) => {
    const rows = ledger.history.filter(({ address }) => address === owner);
    const received = rows.reduce((sum, row) => sum + row.received, 0n);
    const sent = rows.reduce((sum, row) => sum + row.spent, 0n);
    const coins = ledger.coins.filter(({ address }) => address === owner).length;
    return { address: owner, balance: received - sent, received, sent, coins, transactions: rows.length };
  });
}

/** Who has something, the richest first, and among equals by address. */
export function richList(ledger: Ledger): Account[] {
  return accountsOf(ledger)
    .filter(({ balance }) => balance > 0n)
    .sort((a, b) => (a.balance === b.balance ? (a.address < b.address ? -1 : 1) : a.balance > b.balance ? -1 : 1));
}
