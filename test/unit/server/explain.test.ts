import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VerifiedSet } from '../../../server/chain/verifiedSet.js';
import { explain, RULE_ORDER } from '../../../server/mempool/explain.js';
import type { Signatures } from '../../../server/ports.js';
import { sighash } from '../../../shared/consensus/checkInputs.js';
import { TX_CODES } from '../../../shared/consensus/reject.js';
import { signDigest } from '../../../shared/crypto/secp.js';
import { toAmount } from '../../../shared/model/amount.js';
import { outPointKey } from '../../../shared/model/outpoint.js';
import { decodeTransaction, sealTransaction, type Transaction } from '../../../shared/model/transaction.js';
import { POOL_CODES } from '../../../shared/policy/reject.js';
import type { ReasonCode } from '../../../shared/reasons.js';
import { explainOutput, type TransactionExplanation } from '../../../shared/rpc/insightSchemas.js';
import { assertOk, present } from '../../kit/assertOk.js';
import { coinbase, type Spendable, testKey, transfer } from '../../kit/builders.js';
import { TestChain } from '../../kit/testChain.js';
import { memoryChain, testSignatures } from '../../support/memoryChain.js';
import { memoryMempool } from '../../support/memoryMempool.js';

const [alice, bob] = [testKey(1), testKey(2)];
/** Memory for four plain payments and no more. */
const FOUR_PAYMENTS = 14_000;

/** A mempool on a chain with eight coins, the last two not ripe. */
async function scene(maxBytes = 100_000_000) {
  const source = new TestChain();
  const chain = await memoryChain();
  const blocks = source.grow(source.genesis, 8);
  for (const block of blocks) assertOk(await chain.submitBlock(block));
  const verified = new VerifiedSet();
  const engine = await testSignatures();
  let checks = 0;
  const signatures: Signatures = {
    engine: engine.engine,
    check: (each) => {
      checks += each.length;
      return engine.check(each);
    },
  };
  const mempool = await memoryMempool(chain, { maxBytes, verified, signatures });
  const genesis = source.genesis.header.hash;
  return {
    genesis,
    params: chain.params,
    mempool,
    coins: blocks.map((block) => source.coinOf(block)),
    /** How many signed transactions were checked. */
    checks: () => checks,
    pay: (spend: readonly Spendable[], fee: bigint, ...[memo, parts = 1]: [Uint8Array?, number?]): Transaction => {
      const value = (spend.reduce((sum, { coin }) => sum + coin.value, 0n) - fee) / BigInt(parts);
      const outputs = Array.from({ length: parts }, () => ({ address: alice.address, value }));
      return transfer({ genesis, spend, outputs, ...(memo && { memo }) });
    },
    explain: async (bytes: Uint8Array): Promise<TransactionExplanation> =>
      explainOutput.parse(await explain(bytes, { chain, mempool })),
  };
}
type Scene = Awaited<ReturnType<typeof scene>>;

/** The rule that failed; those before it passed, those after it were not reached. */
function failedRule({ accepted, rules }: TransactionExplanation): { place: number; code: ReasonCode } | undefined {
  expect(rules.map(({ code }) => code)).toEqual(RULE_ORDER);
  const place = rules.findIndex(({ result }) => result === 'failed');
  const expected = rules.map((_, at) => (place < 0 || at < place ? 'passed' : at === place ? 'failed' : 'not-reached'));
  expect(rules.map(({ result }) => result)).toEqual(expected);
  expect(accepted).toBe(place < 0);
  const rule = rules[place];
  if (rule?.result !== 'failed') return undefined;
  expect(rule.reason.code).toBe(rule.code);
  return { place, code: rule.code };
}

function output(of: Transaction, index = 0): Spendable {
  return { outpoint: { txid: of.txid, index }, coin: present(of.body.outputs[index]), key: alice };
}

type Make = (scene: Scene) => Transaction | Uint8Array | Promise<Transaction | Uint8Array>;

const sealed = (from: Transaction, change: object, signatures = from.signatures): Transaction => {
  if (from.body.kind !== 'transfer') throw new Error('no transfer');
  return sealTransaction({ ...from.body, ...change }, signatures);
};
const plain = ({ pay, coins }: Scene): Transaction => pay([present(coins[0])], 1_000n);
const resigned = (transaction: Transaction, { genesis, coins }: Scene, key = alice): Transaction => {
  const { coin } = present(coins[0]);
  const digest = sighash(genesis, transaction.txid, [{ address: coin.address, value: toAmount(coin.value) }]);
  return sealed(transaction, {}, [signDigest(digest, key.secretKey)]);
};

