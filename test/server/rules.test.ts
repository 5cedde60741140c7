import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toBase64 } from '../../shared/bytes/base64.js';
import type { BLOCK_CODES, HEADER_CODES, TX_CODES } from '../../shared/consensus/reject.js';
import { toAmount } from '../../shared/model/amount.js';
import { type Block, rootOfTransactions, sealBlock } from '../../shared/model/block.js';
import { sealHeader } from '../../shared/model/header.js';
import { toHeight } from '../../shared/model/height.js';
import { parseId, type TxId } from '../../shared/model/ids.js';
import { sealTransaction, type Transaction } from '../../shared/model/transaction.js';
import { present } from '../kit/assertOk.js';
import { coinbase, mine, type TransferPlan, testKey, transfer } from '../kit/builders.js';
import { TestChain } from '../kit/testChain.js';
import { failureFrom } from '../support/failureFrom.js';
import { type TestNode, testNode } from '../support/testNode.js';

/** A chain of five blocks that pay Alice, on which everything below stands. On `dev` a coinbase ripens in two blocks. */
const source = new TestChain();
const { params } = source;
const genesis = source.genesis.header.hash;
const blocks = source.grow(source.genesis, 5);
const [first, second] = [present(blocks[0]), present(blocks[1])];
const tip = present(blocks.at(-1));
const height = tip.header.height + 1;
const [alice, bob] = [testKey(1), testKey(2)];
const outputs = [{ address: bob.address, value: 100_000n }];

const pay = (plan: Partial<TransferPlan> = {}) =>
  transfer({ genesis, spend: [source.coinOf(first)], outputs, ...plan });
const good = pay();
const other = pay({ spend: [source.coinOf(second)] });
const unknown = { txid: present(parseId<TxId>('ab'.repeat(32))), index: 0 };

/** For each rule of transactions, bytes that break it and nothing before it. */
const badTransactions: Record<keyof typeof TX_CODES, Uint8Array> = {
  'tx-malformed': good.raw.subarray(1),
  'tx-coinbase-loose': coinbase({ params, height, address: bob.address }).raw,
  'tx-version': pay({ version: 2 }).raw,
  'tx-too-large': pay({ memo: new Uint8Array(100_000) }).raw,
  'tx-memo-too-long': pay({ memo: new Uint8Array(81) }).raw,
  'tx-no-inputs': sealTransaction({ ...good.body, inputs: [] }, good.signatures).raw,
  'tx-no-outputs': pay({ outputs: [] }).raw,
  'tx-duplicate-input': pay({ spend: [source.coinOf(first), source.coinOf(first)] }).raw,
  'tx-value-zero': pay({ outputs: [...outputs, { address: bob.address, value: 0n }] }).raw,
  'tx-value-range': pay({ outputs: [params.maxSupply, 1n].map((value) => ({ address: bob.address, value })) }).raw,
  'tx-signature-count': sealTransaction(good.body, []).raw,
  'tx-input-missing': pay({ spend: [{ ...source.coinOf(first), outpoint: unknown }] }).raw,
  'tx-immature': pay({ spend: [source.coinOf(tip)] }).raw,
  'tx-overspend': pay({ outputs: [{ address: bob.address, value: 150_000_001n }] }).raw,
  'tx-signature-invalid': sealTransaction(good.body, [new Uint8Array(65)]).raw,
  // A signature of something else recovers somebody else's key.
  'tx-signature-owner': sealTransaction(good.body, other.signatures).raw,
};

const own = coinbase({ params, height, address: bob.address });
const block = (transactions: readonly Transaction[]): Block => source.raw(tip, transactions);
const withHeader = (change: Parameters<typeof source.raw>[2]): Block => source.raw(tip, [own], change);
const child = pay({
  spend: [
    { outpoint: { txid: good.txid, index: 0 }, coin: { address: bob.address, value: toAmount(100_000n) }, key: bob },
  ],
  outputs: [{ address: alice.address, value: 90_000n }],
});
const invalid = block([good]);

function withoutWork(): Block {
  const { header, transactions } = withHeader({ change: { timestamp: 77 } });
  for (let nonce = 0n; ; nonce++) {
    const tried = sealHeader({ ...header, nonce });
    // On `dev` every other hash meets the target.
    if (tried.hash >= '8') return sealBlock(tried, transactions);
  }
}

