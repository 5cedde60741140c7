import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { openKeyFile } from '../../client/cli/keyfile.js';
import { type CliResult, runCli } from '../support/cli.js';
import { closedUrl } from '../support/closedUrl.js';
import { temporaryDirectory } from '../support/temporary.js';
import { testNode } from '../support/testNode.js';

const PHRASE = `${'abandon '.repeat(11)}about`;
const ADDRESS = '0x9858EfFD232B4033E47d90003D41EC34EcaEda94';

function failed(result: CliResult, exit: number, code: string): void {
  expect(result.json, result.stderr).toMatchObject({ ok: false, error: { code, message: expect.any(String) } });
  expect(result.code).toBe(exit);
  expect(result.stdout + result.stderr).not.toMatch(/\bat .*\.js:\d/);
}

/** A key file takes half a second and 256 MB for each process that opens it, which is the point of it. */
const SCRYPT_MS = 60_000;

describe('wallet', () => {
  test('restore shows the address that every wallet shows for these words, and writes nothing', async () => {
    await using home = await temporaryDirectory();
    const { code, stdout } = await runCli(['wallet', 'restore', '--words', PHRASE, '--json'], { HOME: home.path });
    expect(stdout).toBe(`{"addresses":["${ADDRESS}"],"path":"m/44'/60'/0'/0/0"}\n`);
    expect(code).toBe(0);
    expect(await readdir(home.path)).toEqual([]);
  });

  test.each([
    ['too few words', 'abandon abandon'],
    ['a word that is none', `${'abandon '.repeat(11)}abuot`],
    ['a wrong checksum', `${'abandon '.repeat(11)}abandon`],
  ])('%s: says what is wrong, and never the words', async (_what, words) => {
    const result = await runCli(['wallet', 'restore', '--words', words, '--json']);
    failed(result, 2, 'wallet-words');
    expect(result.stdout).not.toContain('abandon');
  });

  test('words that are not given and cannot be asked for are a mistake in the command', async () => {
    failed(await runCli(['wallet', 'restore', '--json']), 2, 'usage');
  });

  test('create makes a key file that only its owner can read, keeps no secret in the clear, and is never written over', {
    timeout: SCRYPT_MS,
  }, async () => {
    await using home = await temporaryDirectory();
    const file = join(home.path, 'wallet.json');
    const env = { TRESTLE_PASSPHRASE: 'a right passphrase' };
    const created = await runCli(['wallet', 'create', '--file', file, '--json'], env);
    expect(created.code, created.stderr).toBe(0);
    const { words, addresses } = z.object({ words: z.string(), addresses: z.array(z.string()) }).parse(created.json);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const text = await readFile(file, 'utf8');
    for (const word of words.split(' ')) expect(text).not.toContain(` ${word} `);
    expect(JSON.parse(text)).toMatchObject({ version: 3, crypto: { kdf: 'scrypt', kdfparams: { n: 262_144 } } });
    expect(await openKeyFile(file, 'a right passphrase')).toBe(words);
    failed(await runCli(['wallet', 'create', '--file', file, '--json'], env), 1, 'wallet-file');
    expect(await readFile(file, 'utf8')).toBe(text);
    expect(await readdir(home.path)).toEqual(['wallet.json']);
    const again = await runCli(['wallet', 'restore', '--words', words, '--json']);
    expect(again.json).toMatchObject({ addresses });
    failed(
      await runCli(['wallet', 'address', '--file', file, '--json'], { TRESTLE_PASSPHRASE: 'wrong' }),
      1,
      'wallet-passphrase',
    );
  });

  test('an empty passphrase protects nothing, and is refused before anything is written', async () => {
    await using home = await temporaryDirectory();
    const file = join(home.path, 'wallet.json');
    const result = await runCli(['wallet', 'create', '--file', file, '--json'], { TRESTLE_PASSPHRASE: '' });
    failed(result, 2, 'usage');
    expect(await readdir(home.path)).toEqual([]);
  });

  test('receive, look, pay and look again, all from the command line', { timeout: SCRYPT_MS }, async () => {
    await using home = await temporaryDirectory();
    await using node = await testNode();
    const file = join(home.path, 'wallet.json');
    const env = { TRESTLE_PASSPHRASE: 'x', TRESTLE_URL: node.url };
    await runCli(['wallet', 'restore', '--words', PHRASE, '--file', file], env);
    await node.client.block.generate.mutate({ address: ADDRESS, count: 4 });
    const before = await runCli(['wallet', 'balance', '--file', file, '--json'], env);
    expect(before.json).toEqual({ address: ADDRESS, confirmed: '450000000', pending: '0', immature: '150000000' });
    const to = '0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF';
    const sent = await runCli(['wallet', 'send', '--to', to, '--amount', '2.5', '--file', file, '--json'], env);
    expect(sent.json, sent.stderr).toMatchObject({ amount: '250000000', fee: expect.stringMatching(/^\d+$/) });
    const { txid } = z.object({ txid: z.string() }).parse(sent.json);
    expect((await runCli(['tx', 'get', txid], env)).stdout).toContain('waiting');
    expect((await runCli(['tx', 'list', '--json'], env)).json).toMatchObject({ transactions: [{ txid }] });
    await node.client.block.generate.mutate({ address: to });
    expect((await runCli(['tx', 'get', txid], env)).stdout).toContain('confirmed in block 5');
    expect((await runCli(['chain', 'info'], env)).stdout).toMatch(/height\s+5/);
    expect((await runCli(['chain', 'rich', '--json'], env)).json).toMatchObject({ richList: [{ address: to }, {}] });
    expect((await runCli(['chain', 'block', '--json'], env)).json).toMatchObject({ height: 5, transactionCount: 2 });
    expect((await runCli(['chain', 'blocks'], env)).stdout.split('\n')).toHaveLength(8);
    expect((await runCli(['peers', 'list', '--json'], env)).json).toEqual({ nodes: [] });
    const broke = await runCli(['wallet', 'send', '--to', to, '--amount', '1000', '--file', file, '--json'], env);
    failed(broke, 1, 'wallet-funds');
  });
});

