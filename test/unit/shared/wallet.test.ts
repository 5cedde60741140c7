import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkInputs, checkSignatures } from '../../../shared/consensus/checkInputs.js';
import { checkTransfer } from '../../../shared/consensus/checkTransaction.js';
import type { Coin } from '../../../shared/consensus/coins.js';
import { genesisBlock } from '../../../shared/consensus/genesis.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import { nobleEngine } from '../../../shared/crypto/secp.js';
import { formatAddress } from '../../../shared/model/address.js';
import { toAmount } from '../../../shared/model/amount.js';
import { toHeight } from '../../../shared/model/height.js';
import { idFromBytes, type TxId } from '../../../shared/model/ids.js';
import { outPointKey } from '../../../shared/model/outpoint.js';
import type { TransferBody } from '../../../shared/model/transaction.js';
import { deriveKey } from '../../../shared/wallet/keys.js';
import { selectCoins } from '../../../shared/wallet/selectCoins.js';
import { signTransfer } from '../../../shared/wallet/signTransfer.js';
import { parseWords, seedOf } from '../../../shared/wallet/words.js';
import { assertOk } from '../../kit/assertOk.js';
import { testKey } from '../../kit/builders.js';

describe('keys', () => {
  test('the test phrase gives the addresses that every Ethereum wallet shows for it', () => {
    const seed = seedOf(parseWords(`${'test '.repeat(11)}junk`));
    // The well-known accounts of Ethereum's development nodes.
    expect([0, 1, 2].map((index) => formatAddress(deriveKey(seed, 0, index).address))).toEqual([
      '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
      '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
      '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC',
    ]);
    expect(deriveKey(seed, 2, 7).path).toBe("m/44'/60'/2'/0/7");
  });

  test('words may be typed with capitals and more space', () => {
    expect(parseWords(`  ${'Abandon   '.repeat(11)} ABOUT\n`)).toBe(`${'abandon '.repeat(11)}about`);
  });
});

describe('choosing coins and signing', () => {
  const { hash: genesis } = genesisBlock(NETWORKS.dev).header;
  const owners = [testKey(1), testKey(2), testKey(3)];
  const coin = fc.record({ owner: fc.nat(2), value: fc.integer({ min: 1, max: 5_000 }) });
  const plan = fc.record({
    coins: fc.array(coin, { minLength: 1, maxLength: 12 }),
    amount: fc.integer({ min: 1, max: 20_000 }),
    feeRate: fc.integer({ min: 1, max: 5 }),
    memoBytes: fc.nat(80),
  });

  test('what is chosen pays the amount, the fee and the change to the last unit, at no less than the rate, and validates', () => {
    fc.assert(
      fc.property(plan, ({ coins, amount, feeRate, memoBytes }) => {
        const available = coins.map(({ owner, value }, i) => {
          const made: Coin = {
            address: owners[owner]?.address ?? testKey(1).address,
            value: toAmount(value),
            height: toHeight(1),
            coinbase: false,
          };
          const txid: TxId = idFromBytes(new Uint8Array(32).fill(i + 1));
          return { outpoint: { txid, index: i }, coin: made };
        });
        const selection = selectCoins(available, { amount: BigInt(amount), outputs: 1, memoBytes, feeRate });
        const total = coins.reduce((sum, { value }) => sum + BigInt(value), 0n);
        if (!selection.ok) {
          expect(selection.reject.available).toBe(total);
          expect(selection.reject.needed).toBeGreaterThan(total);
          return;
        }
        const { coins: chosen, fee, change } = selection.value;
        const spent = chosen.reduce((sum, { coin: { value } }) => sum + value, 0n);
        expect(spent).toBe(BigInt(amount) + fee + change);
        const outputs = [BigInt(amount), ...(change > 0n ? [change] : [])];
        const body: TransferBody = {
          kind: 'transfer',
          version: 1,
          timestamp: 0,
          inputs: chosen.map(({ outpoint }) => outpoint),
          outputs: outputs.map((value) => ({ address: testKey(9).address, value: toAmount(value) })),
          memo: new Uint8Array(memoBytes),
        };
        const signed = signTransfer(body, {
          genesis,
          spent: chosen.map(({ coin: each }) => each),
          secretKeyOf: (owner) => owners.find(({ address }) => address === owner)?.secretKey,
        });
        expect(fee).toBeGreaterThanOrEqual(BigInt(signed.raw.length * feeRate));
        const found = new Map(available.map(({ outpoint, coin: each }) => [outPointKey(outpoint), each]));
        assertOk(checkTransfer(signed, NETWORKS.dev, 10));
        const inputs = assertOk(
          checkInputs(
            signed,
            { get: (outpoint) => found.get(outPointKey(outpoint)) },
            { params: NETWORKS.dev, genesis, height: 10 },
          ),
        );
        expect(inputs.fee).toBe(fee);
        expect(signed.signatures).toHaveLength(new Set(inputs.spent.map(({ address }) => address)).size);
        assertOk(checkSignatures(nobleEngine, inputs.signatures()));
      }),
      { numRuns: 60 },
    );
  });

  test('ten coins of one owner cost one signature', () => {
    const coins = Array.from({ length: 10 }, () => ({ address: testKey(1).address, value: toAmount(5n) }));
    const body: TransferBody = {
      kind: 'transfer',
      version: 1,
      timestamp: 0,
      memo: new Uint8Array(0),
      inputs: coins.map((_, i) => ({ txid: idFromBytes<TxId>(new Uint8Array(32).fill(i)), index: 0 })),
      outputs: [{ address: testKey(2).address, value: toAmount(50n) }],
    };
    const signed = signTransfer(body, { genesis, spent: coins, secretKeyOf: () => testKey(1).secretKey });
    expect(signed.signatures).toHaveLength(1);
  });
});
