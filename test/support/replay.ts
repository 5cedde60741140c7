import assert from 'node:assert/strict';
import type { Chainstate } from '../../server/chain/chainstate.js';
import type { Kv } from '../../server/store/kv.js';
import { layout } from '../../server/store/layout.js';
import { type Space, scan } from '../../server/store/space.js';
import type { Coin } from '../../shared/consensus/coins.js';
import type { Address } from '../../shared/model/address.js';
import type { Block } from '../../shared/model/block.js';
import { outPointKey } from '../../shared/model/outpoint.js';
import { inputsOf } from '../../shared/model/transaction.js';
import { present } from '../kit/assertOk.js';

interface Ledger {
  readonly coins: Map<string, Coin>;
  readonly history: { address: Address; height: number; position: number; received: bigint; spent: bigint }[];
  readonly balances: Map<
    Address,
    { balance: bigint; received: bigint; sent: bigint; coins: number; transactions: number }
  >;
  readonly places: Map<string, string>;
  transactions: number;
}

/** The ledger that these blocks make, one output after the other and with nothing clever about it. */
function replay(blocks: readonly Block[]): Ledger {
  const ledger: Ledger = { coins: new Map(), history: [], balances: new Map(), places: new Map(), transactions: 0 };
  for (const block of blocks) {
    const { height } = block.header;
    for (const [position, transaction] of block.transactions.entries()) {
      ledger.transactions += 1;
      ledger.places.set(transaction.txid, `${height}/${position}`);
      const effects = new Map<Address, { received: bigint; spent: bigint }>();
      const effectOn = (address: Address) => {
        const effect = effects.get(address) ?? { received: 0n, spent: 0n };
        effects.set(address, effect);
        return effect;
      };
      for (const input of inputsOf(transaction)) {
        const coin = present(ledger.coins.get(outPointKey(input)));
        ledger.coins.delete(outPointKey(input));
        effectOn(coin.address).spent += coin.value;
      }
      for (const [index, { address, value }] of transaction.body.outputs.entries()) {
        const coinbase = transaction.body.kind === 'coinbase';
        ledger.coins.set(outPointKey({ txid: transaction.txid, index }), { address, value, height, coinbase });
        effectOn(address).received += value;
      }
      for (const [address, effect] of effects) ledger.history.push({ address, height, position, ...effect });
    }
  }
  for (const { address, received, spent } of ledger.history) {
    const before = ledger.balances.get(address) ?? { balance: 0n, received: 0n, sent: 0n, coins: 0, transactions: 0 };
    before.balance += received - spent;
    before.received += received;
    before.sent += spent;
    before.transactions += 1;
    ledger.balances.set(address, before);
  }
  for (const { address } of ledger.coins.values()) present(ledger.balances.get(address)).coins += 1;
  return ledger;
}

/** All rows of a space, as text. */
function rows<Key, Value>(kv: Kv, space: Space<Key, Value>, show: (key: Key, value: Value) => string): string[] {
  return scan(kv, space, { limit: 1_000_000 }).map(({ key, value }) => show(key, value));
}

/** Whether everything the store keeps beside the blocks is what the blocks of the active chain make of it. */
export function assertStoreEqualsReplay({ store, tip, totals }: Chainstate): void {
  const { kv } = store;
  const blocks: Block[] = [];
  for (let height = 0; height <= tip.header.height; height++) blocks.push(store.block(present(store.hashAt(height))));
  assert.equal(store.hashAt(tip.header.height + 1), undefined, 'nothing lies above the tip');
  const ledger = replay(blocks);
  const coinText = ({ address, value, height, coinbase }: Coin): string => `${address} ${value} ${height} ${coinbase}`;
  const coins = [...ledger.coins].map(([key, coin]) => `${key} ${coinText(coin)}`).sort();
  assert.deepEqual(rows(kv, layout.coin, (key, coin) => `${outPointKey(key)} ${coinText(coin)}`).sort(), coins);
  assert.deepEqual(
    rows(
      kv,
      layout.addressCoin,
      ({ address, outpoint }, coin) => `${outPointKey(outpoint)} ${coinText({ address, ...coin })}`,
    ).sort(),
    coins,
  );
  assert.deepEqual(
    rows(kv, layout.addressHistory, ({ address, height, position }, { received, spent }) =>
      [address, height, position, received, spent].join(' '),
    ).sort(),
    ledger.history.map((row) => [row.address, row.height, row.position, row.received, row.spent].join(' ')).sort(),
  );
  assert.deepEqual(
    new Map(scan(kv, layout.balance, { limit: 1_000_000 }).map(({ key, value }) => [key, value])),
    new Map([...ledger.balances].sort()),
  );
  const rich = [...ledger.balances]
    .filter(([, { balance }]) => balance > 0n)
    .sort(([a, x], [b, y]) => (x.balance === y.balance ? (a < b ? -1 : 1) : x.balance > y.balance ? -1 : 1))
    .map(([address, { balance }]) => `${address} ${balance}`);
  assert.deepEqual(
    rows(kv, layout.rich, ({ address, balance }) => `${address} ${balance}`),
    rich,
  );
  assert.deepEqual(
    rows(kv, layout.txIndex, (txid, { height, position }) => `${txid} ${height}/${position}`).sort(),
    [...ledger.places].map(([txid, place]) => `${txid} ${place}`).sort(),
  );
  const supply = [...ledger.coins.values()].reduce((sum, { value }) => sum + value, 0n);
  assert.deepEqual(totals, { transactions: ledger.transactions, addresses: ledger.balances.size, supply });
  for (const block of blocks) {
    for (const { txid, raw } of block.transactions)
      assert.deepEqual(present(store.confirmed(txid)).transaction.raw, raw, `the index leads to transaction ${txid}`);
  }
}
