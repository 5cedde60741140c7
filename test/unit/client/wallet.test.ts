import { expect, test } from 'vitest';
import { createClient } from '../../../client/createClient.js';
import { Wallet } from '../../../client/wallet/wallet.js';
import { genesisBlock } from '../../../shared/consensus/genesis.js';
import { NETWORKS } from '../../../shared/consensus/networks.js';
import { coins } from '../../../shared/model/amount.js';
import { parseWords } from '../../../shared/wallet/words.js';
import { paramsOfDev } from '../../codes/walletCases.js';
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
  const { txid } = await alice.send({ recipients: [{ to: alice.address, amount: 1n }] });
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
    return (await failureFrom(wallet.send({ recipients: [{ to: wallet.address, amount: 1n }] }))).code;
  };
  expect(await send({ name: 'my-testnet', genesis: main })).toBe('peer-network');
  expect(await send({ name: 'dev', genesis: main })).toBe('peer-network');
  expect(await send({ name: 'mine', genesis: 'ab'.repeat(32) }, main)).toBe('peer-network');
  expect(await send({}, main)).toBe('peer-network');
});
