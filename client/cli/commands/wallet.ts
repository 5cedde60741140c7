import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { formatAddress } from '../../../shared/model/address.js';
import { formatCoins } from '../../../shared/model/amount.js';
import { deriveKey, keyPath } from '../../../shared/wallet/keys.js';
import { parseWords, seedOf, type Words, wordsFromEntropy } from '../../../shared/wallet/words.js';
import { createClient } from '../../createClient.js';
import { Wallet } from '../../wallet/wallet.js';
import { group, withAction } from '../command.js';
import { openKeyFile, saveKeyFile } from '../keyfile.js';
import { parseAddressOption, parseAmountOption, urlOption, wholeNumber } from '../options.js';
import { type Output, table, UsageError } from '../output.js';
import { askSecret, knownPassphrase, newPassphrase } from '../prompt.js';

const DEFAULT_FILE = join(homedir(), '.trestle', 'wallet.json');
const ENTROPY_BYTES: Readonly<Record<number, number>> = { 12: 16, 15: 20, 18: 24, 21: 28, 24: 32 };

interface FileOptions {
  readonly json?: boolean;
  readonly file: string;
}

/** `trestle wallet`: keys and payments. */
export function walletCommand(): Command {
  return group('wallet', 'keep keys, receive and send', [create(), restore(), address(), balance(), send()]);
}

function create(): Command {
  const command = new Command('create')
    .description('make new words and keep them in an encrypted key file')
    .option('--file <path>', 'the key file', DEFAULT_FILE)
    .option('--word-count <count>', '12, 15, 18, 21 or 24', wholeNumber(12, 24), 12);
  return withAction<FileOptions & { wordCount: number }>(command, async ({ file, wordCount }, output) => {
    const bytes = ENTROPY_BYTES[wordCount];
    if (bytes === undefined) throw new UsageError('--word-count takes 12, 15, 18, 21 or 24');
    const words = wordsFromEntropy(new Uint8Array(randomBytes(bytes)));
    await saveKeyFile(file, words, await newPassphrase());
    const result = { ...firstAddress(words), file, words };
    const human = [
      `Write these words down; whoever has them has the money, and without them a lost file is lost money:\n`,
      `  ${words}\n`,
      table([
        ['address', result.addresses[0] ?? ''],
        ['key file', file],
      ]),
    ].join('\n');
    output.result(result, human);
  });
}

function restore(): Command {
  const command = new Command('restore')
    .description('show the address of existing words; with --file, keep them in an encrypted key file')
    .option('--words <words>', 'the words; better left out and typed when asked, for others can list commands')
    .option('--file <path>', 'the key file to write; nothing is written without it');
  return withAction<{ json?: boolean; words?: string; file?: string }>(command, async ({ words, file }, output) => {
    const phrase = parseWords(words ?? (await askSecret('Words')));
    if (file !== undefined) await saveKeyFile(file, phrase, await newPassphrase());
    const result = firstAddress(phrase);
    const rows = [
      ['address', result.addresses[0] ?? ''],
      ['path', result.path],
      ...(file === undefined ? [] : [['key file', file]]),
    ];
    output.result(result, table(rows));
  });
}

function address(): Command {
  const command = new Command('address')
    .description('show the address to receive at')
    .option('--file <path>', 'the key file', DEFAULT_FILE);
  return withAction<FileOptions>(command, async ({ file }, output) => {
    const result = firstAddress(await unlock(file, output));
    output.result(result, result.addresses[0] ?? '');
  });
}

function balance(): Command {
  const command = new Command('balance')
    .description('show what there is')
    .option('--file <path>', 'the key file', DEFAULT_FILE)
    .addOption(urlOption());
  return withAction<FileOptions & { url: string }>(command, async ({ file, url }, output) => {
    const wallet = await openWallet({ file, url }, output);
    const money = await wallet.balance();
    const rows = Object.entries(money).map(([name, amount]) => [name, formatCoins(amount)]);
    output.result({ address: wallet.address, ...money }, table(rows));
  });
}

function send(): Command {
  const command = new Command('send')
    .description('pay somebody')
    .requiredOption('--to <address>', 'whom to pay', parseAddressOption)
    .requiredOption('--amount <coins>', 'how much, such as 1.5', parseAmountOption)
    .option('--fee-rate <units>', 'base units for each byte', wholeNumber(1, 1_000_000))
    .option('--file <path>', 'the key file', DEFAULT_FILE)
    .addOption(urlOption());
  type Options = FileOptions & { url: string; to: string; amount: bigint; feeRate?: number };
  return withAction<Options>(command, async ({ file, url, to, amount, feeRate }, output) => {
    const wallet = await openWallet({ file, url }, output);
    const sent = await wallet.send({ recipients: [{ to, amount }], feeRate });
    output.result({ ...sent, amount }, `sent ${formatCoins(amount)} in ${sent.txid}, fee ${formatCoins(sent.fee)}`);
  });
}

async function openWallet({ file, url }: { file: string; url: string }, output: Output): Promise<Wallet> {
  return new Wallet({ client: createClient({ url }), words: await unlock(file, output) });
}

async function unlock(file: string, output: Output): Promise<Words> {
  return await openKeyFile(file, await knownPassphrase(), (message) => output.warn(message));
}

function firstAddress(words: Words): { addresses: string[]; path: string } {
  return { addresses: [formatAddress(deriveKey(seedOf(words), 0, 0).address)], path: keyPath(0, 0) };
}
