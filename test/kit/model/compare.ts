import type { Chainstate } from '../../../server/chain/chainstate.js';
import type { ChainStore } from '../../../server/store/chainStore.js';
import { layout } from '../../../server/store/layout.js';
import { type Space, scan } from '../../../server/store/space.js';
import { parseId, type TxId } from '../../../shared/model/ids.js';
import { toHex } from './bytes.js';
import { accountsOf, addressesOf, type Ledger, replay, richList, supplyOf } from './ledger.js';
import type { Block, Transaction } from './model.js';
import type { Validator } from './validator.js';

/** Tip, height, sums and best work of both sides; the difference, or `undefined`. Cheap enough for every step. */
export function quickDifference(chain: Chainstate, naive: Validator): string | undefined {
  const { hash, height } = chain.tip.header;
  const { transactions, addresses, supply } = chain.totals;
  const { ledger } = naive;
  const real = [hash, height, transactions, addresses, supply, chain.bestHeader.work];
  const tip = naive.chain.at(-1)?.header.hash;
  const sums = [ledger.transactions, addressesOf(ledger).length, supplyOf(ledger), naive.bestWork];
  const expected = [tip, naive.chain.length - 1, ...sums];
  return real.join() === expected.join() ? undefined : `real ${real.join()}, naive ${expected.join()}`;
}

/** Everything the real store keeps of its chain against a replay from genesis; the first difference, or `undefined`. */
export function difference({ store }: Chainstate, { chain }: Pick<Validator, 'chain'>): string | undefined {
  return differenceFrom(store, expectedRows(chain, replay(chain)));
}

/** What a store has to hold: the rows of each kind as text, sorted, those of the rich list in its own order. */
export interface ExpectedRows {
  readonly transactions: readonly Transaction[];
  readonly height: number;
  readonly rows: ReadonlyMap<string, readonly string[]>;
}

/** What the store of a chain has to hold, from its blocks and what they come to. */
export function expectedRows(chain: readonly Block[], ledger: Ledger): ExpectedRows {
  const coins = ledger.coins
    .map(({ txid, index, address, value, height, coinbase }) =>
      [txid, index, address, value, height, coinbase].join(' '),
    )
    .sort();
  const transactions = chain.flatMap((block) => block.transactions);
  const history = ledger.history.map(({ address, height, position, txid, received, spent }) =>
    [address, height, position, txid, received, spent].join(' '),
  );
  const balances = accountsOf(ledger).map(({ address, balance, received, sent, coins, transactions }) =>
    [address, balance, received, sent, coins, transactions].join(' '),
  );
  const rows = new Map<string, readonly string[]>([
    ['chain', chain.map(({ header }, i) => `${i} ${header.hash}`).sort()],
    ['coins', coins],
    ['coins by address', coins],
    ['history', history.sort()],
    ['balances', balances.sort()],
    ['transactions', transactions.map(({ txid }) => txid).sort()],
    ['transactions by id', spendings(chain).sort()],
    ['bodies', chain.map(({ bytes }) => toHex(bytes)).sort()],
    // The rich list is compared in its own order.
    ['rich list', richList(ledger).map(({ address, balance }) => `${address} ${balance}`)],
  ]);
  return { transactions, height: chain.length - 1, rows };
}

/** What a store holds against what it has to hold; the first difference, or `undefined`. */
export function differenceFrom(store: ChainStore, expected: ExpectedRows): string | undefined {
  for (const [name, read] of Object.entries(STORED)) {
    const real = read(store, expected);
    const found = firstDifference(name === 'rich list' ? real : real.sort(), expected.rows.get(name) ?? []);
    if (found !== undefined) return `${name}: ${found}`;
  }
  return undefined;
}

/** How the rows of each kind are read from a store. */
const STORED: Readonly<Record<string, (store: ChainStore, expected: ExpectedRows) => string[]>> = {
  chain: (store) => rows(store, layout.chain, (height, hash) => [height, hash]),
  coins: (store) =>
    rows(store, layout.coin, ({ txid, index }, { address, value, height, coinbase }) => [
      ...[txid, index, address, value, height, coinbase],
    ]),
  'coins by address': (store) =>
    rows(store, layout.addressCoin, ({ address, outpoint: { txid, index } }, { value, height, coinbase }) => [
      ...[txid, index, address, value, height, coinbase],
    ]),
  history: (store) =>
    rows(store, layout.addressHistory, ({ address, height, position }, { txid, received, spent }) => [
      ...[address, height, position, txid, received, spent],
    ]),
  balances: (store) =>
    rows(store, layout.balance, (address, { balance, received, sent, coins, transactions }) => [
      ...[address, balance, received, sent, coins, transactions],
    ]),
  transactions: (store) => rows(store, layout.txIndex, (txid) => [txid]),
  'transactions by id': (store, { transactions }) =>
    transactions.map((transaction) => confirmedText(store, transaction)),
  bodies: (store, { height: top }) =>
    Array.from({ length: top + 1 }, (_, height) => {
      const hash = store.hashAt(height);
      return toHex((hash && store.rawBlock(hash)) ?? new Uint8Array(0));
    }),
  'rich list': (store) => rows(store, layout.rich, ({ address, balance }) => [address, balance]),
};

/** All rows of a space, as text. */
function rows<Key, Value>(
  { kv }: ChainStore,
  space: Space<Key, Value>,
  show: (key: Key, value: Value) => unknown[],
): string[] {
  return scan(kv, space, { limit: 1_000_000 }).map(({ key, value }) => show(key, value).map(plain).join(' '));
}

/** What the real store answers when it is asked for a transaction: where it is, its signed form, and what it spent. */
function confirmedText(store: ChainStore, { txid }: Transaction): string {
  const id = parseId<TxId>(txid);
  const found = id && store.confirmed(id);
  if (found === undefined) return `${txid} is not there`;
  const { place, transaction, spent } = found;
  const coins = spent.map(({ address, value, height }) => `${plain(address)}/${value}/${height}`);
  return [txid, place.height, place.position, transaction.wtxid, ...coins].join(' ');
}

/** The same from the blocks alone. */
function spendings(chain: readonly Block[]): string[] {
  const made = new Map<string, string>();
  const texts: string[] = [];
  for (const { header, transactions } of chain) {
    for (const [position, { txid, wtxid, inputs, outputs }] of transactions.entries()) {
      const coins = inputs.map(({ txid: from, index }) => made.get(`${from}:${index}`));
      texts.push([txid, header.height, position, wtxid, ...coins].join(' '));
      for (const [index, { address, value }] of outputs.entries())
        made.set(`${txid}:${index}`, `${address}/${value}/${header.height}`);
    }
  }
  return texts;
}

/** Addresses as the naive side writes them: without the two characters in front. */
function plain(value: unknown): string {
  return String(value).replace(/^0x/, '');
}

function firstDifference(real: readonly string[], naive: readonly string[]): string | undefined {
  const at = [...real, ...naive].findIndex((_, i) => real[i] !== naive[i]);
  return at < 0 ? undefined : `row ${at}: real ${real[at]}, naive ${naive[at]}`;
}
