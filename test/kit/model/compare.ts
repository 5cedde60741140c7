import type { Chainstate } from '../../../server/chain/chainstate.js';
import type { ChainStore } from '../../../server/store/chainStore.js';
import { layout } from '../../../server/store/layout.js';
import { type Space, scan } from '../../../server/store/space.js';
import { parseId, type TxId } from '../../../shared/model/ids.js';
import { toHex } from './bytes.js';
import { accountsOf, addressesOf, replay, richList, sameCoin, supplyOf } from './ledger.js';
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
export function difference({ store }: Chainstate, { chain }: Validator): string | undefined {
  const ledger = replay(chain);
  const rows = <Key, Value>(space: Space<Key, Value>, show: (key: Key, value: Value) => unknown[]): string[] =>
    scan(store.kv, space, { limit: 1_000_000 }).map(({ key, value }) => show(key, value).map(plain).join(' '));
  const coins = ledger.coins.map(({ txid, index, address, value, height, coinbase }) =>
    [txid, index, address, value, height, coinbase].join(' '),
  );
  const transactions = chain.flatMap((block) => block.transactions);
  const pairs: [name: string, real: string[], naive: string[]][] = [
    [
      'chain',
      rows(layout.chain, (height, hash) => [height, hash]),
      chain.map(({ header }, i) => `${i} ${header.hash}`),
    ],
    [
      'coins',
      rows(layout.coin, ({ txid, index }, coin) => [txid, index, coin.address, coin.value, coin.height, coin.coinbase]),
      coins,
    ],
    [
      'coins by address',
      rows(layout.addressCoin, ({ address, outpoint: { txid, index } }, { value, height, coinbase }) => [
        ...[txid, index, address, value, height, coinbase],
      ]),
      coins,
    ],
    [
      'history',
      rows(layout.addressHistory, ({ address, height, position }, { txid, received, spent }) => [
        ...[address, height, position, txid, received, spent],
      ]),
      ledger.history.map(({ address, height, position, txid, received, spent }) =>
        [address, height, position, txid, received, spent].join(' '),
      ),
    ],
    [
      'balances',
      rows(layout.balance, (address, { balance, received, sent, coins, transactions }) => [
        ...[address, balance, received, sent, coins, transactions],
      ]),
      accountsOf(ledger).map(({ address, balance, received, sent, coins, transactions }) =>
        [address, balance, received, sent, coins, transactions].join(' '),
      ),
    ],
    ['transactions', rows(layout.txIndex, (txid) => [txid]), transactions.map(({ txid }) => txid)],
    ['transactions by id', transactions.map((transaction) => confirmedText(store, transaction)), spendings(chain)],
    [
      'bodies',
      chain.map((_, height) => {
        const hash = store.hashAt(height);
        return toHex((hash && store.rawBlock(hash)) ?? new Uint8Array(0));
      }),
      chain.map(({ bytes }) => toHex(bytes)),
    ],
  ];
  for (const [name, real, naive] of pairs) {
    const found = firstDifference(real.sort(), naive.sort());
    if (found !== undefined) return `${name}: ${found}`;
  }
  // The rich list is compared in its own order.
  const rich = richList(ledger).map(({ address, balance }) => `${address} ${balance}`);
  const found = firstDifference(
    rows(layout.rich, ({ address, balance }) => [address, balance]),
    rich,
  );
  return found === undefined ? undefined : `rich list: ${found}`;
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
  const made = chain.flatMap(({ header, transactions }) =>
    transactions.flatMap(({ txid, outputs }) =>
      outputs.map(({ address, value }, index) => ({ txid, index, text: `${address}/${value}/${header.height}` })),
    ),
  );
  return chain.flatMap(({ header, transactions }) =>
    transactions.map(({ txid, wtxid, inputs }, position) => {
      const coins = inputs.map((input) => made.find((coin) => sameCoin(coin, input))?.text);
      return [txid, header.height, position, wtxid, ...coins].join(' ');
    }),
  );
}

/** Addresses as the naive side writes them: without the two characters in front. */
function plain(value: unknown): string {
  return String(value).replace(/^0x/, '');
}

function firstDifference(real: readonly string[], naive: readonly string[]): string | undefined {
  const at = [...real, ...naive].findIndex((_, i) => real[i] !== naive[i]);
  return at < 0 ? undefined : `row ${at}: real ${real[at]}, naive ${naive[at]}`;
}
