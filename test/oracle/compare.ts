import type { Chainstate } from '../../server/chain/chainstate.js';
import { layout } from '../../server/store/layout.js';
import { type Space, scan } from '../../server/store/space.js';
import { toHex } from './bytes.js';
import { accountsOf, addressesOf, replay, richList, supplyOf } from './ledger.js';
import type { Validator } from './validator.js';

/** What both sides hold after a step, in one line each: cheap enough for every step. */
export function summaries(chain: Chainstate, naive: Validator): [real: string, naive: string] {
  const { header } = chain.tip;
  const tip = naive.chain.at(-1)?.header;
  const work = naive.chain.length;
  const { transactions, addresses, supply } = chain.totals;
  return [
    `tip ${header.hash} height ${header.height} transactions ${transactions} addresses ${addresses} supply ${supply} best work ${chain.bestHeader.work}`,
    `tip ${tip?.hash} height ${work - 1} transactions ${naive.ledger.transactions} addresses ${addressesOf(naive.ledger).length} supply ${supplyOf(naive.ledger)} best work ${naive.bestWork}`,
  ];
}

/** Everything the real store keeps of its chain against a replay from genesis; the first difference, or `undefined`. */
export function difference({ store }: Chainstate, { chain }: Validator): string | undefined {
  const ledger = replay(chain);
  const rows = <Key, Value>(space: Space<Key, Value>, show: (key: Key, value: Value) => unknown[]): string[] =>
    scan(store.kv, space, { limit: 1_000_000 }).map(({ key, value }) => show(key, value).map(plain).join(' '));
  const coins = ledger.coins.map(({ txid, index, address, value, height, coinbase }) =>
    [txid, index, address, value, height, coinbase].join(' '),
  );
  const pairs: [name: string, real: string[], naive: string[]][] = [
    ['chain', rows(layout.chain, (height, hash) => [height, hash]), chain.map(({ header }, i) => `${i} ${header.hash}`)],
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
    [
      'transactions',
      rows(layout.txIndex, (txid, { height, position }) => [txid, height, position]),
      chain.flatMap(({ transactions }, height) => transactions.map(({ txid }, i) => `${txid} ${height} ${i}`)),
    ],
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

/** Addresses as the naive side writes them: without the two characters in front. */
function plain(value: unknown): string {
  return String(value).replace(/^0x/, '');
}

function firstDifference(real: readonly string[], naive: readonly string[]): string | undefined {
  const at = [...real, ...naive].findIndex((_, i) => real[i] !== naive[i]);
  return at < 0 ? undefined : `row ${at}: real ${real[at]}, naive ${naive[at]}`;
}
