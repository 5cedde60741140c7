import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../../shared/bytes/hex.js';
import { ByteWriter } from '../../../shared/bytes/writer.js';
import { checkInputs, checkSignatures, distinctOwners, sighash } from '../../../shared/consensus/checkInputs.js';
import { checkCoinbase, checkTransfer } from '../../../shared/consensus/checkTransaction.js';
import { type Coin, spendableAt } from '../../../shared/consensus/coins.js';
import { genesisBlock } from '../../../shared/consensus/genesis.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import { hashSighash } from '../../../shared/crypto/hash.js';
import { nobleEngine, signDigest } from '../../../shared/crypto/secp.js';
import { addressBytes } from '../../../shared/model/address.js';
import { toAmount } from '../../../shared/model/amount.js';
import { MAX_HEIGHT, toHeight } from '../../../shared/model/height.js';
import { idBytes, parseId, type TxId } from '../../../shared/model/ids.js';
import { outPointKey } from '../../../shared/model/outpoint.js';
import { sealTransaction, type TransferBody } from '../../../shared/model/transaction.js';
import { assertOk, present } from '../../kit/assertOk.js';
import { coinbase, type Spendable, type TransferPlan, testKey, transfer } from '../../kit/builders.js';
import * as arbitrary from '../../support/arbitraries.js';

const params = NETWORKS.test;
const genesis = genesisBlock(params).header.hash;
const [alice, bob] = [testKey(1), testKey(2)];
const height = 50;

function coinOf(digit: string, key = alice, value = 1_000n): Spendable & { readonly coin: Coin } {
  const txid = present(parseId<TxId>(digit.repeat(64)));
  const coin = { address: key.address, value: toAmount(value), height: toHeight(20), coinbase: false };
  return { outpoint: { txid, index: 0 }, coin, key };
}

const one = coinOf('1');
const two = coinOf('2');
const outputs = [{ address: bob.address, value: 900n }];
const pay = (plan: Partial<TransferPlan> = {}) => transfer({ genesis, spend: [one], outputs, ...plan });
const signature = new Uint8Array(65);