function tooLarge(): Block {
  const filler = Array.from({ length: 21 }, (_, i) => pay({ memo: new Uint8Array(96_000).fill(i) }));
  const transactions = [own, ...filler];
  return sealBlock(mine({ ...invalid.header, merkleRoot: rootOfTransactions(transactions) }), transactions);
}

/** For each rule of headers and blocks that a submitted block can break, one that does and breaks nothing before it. */
const badBlocks: Record<
  | Exclude<keyof typeof HEADER_CODES, 'header-malformed' | 'header-minimum-work' | 'header-set-aside'>
  | keyof typeof BLOCK_CODES,
  () => Uint8Array
> = {
  'header-version': () => withHeader({ change: { version: 2 } }).raw,
  'header-parent-unknown': () => source.extend(source.extend(source.genesis)).raw,
  'header-height': () => withHeader({ change: { height: toHeight(height + 1) } }).raw,
  'header-time-old': () => withHeader({ timestamp: first.header.timestamp }).raw,
  'header-time-future': () => withHeader({ timestamp: 8.64e15 }).raw,
  'header-bits': () => withHeader({ change: { bits: 0x207ffffe } }).raw,
  'header-work': () => withoutWork().raw,
  'block-malformed': () => tip.raw.subarray(0, -1),
  'block-too-large': () => tooLarge().raw,
  'block-root': () => sealBlock(block([own, good]).header, [own, other]).raw,
  'block-no-coinbase': () => invalid.raw,
  'block-known-invalid': () => invalid.raw,
  'header-parent-invalid': () => source.extend(invalid).raw,
  'block-extra-coinbase': () => block([own, coinbase({ params, height, address: alice.address })]).raw,
  'block-coinbase-height': () => block([coinbase({ params, height: height + 1, address: bob.address })]).raw,
  'block-coinbase-signatures': () => block([sealTransaction(own.body, [new Uint8Array(65)])]).raw,
  'block-duplicate-tx': () => block([own, good, good]).raw,
  'block-order': () => block([own, child, good]).raw,
  'block-double-spend': () => block([own, good, pay({ memo: Uint8Array.of(1) })]).raw,
  'block-tx': () => block([own, sealTransaction(good.body, other.signatures)]).raw,
  'block-coinbase-value': () => block([coinbase({ params, height, address: bob.address, fees: 1n })]).raw,
};

let node: TestNode;
let before: unknown;

/** Everything that a refused block or transaction must leave as it is. */
function state(): Promise<unknown> {
  const { client } = node;
  const address = alice.address;
  return Promise.all([
    client.info.chain.query(),
    client.info.mempool.query().then(({ flow: _, ...mempool }) => mempool),
    client.info.utxos.query({ address }),
    client.info.history.query({ address }),
    client.info.address.query({ address: bob.address }),
    client.block.list.query({}),
  ]);
}

beforeAll(async () => {
  node = await testNode();
  for (const { raw } of blocks) await node.client.block.submit.mutate({ block: toBase64(raw) });
  before = await state();
});

afterAll(() => node[Symbol.asyncDispose]());

describe('sent to a real node, it is refused by its own code, and nothing changes', () => {
  test.each(Object.entries(badTransactions))('a transaction that breaks %s', async (code, raw) => {
    const sent = node.client.transaction.submit.mutate({ transaction: toBase64(raw) });
    expect((await failureFrom(sent)).code).toBe(code);
    expect(await state()).toEqual(before);
  });

  test.each(Object.entries(badBlocks))('a block that breaks %s', async (code, raw) => {
    const sent = node.client.block.submit.mutate({ block: toBase64(raw()) });
    expect((await failureFrom(sent)).code).toBe(code);
    expect(await state()).toEqual(before);
  });
});

test('a block far below the tip, on a branch with too little work, is not stored', async () => {
  await using tall = await testNode();
  await tall.client.block.generate.mutate({ address: bob.address, count: 150 });
  const late = source.extend(source.genesis);
  const sent = tall.client.block.submit.mutate({ block: toBase64(late.raw) });
  expect((await failureFrom(sent)).code).toBe('header-minimum-work');
  expect((await failureFrom(tall.client.block.get.query({ block: late.header.hash }))).code).toBe('not-found');
});

test('after all that was refused, the good ones are still taken', async () => {
  await node.client.transaction.submit.mutate({ transaction: toBase64(good.raw) });
  const next = source.extend(tip, { transactions: [good], fees: 149_900_000n });
  expect((await node.client.block.submit.mutate({ block: toBase64(next.raw) })).status).toBe('connected');
  expect((await node.client.info.mempool.query()).count).toBe(0);
});