/** For each place in the order of rules, something that passes all before it and fails there. */
const breakers: readonly (readonly [ReasonCode, Make])[] = [
  ['tx-malformed', () => Uint8Array.of(1, 2, 3)],
  ['tx-coinbase-loose', ({ params }) => coinbase({ params, height: 1, address: alice.address })],
  [
    'pool-known',
    async (it) => {
      const known = plain(it);
      assertOk(await it.mempool.submit(known, null));
      return known;
    },
  ],
  ['tx-version', (it) => sealed(plain(it), { version: 2 })],
  ['tx-too-large', (it) => sealed(plain(it), { memo: new Uint8Array(100_000) })],
  ['tx-memo-too-long', (it) => sealed(plain(it), { memo: new Uint8Array(81) })],
  ['tx-no-inputs', (it) => sealed(plain(it), { inputs: [] })],
  ['tx-no-outputs', (it) => sealed(plain(it), { outputs: [] })],
  ['tx-duplicate-input', ({ pay, coins }) => pay([present(coins[0]), present(coins[0])], 1_000n)],
  ['tx-value-zero', (it) => sealed(plain(it), { outputs: [{ address: bob.address, value: toAmount(0n) }] })],
  [
    'tx-value-range',
    (it) =>
      sealed(plain(it), {
        outputs: [it.params.maxSupply, 1n].map((value) => ({ address: bob.address, value: toAmount(value) })),
      }),
  ],
  ['tx-signature-count', (it) => sealed(plain(it), {}, [])],
  ['pool-dust', (it) => sealed(plain(it), { outputs: [{ address: bob.address, value: toAmount(99n) }] })],
  ['tx-input-missing', (it) => it.pay([output(plain(it))], 1_000n)],
  ['tx-immature', ({ pay, coins }) => pay([present(coins[7])], 1_000n)],
  ['tx-overspend', ({ pay, coins }) => pay([present(coins[0])], -1n)],
  [
    'tx-signature-count',
    ({ pay, coins }) => {
      const both = pay([present(coins[0]), present(coins[1])], 1_000n);
      return sealed(both, {}, [...both.signatures, ...both.signatures]);
    },
  ],
  [
    'pool-replacement-size',
    async (it) => {
      const coins = it.coins.slice(0, 5);
      for (const coin of coins) {
        const parent = it.pay([coin], 10_000n, undefined, 24);
        assertOk(await it.mempool.submit(parent, null));
        for (let child = 0; child < 24; child++)
          assertOk(await it.mempool.submit(it.pay([output(parent, child)], 1_000n), null));
      }
      return it.pay(coins, 100_000_000n);
    },
  ],
  [
    'pool-conflict',
    async (it) => {
      assertOk(await it.mempool.submit(plain(it), null));
      return it.pay([present(it.coins[0]), output(plain(it))], 50_000n);
    },
  ],
  [
    'pool-replacement-fee',
    async (it) => {
      assertOk(await it.mempool.submit(plain(it), null));
      return it.pay([present(it.coins[0])], 1_001n);
    },
  ],
  [
    'pool-replacement-rate',
    async (it) => {
      assertOk(await it.mempool.submit(plain(it), null));
      return it.pay(it.coins.slice(0, 3), 1_400n);
    },
  ],
  ['pool-fee-too-low', ({ pay, coins }) => pay([present(coins[0])], 1n)],
  [
    'pool-chain-too-long',
    async (it) => {
      let last = plain(it);
      for (let i = 0; i < 25; i++) {
        assertOk(await it.mempool.submit(last, null));
        last = it.pay([output(last)], 1_000n);
      }
      return last;
    },
  ],
  [
    'pool-chain-too-large',
    async (it) => {
      const parent = it.pay([present(it.coins[0])], 1_000_000n, undefined, 2_400);
      assertOk(await it.mempool.submit(parent, null));
      return it.pay(
        Array.from({ length: 1_500 }, (_, index) => output(parent, index)),
        100_000n,
      );
    },
  ],
  ['tx-signature-invalid', (it) => sealed(plain(it), {}, [new Uint8Array(65)])],
  ['tx-signature-owner', (it) => resigned(plain(it), it, bob)],
  [
    'pool-full',
    async (it) => {
      for (const coin of it.coins.slice(1, 5)) assertOk(await it.mempool.submit(it.pay([coin], 9_000n), null));
      return plain(it);
    },
  ],
];