describe('a transfer by itself', () => {
  const judge = (body: Partial<TransferBody>, signatures: readonly Uint8Array[] = [signature]) =>
    checkTransfer(sealTransaction({ ...pay().body, ...body }, signatures), params, height);

  test('it may have a version up to the one of the height it is meant for, and no other', () => {
    const upgraded = { ...params, upgrades: [{ height, version: 3 }] };
    const verdictOn = (version: number, at: number) => checkTransfer(pay({ version }), upgraded, at);
    for (const version of [1, 2, 3]) expect(verdictOn(version, height).ok, `version ${version}`).toBe(true);
    expect(verdictOn(1, height - 1).ok).toBe(true);
    const refusal = (version: number, highest: number) => ({
      ok: false,
      reject: { code: 'tx-version', version, highest },
    });
    expect(verdictOn(2, height - 1)).toEqual(refusal(2, 1));
    expect(verdictOn(4, height)).toEqual(refusal(4, 3));
    expect(verdictOn(0, height)).toEqual(refusal(0, 3));
  });

  test('it may have 100,000 bytes, and not one more', () => {
    // Outputs of 21 bytes each, and a memo that makes up the rest.
    const many = Array.from({ length: 4_755 }, () => ({ address: bob.address, value: toAmount(1n) }));
    const smallest = sealTransaction({ ...pay().body, outputs: many }, [signature]).raw.length;
    const fill = 100_000 - smallest;
    expect(fill).toBeGreaterThan(0);
    expect(judge({ outputs: many, memo: new Uint8Array(fill) }).ok).toBe(true);
    expect(judge({ outputs: many, memo: new Uint8Array(fill + 1) })).toEqual({
      ok: false,
      reject: { code: 'tx-too-large', size: 100_001, limit: 100_000 },
    });
  });

  test('its memo may have 80 bytes, and not one more', () => {
    expect(judge({ memo: new Uint8Array(80) }).ok).toBe(true);
    const reject = { code: 'tx-memo-too-long', length: 81, limit: 80 };
    expect(judge({ memo: new Uint8Array(81) })).toEqual({ ok: false, reject });
  });

  test('it spends something, pays somebody, and names each coin once', () => {
    expect(judge({ inputs: [] })).toEqual({ ok: false, reject: { code: 'tx-no-inputs' } });
    expect(judge({ outputs: [] })).toEqual({ ok: false, reject: { code: 'tx-no-outputs' } });
    const inputs = [one.outpoint, two.outpoint, { ...one.outpoint, index: 1 }];
    expect(judge({ inputs }).ok).toBe(true);
    const reject = { code: 'tx-duplicate-input', outpoint: outPointKey(two.outpoint) };
    expect(judge({ inputs: [...inputs, two.outpoint] })).toEqual({ ok: false, reject });
  });

  test('its outputs are worth something each, and no partial sum is above what can exist (CVE-2010-5139)', () => {
    const worth = (...values: bigint[]) =>
      judge({ outputs: values.map((value) => ({ address: bob.address, value: toAmount(value) })) });
    expect(worth(1n).ok).toBe(true);
    expect(worth(params.maxSupply - 1n, 1n).ok).toBe(true);
    expect(worth(1n, 0n, 1n)).toEqual({ ok: false, reject: { code: 'tx-value-zero', output: 1 } });
    expect(worth(params.maxSupply, 1n, 1n)).toEqual({ ok: false, reject: { code: 'tx-value-range', output: 1 } });
    expect(worth(params.maxSupply + 1n)).toEqual({ ok: false, reject: { code: 'tx-value-range', output: 0 } });
  });

  test('it has from one signature to one for each input', () => {
    const inputs = [one.outpoint, two.outpoint];
    const signed = (count: number) => judge({ inputs }, Array(count).fill(signature));
    expect([signed(1).ok, signed(2).ok]).toEqual([true, true]);
    for (const signatures of [0, 3])
      expect(signed(signatures)).toEqual({
        ok: false,
        reject: { code: 'tx-signature-count', signatures, expected: '1 to 2' },
      });
  });

  test('of several broken rules, the first in the order of the list is told', () => {
    const broken: Partial<TransferBody> = {
      version: 2,
      memo: new Uint8Array(100_000),
      inputs: [],
      outputs: [],
    };
    const healed: [string, Partial<TransferBody>][] = [
      ['tx-version', {}],
      ['tx-too-large', { version: 1 }],
      ['tx-memo-too-long', { memo: new Uint8Array(81) }],
      ['tx-no-inputs', { memo: new Uint8Array(0) }],
      ['tx-no-outputs', { inputs: [one.outpoint, one.outpoint] }],
      ['tx-duplicate-input', { outputs: [{ address: bob.address, value: toAmount(0n) }] }],
      ['tx-value-zero', { inputs: [one.outpoint] }],
      ['tx-signature-count', { outputs: [{ address: bob.address, value: toAmount(1n) }] }],
    ];
    let body = broken;
    for (const [code, change] of healed) {
      body = { ...body, ...change };
      expect(judge(body, [])).toMatchObject({ ok: false, reject: { code } });
    }
  });
});

describe('a coinbase by itself', () => {
  const plain = coinbase({ params, height, address: alice.address });
  const judge = (change: Partial<typeof plain.body>) =>
    checkCoinbase(sealTransaction({ ...plain.body, ...change }, []), params, height);

  test('it may pay nobody', () => {
    expect(judge({}).ok).toBe(true);
    expect(judge({ outputs: [] }).ok).toBe(true);
  });

  test('version, memo and values are held to the rules of every transaction', () => {
    expect(judge({ version: 2 })).toMatchObject({ ok: false, reject: { code: 'tx-version' } });
    expect(judge({ memo: new Uint8Array(81) })).toMatchObject({ ok: false, reject: { code: 'tx-memo-too-long' } });
    const paying = (value: bigint) => judge({ outputs: [{ address: alice.address, value: toAmount(value) }] });
    expect(paying(0n)).toMatchObject({ ok: false, reject: { code: 'tx-value-zero' } });
    expect(paying(params.maxSupply + 1n)).toMatchObject({ ok: false, reject: { code: 'tx-value-range' } });
  });
});

