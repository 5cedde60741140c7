import { describe, expect, test } from 'vitest';
import { addressDelta } from '../../../server/chain/addressDelta.js';
import { connectWrites, disconnectWrites } from '../../../server/chain/blockWrites.js';
import type { Write } from '../../../server/store/kv.js';
import { layout } from '../../../server/store/layout.js';
import type { Coin } from '../../../shared/consensus/coins.js';
import { toAmount } from '../../../shared/model/amount.js';
import { HEADER_BYTES } from '../../../shared/model/header.js';
import { assertOk, present } from '../../kit/assertOk.js';
import { coinbase, testKey, transfer } from '../../kit/builders.js';
import { TestChain } from '../../kit/testChain.js';
import { memoryChain } from '../../support/memoryChain.js';

const [alice, bob, carol] = [testKey(1), testKey(2), testKey(3)];
const source = new TestChain();
const grown = source.grow(source.genesis, 4);
const [first, second] = [present(grown[0]), present(grown[1])];
const tip = present(grown.at(-1));
const height = tip.header.height + 1;
const REWARD = source.params.reward;

const own = coinbase({ params: source.params, height, address: carol.address });
const paid = transfer({
  genesis: source.genesis.header.hash,
  spend: [source.coinOf(first), source.coinOf(second)],
  outputs: [
    { address: bob.address, value: REWARD },
    { address: alice.address, value: 5n },
    { address: alice.address, value: 7n },
  ],
});
const onwards = transfer({
  genesis: source.genesis.header.hash,
  spend: [{ outpoint: { txid: paid.txid, index: 0 }, coin: { address: bob.address, value: REWARD }, key: bob }],
  outputs: [{ address: bob.address, value: REWARD }],
});
const block = source.raw(tip, [own, paid, onwards]);
const coin = (address: typeof alice.address, at: number, isCoinbase: boolean): Coin => ({
  address,
  value: REWARD,
  height: present(grown[at] ?? block).header.height,
  coinbase: isCoinbase,
});
const spent: Coin[] = [
  coin(alice.address, 0, true),
  coin(alice.address, 1, true),
  { address: bob.address, value: REWARD, height: block.header.height, coinbase: false },
];

describe('what a block does to addresses', () => {
  const { rows, sums } = addressDelta(block, spent);

  test('each transaction makes one row for each address it touches, with all that it got and spent', () => {
    expect(rows).toEqual([
      { address: carol.address, position: 0, txid: own.txid, received: REWARD, spent: 0n },
      { address: bob.address, position: 1, txid: paid.txid, received: REWARD, spent: 0n },
      { address: alice.address, position: 1, txid: paid.txid, received: 12n, spent: 2n * REWARD },
      { address: bob.address, position: 2, txid: onwards.txid, received: REWARD, spent: REWARD },
    ]);
  });

  test('each address has the sums over the block, its coins counted', () => {
    expect(Object.fromEntries(sums)).toEqual({
      [carol.address]: { received: REWARD, spent: 0n, coins: 1, rows: 1 },
      [bob.address]: { received: 2n * REWARD, spent: REWARD, coins: 1, rows: 2 },
      [alice.address]: { received: 12n, spent: 2n * REWARD, coins: 0, rows: 1 },
    });
  });
});

describe('what a block writes', () => {
  async function chain() {
    const opened = await memoryChain();
    for (const each of grown) assertOk(await opened.submitBlock(each));
    return opened;
  }

  /** How many writes of each kind go to a space. */
  function counts(writes: readonly Write[], { prefix }: { readonly prefix: number }): [number, number] {
    const of = writes.filter(({ key }) => key[0] === prefix);
    const puts = of.filter(({ kind }) => kind === 'put').length;
    return [puts, of.length - puts];
  }

  const countsOfAll = (writes: readonly Write[]) =>
    Object.fromEntries(Object.values(layout).map((space) => [space.name, counts(writes, space)]));

  test('forwards: each index gets its rows, and a balance that stays keeps its place on the rich list', async () => {
    const { store, totals } = await chain();
    const { writes, totals: after } = connectWrites({ store, block, spent, totals });
    expect(countsOfAll(writes)).toEqual({
      header: [0, 0],
      tips: [0, 0],
      chain: [1, 0],
      block: [0, 0],
      undo: [1, 0],
      coin: [4, 2],
      txIndex: [3, 0],
      addressCoin: [4, 2],
      addressHistory: [4, 0],
      balance: [3, 0],
      rich: [3, 1],
      peer: [0, 0],
      ban: [0, 0],
      meta: [0, 0],
    });
    expect(after).toEqual({
      transactions: totals.transactions + 3,
      addresses: totals.addresses + 2,
      supply: totals.supply + REWARD - (REWARD - 12n),
    });
  });

  test('nothing is written for the rich list where a block leaves every balance as it was', async () => {
    const { store, totals } = await chain();
    // Alice pays all to herself, and the coinbase claims nothing.
    const same = transfer({
      genesis: source.genesis.header.hash,
      spend: [source.coinOf(first)],
      outputs: [{ address: alice.address, value: REWARD }],
    });
    const nothing = coinbase({ params: { ...source.params, reward: toAmount(0n) }, height, address: carol.address });
    const { writes } = connectWrites({
      store,
      block: source.raw(tip, [nothing, same]),
      spent: spent.slice(0, 1),
      totals,
    });
    expect([counts(writes, layout.balance), counts(writes, layout.rich)]).toEqual([
      [1, 0],
      [0, 0],
    ]);
  });

  test('backwards: each row is taken out again, and the sums are what they were', async () => {
    const opened = await chain();
    const { store, totals } = opened;
    assertOk(await opened.submitBlock(block));
    const { writes, totals: after } = disconnectWrites({ store, block, spent, totals: opened.totals });
    expect(countsOfAll(writes)).toEqual({
      header: [0, 0],
      tips: [0, 0],
      chain: [0, 1],
      block: [0, 0],
      undo: [0, 0],
      coin: [2, 4],
      txIndex: [0, 3],
      addressCoin: [2, 4],
      addressHistory: [0, 4],
      balance: [1, 2],
      rich: [1, 3],
      peer: [0, 0],
      ban: [0, 0],
      meta: [0, 0],
    });
    expect(after).toEqual(totals);
  });

  test('where a transaction stands is counted back from the end of the block, and never within the header', async () => {
    const { store, totals } = await chain();
    const bytes = block.transactions.reduce((sum, { raw }) => sum + raw.length, 0);
    const ofSize = (size: number) => () =>
      connectWrites({ store, block: { ...block, raw: new Uint8Array(size) }, spent, totals });
    expect(ofSize(HEADER_BYTES + bytes)).toThrow(`block ${block.header.hash} is shorter than its transactions`);
    expect(ofSize(HEADER_BYTES + bytes + 1)).not.toThrow();
  });
});
