import { expect, test } from 'vitest';
import * as z from 'zod';
import { createClient } from '../../../client/createClient.js';
import { Wallet } from '../../../client/wallet/wallet.js';
import { parseBase64 } from '../../../shared/bytes/base64.js';
import { genesisBlock } from '../../../shared/consensus/genesis.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import { TrestleError } from '../../../shared/errors.js';
import { coins } from '../../../shared/model/amount.js';
import { decodeTransaction, outputValue } from '../../../shared/model/transaction.js';
import { parseWords } from '../../../shared/wallet/words.js';
import { paramsOfDev } from '../../codes/walletCases.js';
import { present } from '../../kit/assertOk.js';
import { failureFrom } from '../../support/failureFrom.js';
import { fakeNode } from '../../support/fakeNode.js';
import { testNode } from '../../support/testNode.js';

const wordsOf = (last: string) => parseWords(`${'abandon '.repeat(11)}${last}`);

test('money is unripe, then confirmed; on its way it is pending with whoever gets it, and in one place only', async () => {
  await using node = await testNode();
  const alice = new Wallet({ client: node.client, words: wordsOf('about') });
  const bob = new Wallet({ client: node.client, words: wordsOf('actual') });
  await node.client.block.generate.mutate({ address: alice.address, count: 3 });
  // On `dev` a coinbase ripens in two blocks: the next block may spend those of heights 1 and 2.
  expect(await alice.balance()).toEqual({ confirmed: coins('3'), pending: 0n, immature: coins('1.5') });

  const { fee } = await alice.send({ recipients: [{ to: bob.address, amount: coins('0.5') }] });
  expect(await bob.balance()).toEqual({ confirmed: 0n, pending: coins('0.5'), immature: 0n });
  const change = coins('1') - fee;
  expect(await alice.balance()).toEqual({ confirmed: coins('1.5'), pending: change, immature: coins('1.5') });

  await node.client.block.generate.mutate({ address: bob.address });
  expect(await bob.balance()).toEqual({ confirmed: coins('0.5'), pending: 0n, immature: coins('1.5') + fee });
  expect(await alice.balance()).toEqual({ confirmed: coins('3') + change, pending: 0n, immature: 0n });
});

test('a wallet goes by whatever clock it is given, also by one with fractions', async () => {
  await using node = await testNode();
  const alice = new Wallet({ client: node.client, words: wordsOf('about'), now: () => 1_234.5 });
  await node.client.block.generate.mutate({ address: alice.address, count: 2 });
  const { txid } = await alice.send({ recipients: [{ to: alice.address, amount: 1_000n }] });
  expect((await node.client.transaction.get.query({ txid })).timestamp).toBe(1_234);
});

test('a wallet with more coins than one page holds counts each of them once', async () => {
  await using node = await testNode();
  const alice = new Wallet({ client: node.client, words: wordsOf('about') });
  await node.client.block.generate.mutate({ address: alice.address, count: 230 });
  const { confirmed, immature } = await alice.balance();
  expect(confirmed + immature).toBe(coins('345'));
});

test('a wallet signs for no network but the one that is meant: keys are the same on all', async () => {
  const params = await paramsOfDev();
  const main = genesisBlock(NETWORKS.main).header.hash;
  const send = async (told: object, genesis?: string): Promise<string> => {
    await using node = await fakeNode({ answers: { 'info.params': { ...params, ...told } } });
    const wallet = new Wallet({ client: createClient({ url: node.url }), words: wordsOf('about'), genesis });
    return (await failureFrom(wallet.send({ recipients: [{ to: wallet.address, amount: 1_000n }] }))).code;
  };
  expect(await send({ name: 'my-testnet', genesis: main })).toBe('peer-network');
  expect(await send({ name: 'dev', genesis: main })).toBe('peer-network');
  expect(await send({ name: 'mine', genesis: 'ab'.repeat(32) }, main)).toBe('peer-network');
  expect(await send({}, main)).toBe('peer-network');
});

test('where nobody names a rate, a wallet pays what its node has seen to be enough, never less than it relays, and no fortune', async () => {
  const params = await paramsOfDev();
  const coin = { txid: 'ab'.repeat(32), index: 0, value: coins('1'), height: 1, spendableAt: 1, spender: null };
  const rateOf = async (estimate: unknown, feeRate?: number): Promise<number | string> => {
    await using node = await fakeNode({
      answers: {
        'info.params': { ...params, minFeeRate: 2 },
        'info.utxos': { items: [coin], next: null, height: 5 },
        'transaction.estimateFee': estimate,
        'transaction.submit': { txid: coin.txid, wtxid: coin.txid, fee: 0n, size: 0 },
      },
    });
    const wallet = new Wallet({ client: createClient({ url: node.url }), words: wordsOf('about') });
    const sent = wallet.send({ recipients: [{ to: wallet.address, amount: 1_000n }], feeRate });
    const failure = await sent.then(
      () => undefined,
      (error: unknown) => (error instanceof TrestleError ? error.code : String(error)),
    );
    if (failure !== undefined) return failure;
    const { input } = present(node.calls.find(({ path }) => path === 'transaction.submit'));
    const { transaction } = z.object({ transaction: z.string() }).parse(input);
    const decoded = decodeTransaction(present(parseBase64(transaction)));
    if (!decoded.ok) throw new Error(decoded.detail);
    const { raw } = decoded.value;
    return Math.floor(Number(coins('1') - outputValue(decoded.value)) / raw.length);
  };
  const seen = (feeRate: number | null) => ({ feeRate, blocks: 6, samples: 50, reason: null });
  expect(await rateOf(seen(7))).toBe(7);
  expect(await rateOf(seen(1))).toBe(2);
  expect(await rateOf(seen(null))).toBe(2);
  // One of an earlier version.
  expect(await rateOf(new TrestleError({ code: 'not-found', detail: 'no such procedure' }))).toBe(2);
  expect(await rateOf(seen(1_001))).toBe('wallet-fee');
  expect(await rateOf(seen(1_001), 3)).toBe(3);
});
