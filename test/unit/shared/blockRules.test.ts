import { describe, expect, test } from 'vitest';
import { toHex } from '../../../shared/bytes/hex.js';
import { blockDelta, coinsMadeBy } from '../../../shared/consensus/blockDelta.js';
import { checkBlock, checkBody } from '../../../shared/consensus/checkBlock.js';
import type { Coin } from '../../../shared/consensus/coins.js';
import { coinbaseValue, connectBlock } from '../../../shared/consensus/connectBlock.js';
import { toAmount } from '../../../shared/model/amount.js';
import { type Block, rootOfTransactions, sealBlock } from '../../../shared/model/block.js';
import { type OutPoint, type OutPointKey, outPointKey } from '../../../shared/model/outpoint.js';
import { sealTransaction, type Transaction } from '../../../shared/model/transaction.js';
import { assertOk, present } from '../../kit/assertOk.js';
import { coinbase, type Spendable, testKey, transfer } from '../../kit/builders.js';
import { TestChain } from '../../kit/testChain.js';

const source = new TestChain();
const { params } = source;
const genesis = source.genesis.header.hash;
const grown = source.grow(source.genesis, 4);
const [first, second, , parent] = [0, 1, 2, 3].map((i) => present(grown[i]));
const tip = present(parent);
const height = tip.header.height + 1;
const [alice, bob] = [testKey(1), testKey(2)];
const [coin, other] = [source.coinOf(present(first)), source.coinOf(present(second))];
const REWARD = params.reward;

/** Pays `value` of one coin to Bob. */
const pay = (spend: readonly Spendable[], value: bigint) =>
  transfer({ genesis, spend, outputs: [{ address: bob.address, value }] });
/** The first output of a transaction, to be spent by Bob. */
const outputOf = (transaction: Transaction): Spendable => ({
  outpoint: { txid: transaction.txid, index: 0 },
  coin: present(transaction.body.outputs[0]),
  key: bob,
});
const own = coinbase({ params, height, address: alice.address });
const paid = pay([coin], 1_000n);
const child = pay([outputOf(paid)], 900n);
const block = (...transactions: Transaction[]): Block => source.raw(tip, transactions);

describe('a body and its header', () => {
  test('the transactions are those the header commits to', () => {
    const whole = block(own, paid);
    expect(checkBody(whole)).toEqual({ ok: true, value: undefined });
    expect(checkBody(sealBlock(whole.header, [own, child]))).toEqual({
      ok: false,
      reject: {
        code: 'block-root',
        computed: toHex(rootOfTransactions([own, child])),
        claimed: toHex(whole.header.merkleRoot),
      },
    });
  });

  test('it may have 2,000,000 bytes, and not one more', () => {
    const whole = block(own);
    expect(checkBody({ ...whole, raw: new Uint8Array(2_000_000) }).ok).toBe(true);
    expect(checkBody({ ...whole, raw: new Uint8Array(2_000_001) })).toEqual({
      ok: false,
      reject: { code: 'block-too-large', size: 2_000_001, limit: 2_000_000 },
    });
  });
});

