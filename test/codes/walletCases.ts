import { join } from 'node:path';
import { openKeyFile, saveKeyFile } from '../../client/cli/keyfile.js';
import { Wallet } from '../../client/wallet/wallet.js';
import type { Reason, WalletFailure } from '../../shared/reasons.js';
import { parseWords } from '../../shared/wallet/words.js';
import { failureFrom } from '../kit/failureFrom.js';
import { temporaryDirectory } from '../kit/temporary.js';
import { testNode } from '../kit/testNode.js';

/** The phrase of BIP 39's first test vector. Everybody knows it: never put money there. */
export const WORDS = parseWords(`${'abandon '.repeat(11)}about`);

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
  'wallet-funds': async () => {
    await using node = await testNode();
    const wallet = new Wallet({ client: node.client, words: WORDS });
    return await failureFrom(wallet.send({ recipients: [{ to: wallet.address, amount: 1n }] }));
  },
};
