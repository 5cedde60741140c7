import { join } from 'node:path';
import { openKeyFile, saveKeyFile } from '../../client/cli/keyfile.js';
import { createClient } from '../../client/createClient.js';
import { Wallet } from '../../client/wallet/wallet.js';
import type { Reason, WalletFailure } from '../../shared/reasons.js';
import type { ParamsView } from '../../shared/rpc/infoSchemas.js';
import { parseWords } from '../../shared/wallet/words.js';
import { failureFrom } from '../support/failureFrom.js';
import { fakeNode } from '../support/fakeNode.js';
import { temporaryDirectory } from '../support/temporary.js';
import { testNode } from '../support/testNode.js';

/** The phrase of BIP 39's first test vector. Everybody knows it: never put money there. */
export const WORDS = parseWords(`${'abandon '.repeat(11)}about`);

/** What an honest node of `dev` tells of its rules. */
export async function paramsOfDev(): Promise<ParamsView> {
  await using node = await testNode();
  return await node.client.info.params.query();
}

/** For each failure of wallets, a slip that ends in it. */
export const walletCases: Record<WalletFailure['code'], () => Promise<Reason>> = {
  'wallet-words': () => failureFrom(Promise.resolve().then(() => parseWords(`${'abandon '.repeat(11)}abandon`))),
  'wallet-passphrase': async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'wallet.json');
    await saveKeyFile(file, WORDS, 'right');
    return await failureFrom(openKeyFile(file, 'wrong'));
  },
  'wallet-file': () => failureFrom(openKeyFile('/nowhere/wallet.json', '')),
  'wallet-fee': async () => {
    const params = { ...(await paramsOfDev()), minFeeRate: 450_000_000 };
    await using greedy = await fakeNode({ answers: { 'info.params': params } });
    const wallet = new Wallet({ client: createClient({ url: greedy.url }), words: WORDS });
    return await failureFrom(wallet.send({ recipients: [{ to: wallet.address, amount: 1n }] }));
  },
  'wallet-funds': async () => {
    await using node = await testNode();
    const wallet = new Wallet({ client: node.client, words: WORDS });
    return await failureFrom(wallet.send({ recipients: [{ to: wallet.address, amount: 1n }] }));
  },
};
