import { toBase64 } from '../../shared/bytes/base64.js';
import { checkBlock, checkBody } from '../../shared/consensus/checkBlock.js';
import { connectBlock } from '../../shared/consensus/connectBlock.js';
import type { BLOCK_CODES } from '../../shared/consensus/reject.js';
import { toAmount } from '../../shared/model/amount.js';
import { rootOfTransactions, sealBlock } from '../../shared/model/block.js';
import { sealHeader } from '../../shared/model/header.js';
import { sealTransaction, type Transaction } from '../../shared/model/transaction.js';
import type { Reason } from '../../shared/reasons.js';
import { assertRefused } from '../kit/assertOk.js';
import { coinbase, testKey, transfer } from '../kit/builders.js';
import { TestChain } from '../kit/testChain.js';
import { failureFrom } from '../support/failureFrom.js';
import { memoryChain } from '../support/memoryChain.js';
import { testNode } from '../support/testNode.js';

const chain = new TestChain();
const { params } = chain;
const genesis = chain.genesis.header.hash;
const [first, , parent] = chain.grow(chain.genesis, 3);
if (first === undefined || parent === undefined) throw new Error('no blocks');
const [alice, bob] = [testKey(1), testKey(2)];
const height = parent.header.height + 1;
const own = coinbase({ params, height, address: alice.address });
const coin = chain.coinOf(first);
const pay = (value: bigint, spend = coin) =>
  transfer({ genesis, spend: [spend], outputs: [{ address: alice.address, value }] });
const paid = pay(1000n);
const child = pay(900n, {
  outpoint: { txid: paid.txid, index: 0 },
  coin: { address: alice.address, value: toAmount(1000n) },
  key: alice,
});

/** The rules without coins, for a mined block of these transactions. */
function judge(transactions: readonly Transaction[]): Reason {
  return assertRefused(checkBlock(chain.raw(parent ?? chain.genesis, transactions), params));
}

/** The rules with coins, where the first block's coin is all there is. */
function judgeWithCoins(transactions: readonly Transaction[]): Reason {
  const view = { get: () => ({ ...coin.coin, height: first?.header.height ?? own.body.height, coinbase: true }) };
  return assertRefused(connectBlock(chain.raw(parent ?? chain.genesis, transactions), view, { params, genesis }));
}

/** For each rule of blocks, something that breaks it and nothing before it. */
export const blockCases: Record<keyof typeof BLOCK_CODES, () => Reason | Promise<Reason>> = {
  'block-malformed': async () => {
    await using node = await testNode();
    return await failureFrom(node.client.block.submit.mutate({ block: toBase64(chain.genesis.raw.subarray(1)) }));
  },
  'block-known-invalid': async () => {
    await using node = await disposable();
    const bad = chain.raw(chain.genesis, [coinbase({ params, height: 1, address: bob.address, fees: 1n })]);
    await node.chain.submitBlock(bad);
    return assertRefused(await node.chain.submitBlock(bad));
  },
  'block-too-large': () => {
    const { header } = chain.genesis;
    const filler = Array.from({ length: 21 }, (_, i) =>
      sealTransaction({ ...paid.body, memo: new Uint8Array(99_000).fill(i) }, []),
    );
    const large = [own, ...filler];
    return assertRefused(checkBody(sealBlock(sealHeader({ ...header, merkleRoot: rootOfTransactions(large) }), large)));
  },
  'block-root': () => {
    const block = chain.raw(parent, [own, paid]);
    return assertRefused(checkBody(sealBlock(block.header, [own, child])));
  },
  'block-no-coinbase': () => judge([paid]),
  'block-extra-coinbase': () => judge([own, coinbase({ params, height, address: bob.address })]),
  'block-coinbase-height': () => judge([coinbase({ params, height: height + 1, address: alice.address })]),
  'block-coinbase-signatures': () => judge([sealTransaction(own.body, [new Uint8Array(65)])]),
  'block-duplicate-tx': () => judge([own, paid, paid]),
  'block-order': () => judge([own, child, paid]),
  'block-double-spend': () => judge([own, paid, pay(999n)]),
  'block-tx': () => judge([own, sealTransaction({ ...paid.body, outputs: [] }, paid.signatures)]),
  'block-coinbase-value': () => judgeWithCoins([coinbase({ params, height, address: bob.address, fees: 1n })]),
};

async function disposable() {
  const opened = await memoryChain();
  return { chain: opened, [Symbol.asyncDispose]: () => opened.close() };
}