describe('a block without its coins', () => {
  const judge = (...transactions: Transaction[]) => checkBlock(block(...transactions), params);
  const refused = (reject: object) => ({ ok: false, reject });

  test('a coinbase, and transfers that spend coins of the chain and of each other, pass', () => {
    expect(judge(own)).toEqual({ ok: true, value: undefined });
    expect(judge(own, paid, child, pay([other], 5n))).toEqual({ ok: true, value: undefined });
  });

  test('it begins with a coinbase and has no other', () => {
    expect(judge()).toEqual(refused({ code: 'block-no-coinbase' }));
    expect(judge(paid, own)).toEqual(refused({ code: 'block-no-coinbase' }));
    const second = coinbase({ params, height, address: bob.address });
    expect(judge(own, second)).toEqual(refused({ code: 'block-extra-coinbase', position: 1 }));
    expect(judge(own, paid, second)).toEqual(refused({ code: 'block-extra-coinbase', position: 2 }));
  });

  test('its coinbase names its height and has no signatures', () => {
    const late = coinbase({ params, height: height + 1, address: alice.address });
    expect(judge(late)).toEqual(refused({ code: 'block-coinbase-height', height: height + 1, expected: height }));
    const signed = sealTransaction(own.body, [new Uint8Array(65)]);
    expect(judge(signed)).toEqual(refused({ code: 'block-coinbase-signatures', signatures: 1 }));
  });

  test('no transaction stands in it twice, in whatever signed form', () => {
    const reSigned = sealTransaction(paid.body, [new Uint8Array(65)]);
    expect(judge(own, paid, child, reSigned)).toEqual(
      refused({ code: 'block-duplicate-tx', position: 3, txid: paid.txid }),
    );
  });

  test('each transaction keeps the rules of its kind, at the height of the block', () => {
    const empty = sealTransaction({ ...paid.body, outputs: [] }, paid.signatures);
    expect(judge(own, child, empty)).toEqual(
      refused({ code: 'block-tx', position: 2, reject: { code: 'tx-no-outputs' } }),
    );
    const wordy = sealTransaction({ ...own.body, memo: new Uint8Array(81) }, []);
    expect(judge(wordy)).toEqual(
      refused({ code: 'block-tx', position: 0, reject: { code: 'tx-memo-too-long', length: 81, limit: 80 } }),
    );
    expect(judge(sealTransaction({ ...own.body, outputs: [] }, [])).ok, 'a coinbase may pay nobody').toBe(true);
    const upgraded = { ...params, upgrades: [{ height, version: 2 }] };
    const modern = transfer({ genesis, spend: [coin], outputs: [{ address: bob.address, value: 1n }], version: 2 });
    expect(checkBlock(block(own, modern), upgraded).ok).toBe(true);
    expect(judge(own, modern).ok).toBe(false);
  });

  test('a transaction stands after those whose coins it spends', () => {
    expect(judge(own, child, paid)).toEqual(refused({ code: 'block-order', position: 1, parent: 2 }));
    // No hash makes one that spends its own coins; the rule would refuse it all the same.
    const own2 = { ...child, txid: paid.txid };
    expect(judge(own, own2)).toEqual(refused({ code: 'block-order', position: 1, parent: 1 }));
  });

  test('no coin is spent twice, by two transactions or by one', () => {
    const again = pay([other, coin], 1_001n);
    expect(judge(own, paid, again)).toEqual(
      refused({ code: 'block-double-spend', position: 2, outpoint: outPointKey(coin.outpoint) }),
    );
    const childAgain = pay([outputOf(paid)], 901n);
    expect(judge(own, paid, child, childAgain)).toMatchObject(refused({ code: 'block-double-spend', position: 3 }));
  });
});