describe('a transfer and its coins', () => {
  /** The verdict where these coins are all there are. */
  function judge(transaction: ReturnType<typeof pay>, coins: readonly (Spendable & { readonly coin: Coin })[]) {
    const found = new Map(coins.map(({ outpoint, coin }) => [outPointKey(outpoint), coin]));
    const view = { get: (outpoint: Parameters<typeof outPointKey>[0]) => found.get(outPointKey(outpoint)) };
    return checkInputs(transaction, view, { params, genesis, height });
  }

  test('what passes comes with its coins in order, its fee, and who must have signed what', () => {
    const spend = [two, coinOf('3', bob, 7n), one];
    const signed = pay({ spend, outputs: [{ address: bob.address, value: 2_000n }] });
    const { signatures, ...sums } = assertOk(judge(signed, spend));
    expect({ ...sums, signatures: signatures() }).toEqual({
      spent: spend.map(({ coin }) => coin),
      fee: 7n,
      signatures: {
        digest: sighash(
          genesis,
          signed.txid,
          spend.map(({ coin }) => coin),
        ),
        signatures: signed.signatures,
        owners: [alice.address, bob.address],
      },
    });
  });

  test('a coin that is not there is named', () => {
    const reject = { code: 'tx-input-missing', outpoint: outPointKey(two.outpoint) };
    expect(judge(pay({ spend: [one, two] }), [one])).toEqual({ ok: false, reject });
  });

  test('a coinbase is spendable when it is as deep as the network asks, and not one block before', () => {
    const deep = (blocks: number, isCoinbase = true) => {
      const made = { ...one, coin: { ...one.coin, height: toHeight(height - blocks), coinbase: isCoinbase } };
      return judge(pay(), [made]);
    };
    expect(deep(params.coinbaseMaturity).ok).toBe(true);
    const reject = { code: 'tx-immature', outpoint: outPointKey(one.outpoint), spendableAt: height + 1 };
    expect(deep(params.coinbaseMaturity - 1)).toEqual({ ok: false, reject });
    expect(deep(0, false).ok, 'any other coin may be spent at once').toBe(true);
  });

  test('it may pay out all that it spends, and not one unit more', () => {
    const paying = (value: bigint) => judge(pay({ outputs: [{ address: bob.address, value }] }), [one]);
    expect(assertOk(paying(1_000n)).fee).toBe(0n);
    expect(paying(1_001n)).toEqual({ ok: false, reject: { code: 'tx-overspend', inputs: 1_000n, outputs: 1_001n } });
  });

  test('there is one signature for each owner, neither fewer nor more', () => {
    const other = coinOf('3', bob);
    const { body } = pay({ spend: [one, two, other] });
    const signed = (count: number) => judge(sealTransaction(body, Array(count).fill(signature)), [one, two, other]);
    expect(signed(2).ok).toBe(true);
    for (const signatures of [1, 3])
      expect(signed(signatures)).toEqual({
        ok: false,
        reject: { code: 'tx-signature-count', signatures, expected: '2' },
      });
  });
});

describe('signatures', () => {
  test('what is signed is network, transaction, and address and value of each coin in order', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ address: arbitrary.address, value: arbitrary.amount })), (spent) => {
        const coins = new ByteWriter();
        for (const { address, value } of spent) coins.bytes(addressBytes(address)).u64(value);
        const { txid } = one.outpoint;
        const digest = hashSighash(idBytes(genesis), idBytes(txid), coins.finish());
        expect(toHex(sighash(genesis, txid, spent))).toBe(toHex(digest));
      }),
    );
  });

  test('each owner signs once, in the order in which owners first appear', () => {
    const [a, b, c] = [1, 2, 3].map((number) => ({ address: testKey(number).address }));
    const owners = distinctOwners([b, a, b, c, a].flatMap((each) => each ?? []));
    expect(owners).toEqual([b?.address, a?.address, c?.address]);
  });

  test('they are judged one by one against the owners, and the first that is not an owner’s is named', () => {
    const digest = new Uint8Array(32).fill(7);
    const [byAlice, byBob] = [alice, bob].map(({ secretKey }) => signDigest(digest, secretKey));
    const judge = (signatures: (Uint8Array | undefined)[], owners = [alice.address, bob.address]) =>
      checkSignatures(nobleEngine, { digest, signatures: signatures.flatMap((each) => each ?? []), owners });
    expect(judge([byAlice, byBob]).ok).toBe(true);
    expect(judge([byAlice, byAlice])).toEqual({
      ok: false,
      reject: { code: 'tx-signature-owner', signature: 1, owner: bob.address, signer: alice.address },
    });
    expect(judge([byBob, byAlice])).toMatchObject({ ok: false, reject: { signature: 0 } });
    const invalid = { code: 'tx-signature-invalid', signature: 1 };
    expect(judge([byAlice, signature])).toEqual({ ok: false, reject: invalid });
    expect(judge([byAlice, byBob], [alice.address]), 'a signature without an owner').toEqual({
      ok: false,
      reject: invalid,
    });
  });
});

test('a coin is spendable in the next block, a coinbase when it has ripened, and never above the highest height', () => {
  const at = (made: number, isCoinbase: boolean) =>
    spendableAt({ height: toHeight(made), coinbase: isCoinbase }, params);
  expect(at(7, false)).toBe(8);
  expect(at(7, true)).toBe(17);
  expect(at(MAX_HEIGHT - 1, false)).toBe(MAX_HEIGHT);
  expect(at(MAX_HEIGHT, true)).toBe(MAX_HEIGHT);
});