describe('what is typed wrongly', () => {
  test.each([
    ['no such command', ['destroy'], 'usage'],
    ['no such option', ['chain', 'info', '--colour'], 'usage'],
    ['a group without a command', ['chain'], 'usage'],
    ['a height that is none', ['chain', 'block', '1.5'], 'usage'],
    ['a txid that is none', ['tx', 'get', 'abc'], 'usage'],
    ['no recipient', ['wallet', 'send', '--amount', '1'], 'usage'],
    [
      'a recipient with a wrong checksum',
      ['wallet', 'send', '--to', ADDRESS.replace('E', 'e'), '--amount', '1'],
      'usage',
    ],
    ['a negative amount', ['wallet', 'send', '--to', ADDRESS, '--amount', '-1'], 'usage'],
    ['nothing to send', ['wallet', 'send', '--to', ADDRESS, '--amount', '0'], 'usage'],
    ['a port above all ports', ['node', '--port', '70000'], 'usage'],
    ['a URL that is none', ['chain', 'info', '--url', 'nowhere'], 'usage'],
    ['thirteen words', ['wallet', 'create', '--word-count', '13'], 'usage'],
    ['a network that is none', ['node', '--network', 'mainnet', '--port', '0'], 'usage'],
    ['a peer with a path', ['node', '--port', '0', '--data-dir', '/tmp/never', '--peer', 'http://a/b'], 'peer-address'],
    ['a miner without an address', ['miner'], 'usage'],
    ['a miner for an address with a digit too few', ['miner', '--address', ADDRESS.slice(0, -1)], 'usage'],
    ['a miner for an address with a wrong checksum', ['miner', '--address', ADDRESS.replace('E', 'e')], 'usage'],
    ['a miner without threads', ['miner', '--address', ADDRESS, '--threads', '0'], 'usage'],
    ['a miner at what is no address', ['miner', '--address', ADDRESS, '--url', 'localhost'], 'usage'],
  ])('%s', async (_what, args, code) => {
    failed(await runCli([...args, '--json']), 2, code);
    const human = await runCli(args);
    expect(human.code).toBe(2);
    expect(human.stdout).toBe('');
    expect(human.stderr.length).toBeGreaterThan(10);
  });

  test('help and version are no failure', async () => {
    expect((await runCli(['--help'])).code).toBe(0);
    expect((await runCli(['wallet', 'send', '--help'])).stdout).toContain('--fee-rate');
    expect((await runCli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('an operator seeks, bans and forgets nodes, and whoever cannot read the token does not', async () => {
    await using node = await testNode();
    await using other = await testNode();
    const env = { TRESTLE_URL: node.url };
    const run = (...args: string[]) => runCli(['peers', ...args, '--data-dir', node.dataDir, '--json'], env);
    expect((await run('add', other.url)).json).toEqual({ url: other.url, known: false });
    expect((await run('ban', other.url, '--minutes', '5')).json).toMatchObject({ target: other.url, why: 'operator' });
    expect((await run('sessions')).json).toMatchObject({ peers: [], bans: [{ target: other.url }] });
    const shown = await runCli(['peers', 'sessions', '--data-dir', node.dataDir], env);
    expect(shown.stdout).toMatch(new RegExp(`no peers[^]*${other.url}.*operator`));
    expect((await run('unban', other.url)).json).toEqual({ target: other.url, lifted: true });
    expect((await run('remove', other.url)).json).toMatchObject({ url: other.url, known: true });
    failed(await runCli(['peers', 'sessions', '--data-dir', other.dataDir, '--json'], env), 1, 'unauthorized');
    failed(await runCli(['peers', 'sessions', '--data-dir', '/nonexistent', '--json'], env), 2, 'usage');
  });

  test('a node that does not answer', async () => {
    failed(await runCli(['chain', 'info', '--url', await closedUrl(), '--json']), 1, 'peer-unreachable');
  });
});