describe('a block with its coins', () => {
  const coins = new Map<OutPointKey, Coin>(
    grown.flatMap((each) => {
      const { outpoint, coin: made } = source.coinOf(each);
      return [[outPointKey(outpoint), { ...made, height: each.header.height, coinbase: true }] as const];
    }),
  );
  const asked: OutPointKey[] = [];
  const view = {
    get: (outpoint: OutPoint) => {
      asked.push(outPointKey(outpoint));
      return coins.get(outPointKey(outpoint));
    },
  };
  const judge = (whole: Block) => connectBlock(whole, view, { params, genesis });
  const claiming = (fees: bigint) => coinbase({ params, height, address: alice.address, fees });
  const [spentCoin, otherCoin] = [coin, other].map(({ outpoint }) => present(coins.get(outPointKey(outpoint))));

  test('what passes tells the coins spent in order, the fees, the checks to do, and how the coins change', () => {
    const last = pay([other, outputOf(child)], REWARD);
    const whole = block(claiming(900n + REWARD - 900n), paid, child, last);
    asked.length = 0;
    const connection = assertOk(judge(whole));
    const made = (transaction: Transaction, isCoinbase = false): Coin => ({
      ...present(transaction.body.outputs[0]),
      height: whole.header.height,
      coinbase: isCoinbase,
    });
    expect(connection.spent).toEqual([spentCoin, made(paid), otherCoin, made(child)]);
    expect(connection.fees).toBe(REWARD - 1_000n + 100n + 900n);
    expect(connection.checks.map(({ position }) => position)).toEqual([1, 2, 3]);
    expect(connection.checks.map(({ check }) => check().signatures)).toEqual(
      [paid, child, last].map(({ signatures }) => signatures),
    );
    expect(connection.delta).toEqual({
      removed: [
        { outpoint: coin.outpoint, coin: spentCoin },
        { outpoint: other.outpoint, coin: otherCoin },
      ],
      added: [
        { outpoint: { txid: present(whole.transactions[0]).txid, index: 0 }, coin: made(claiming(REWARD), true) },
        { outpoint: { txid: last.txid, index: 0 }, coin: made(last) },
      ],
    });
    expect(asked, 'coins of the block itself are not looked for below it').toEqual(
      [coin.outpoint, other.outpoint].map(outPointKey),
    );
  });

  test('the coinbase may claim reward and fees, or less, and not one unit more', () => {
    const fee = REWARD - 1_000n;
    expect(judge(block(claiming(fee), paid)).ok).toBe(true);
    expect(judge(block(claiming(fee - 1n), paid)).ok).toBe(true);
    expect(judge(block(claiming(fee + 1n), paid))).toEqual({
      ok: false,
      reject: { code: 'block-coinbase-value', claimed: REWARD + fee + 1n, allowed: REWARD + fee },
    });
  });

  test('a transfer that cannot have its coins is named by its place, with its own reason', () => {
    const immature = pay([source.coinOf(tip)], 1n);
    expect(judge(block(own, paid, immature))).toEqual({
      ok: false,
      reject: {
        code: 'block-tx',
        position: 2,
        reject: {
          code: 'tx-immature',
          outpoint: outPointKey(source.coinOf(tip).outpoint),
          spendableAt: tip.header.height + params.coinbaseMaturity,
        },
      },
    });
    const early = pay([{ ...outputOf(own), key: alice }], 1n);
    expect(judge(block(own, early))).toMatchObject({ ok: false, reject: { reject: { code: 'tx-immature' } } });
  });
});

describe('how a block changes the coins', () => {
  const whole = block(own, paid, child);
  const spent: Coin[] = [
    { address: alice.address, value: REWARD, height: present(first).header.height, coinbase: true },
    { address: bob.address, value: toAmount(1_000n), height: whole.header.height, coinbase: false },
  ];

  test('what its transactions make from each other is in neither list', () => {
    const { added, removed } = blockDelta(whole, spent);
    expect(removed).toEqual([{ outpoint: coin.outpoint, coin: spent[0] }]);
    expect(added.map(({ outpoint }) => outpoint.txid)).toEqual([own.txid, child.txid]);
  });

  test('an undo record with a coin too few or too many is not this block’s', () => {
    const { hash } = whole.header;
    expect(() => blockDelta(whole, spent.slice(1))).toThrow(`undo of block ${hash} ends after 1 coins`);
    expect(() => blockDelta(whole, [...spent, ...spent])).toThrow(`undo of block ${hash} has 4 coins, not 2`);
  });

  test('each output makes a coin at its place, and only those of a coinbase have to ripen', () => {
    const two = transfer({
      genesis,
      spend: [coin],
      outputs: [
        { address: bob.address, value: 1n },
        { address: alice.address, value: 2n },
      ],
    });
    expect(coinsMadeBy(whole, two)).toEqual([
      {
        outpoint: { txid: two.txid, index: 0 },
        coin: { address: bob.address, value: 1n, height: whole.header.height, coinbase: false },
      },
      {
        outpoint: { txid: two.txid, index: 1 },
        coin: { address: alice.address, value: 2n, height: whole.header.height, coinbase: false },
      },
    ]);
    expect(coinsMadeBy(whole, own).map(({ coin: made }) => made.coinbase)).toEqual([true]);
  });

  test('a coinbase pays the sum of its outputs, and a block without one pays nothing', () => {
    expect(coinbaseValue(whole)).toBe(REWARD);
    expect(coinbaseValue({ ...whole, transactions: [] })).toBe(0n);
  });
});