describe('explain', () => {
  test('knows every rule of transactions and of the pool, and nothing else', () => {
    const departures = ['pool-replaced', 'pool-expired'];
    expect([...new Set<string>(RULE_ORDER), ...departures].sort()).toEqual(
      [...Object.keys(TX_CODES), ...Object.keys(POOL_CODES)].sort(),
    );
    expect(breakers.map(([code]) => code)).toEqual(RULE_ORDER);
  });

  test.each(breakers.map(([code, make], place) => ({ code, make, place })))(
    'tells that $code failed, at place $place of the order, with the reason that submit gives',
    async ({ code, make, place }) => {
      const it = await scene(code === 'pool-full' ? FOUR_PAYMENTS : undefined);
      const made = await make(it);
      const bytes = made instanceof Uint8Array ? made : made.raw;
      const explanation = await it.explain(bytes);
      expect(failedRule(explanation)).toEqual({ place, code });
      const decoded = decodeTransaction(bytes);
      if (!decoded.ok) return;
      const verdict = await it.mempool.submit(decoded.value, null);
      expect(explanation.rules[place]).toMatchObject({ reason: verdict.ok ? null : verdict.reject });
    },
  );

  test('names what it knows of a transaction, whichever rule it breaks', async () => {
    const it = await scene();
    const good = plain(it);
    const { raw, txid, wtxid } = good;
    const facts = { txid, wtxid, size: raw.length, fee: 1_000n, feeRate: 1_000 / raw.length };
    expect(await it.explain(raw)).toMatchObject({ accepted: true, ...facts, missing: [], conflicts: [] });
    assertOk(await it.mempool.submit(good, null));
    expect(await it.explain(raw)).toMatchObject({ accepted: false, ...facts, conflicts: [] });
    const rival = it.pay([present(it.coins[0])], 5_000n);
    expect(await it.explain(rival.raw)).toMatchObject({ accepted: true, fee: 5_000n, conflicts: [txid] });
    const ghost = it.pay([present(it.coins[3])], 1_000n);
    const orphan = it.pay([output(ghost), present(it.coins[1])], 1_000n);
    const missing = [outPointKey(output(ghost).outpoint)];
    expect(await it.explain(orphan.raw)).toMatchObject({ fee: null, feeRate: null, missing, conflicts: [] });
    const nonsense = { txid: null, wtxid: null, size: 3, fee: null, missing: [], conflicts: [] };
    expect(await it.explain(Uint8Array.of(1, 2, 3))).toMatchObject(nonsense);
  });

  test('lists a hundred missing coins and no more', async () => {
    const it = await scene();
    const { key, coin } = present(it.coins[0]);
    const spend = Array.from({ length: 150 }, (_, index) => ({ outpoint: { txid: plain(it).txid, index }, coin, key }));
    expect((await it.explain(it.pay(spend, 1_000n).raw)).missing).toHaveLength(100);
  });

  test('takes nothing in, gives nothing up and tells nobody; what passed is not checked again, what failed is', async () => {
    const it = await scene(FOUR_PAYMENTS);
    const heard: string[] = [];
    for (const name of ['accepted', 'dropped', 'confirmed'] as const)
      it.mempool.events.on(name, () => heard.push(name));
    for (const coin of it.coins.slice(1, 5)) assertOk(await it.mempool.submit(it.pay([coin], 2_000n), null));
    const waiting = () =>
      Array.from(it.mempool.pool.entries(), ({ transaction, arrival }) => [transaction.txid, arrival]);
    const before = [waiting(), it.mempool.pool.usage, it.mempool.minFeeRate];
    const told = heard.length;
    // It would push out another.
    const dear = it.pay([present(it.coins[0])], 50_000n);
    const checks = it.checks();
    for (let i = 0; i < 3; i++) expect((await it.explain(dear.raw)).accepted).toBe(true);
    expect(it.checks()).toBe(checks + 1);
    const forged = resigned(plain(it), it, bob);
    for (let i = 0; i < 3; i++) expect((await it.explain(forged.raw)).accepted).toBe(false);
    expect(it.checks()).toBe(checks + 4);
    expect([waiting(), it.mempool.pool.usage, it.mempool.minFeeRate]).toEqual(before);
    expect(heard).toHaveLength(told);
    assertOk(await it.mempool.submit(dear, null));
    expect(it.checks()).toBe(checks + 4);
  });

  test('whatever is offered: it says what submit then does, for the same reason', async () => {
    const step = fc.record({
      from: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
      fee: fc.oneof(fc.integer({ min: -5, max: 300 }), fc.integer({ min: 200, max: 20_000 })),
      flaw: fc.constantFrom('none', 'none', 'none', 'version', 'memo', 'signature', 'count', 'again'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 25 }),
        fc.integer({ min: FOUR_PAYMENTS, max: 6 * FOUR_PAYMENTS }),
        async (steps, maxBytes) => {
          const it = await scene(maxBytes);
          const spendable = [...it.coins];
          const sent: Transaction[] = [];
          for (const { from, fee, flaw } of steps) {
            const spend = from.map((each) => present(spendable[each % spendable.length]));
            const memo = flaw === 'memo' ? new Uint8Array(81) : undefined;
            let transaction = it.pay(spend, BigInt(fee), memo);
            if (flaw === 'version') transaction = sealed(transaction, { version: 9 });
            if (flaw === 'signature') transaction = sealed(transaction, {}, [new Uint8Array(65)]);
            if (flaw === 'count')
              transaction = sealed(transaction, {}, [...transaction.signatures, ...transaction.signatures]);
            if (flaw === 'again') transaction = sent.at(-1) ?? transaction;
            const explanation = await it.explain(transaction.raw);
            const failed = failedRule(explanation);
            const verdict = await it.mempool.submit(transaction, null);
            expect(explanation.accepted).toBe(verdict.ok);
            if (verdict.ok) expect(explanation).toMatchObject({ fee: verdict.value.fee, size: verdict.value.size });
            const rule = explanation.rules.find(({ result }) => result === 'failed');
            if (!verdict.ok) expect(rule).toEqual({ code: failed?.code, result: 'failed', reason: verdict.reject });
            if (verdict.ok) spendable.push(output(transaction));
            sent.push(transaction);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
