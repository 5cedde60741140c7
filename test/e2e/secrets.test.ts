import { spawn, spawnSync } from 'node:child_process';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../client/createClient.js';
import { SESSION_HEADER } from '../../client/peerClient.js';
import { toHex } from '../../shared/bytes/hex.js';
import { genesisBlock } from '../../shared/consensus/genesis.js';
import { NETWORKS } from '../../shared/consensus/networks.js';
import { deriveKey } from '../../shared/wallet/keys.js';
import { parseWords, seedOf } from '../../shared/wallet/words.js';
import { runCli, SCRIPT } from '../support/cli.js';
import { closedUrl } from '../support/closedUrl.js';
import { eventually } from '../support/eventually.js';
import { fakeNode } from '../support/fakeNode.js';
import { quickKeyFile } from '../support/quickKeyFile.js';
import { servingCli } from '../support/servingCli.js';
import { temporaryDirectory } from '../support/temporary.js';

const PHRASE = 'legal winner thank year wave sausage worth useful legal winner thank yellow';
const PASSPHRASE = 'swordfish-in-the-cupboard';
const WORDS = parseWords(PHRASE);
const SEED = seedOf(WORDS);
const KEY = toHex(deriveKey(SEED, 0, 0).secretKey);
const TO = '0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF';
const isPosix = process.platform !== 'win32';

/** That none of some secrets stands in a text, in whatever case. */
function expectNone(text: string, secrets: readonly string[]): void {
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(3);
    expect(text.toLowerCase().includes(secret.toLowerCase()), `${secret} in ${text}`).toBe(false);
  }
}

describe('what a node prints at its most talkative', () => {
  test('holds no operator token and no session token, also where calls with them fail', async () => {
    await using home = await temporaryDirectory();
    const given = 'feedc0de'.repeat(4);
    const genesis = genesisBlock(NETWORKS.dev).header.hash;
    await using peer = await fakeNode({
      answers: {
        'node.hello': {
          ...{ protocol: 1, capabilities: [], genesis, userAgent: 'fake', session: given, confirmed: true },
          tip: { height: 5, hash: 'ee'.repeat(32), work: 1_000n },
        },
        // Whatever it is asked for after that is answered with nonsense, so that calls that carry the token fail.
        'block.headers': { headers: 'nonsense' },
        'transaction.ids': 5,
      },
    });
    await using node = await servingCli([
      ...['node', '--port', '0', '--data-dir', home.path, '--log-level', 'debug', '--peer', peer.url],
      ...['--peer', await closedUrl()],
    ]);
    const operator = (await readFile(join(home.path, 'operator-token'), 'utf8')).trim();
    const client = createClient({ url: node.url, token: operator });
    await client.block.generate.mutate({ address: TO });
    const hello = { protocol: 1, capabilities: [], genesis, url: null, nonce: 'ab'.repeat(16), userAgent: 'test' };
    const tip = { height: 0, hash: genesis, work: 0n };
    const { session } = await client.node.hello.mutate({ ...hello, tip } as Parameters<
      typeof client.node.hello.mutate
    >[0]);
    const call = async (path: string, headers: Record<string, string>, body = '{"json":{}}'): Promise<number> => {
      const all = { 'content-type': 'application/json', ...headers };
      return (await fetch(`${node.url}/${path}`, { method: 'POST', headers: all, body })).status;
    };
    const bearer = { authorization: `Bearer ${operator}` };
    const slip = operator.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    expect(await call('trpc/node.stop', { authorization: `Bearer ${slip}` })).toBe(401);
    expect(await call('trpc/node.stop', { authorization: `Basic ${operator}` })).toBe(401);
    expect(await call('trpc/block.generate', bearer, '{"json":{"address":5}}')).toBe(400);
    expect(await call('trpc/block.generate', bearer, `{"token":"${operator}", no JSON`)).toBe(400);
    expect(await call(`trpc/${operator}`, bearer)).toBe(404);
    expect(await call('trpc/block.announce', { [SESSION_HEADER]: session }, '{"json":{"header":1}}')).toBe(400);
    expect(await call('trpc/block.announce', { [SESSION_HEADER]: `${session}0` })).toBeGreaterThanOrEqual(400);
    await eventually('one peer was met, and one was not', async () =>
      ['peer connected', 'peer not reached'].every((line) => node.said().includes(line)),
    );
    const said = await node.end();
    expectNone(said, [operator, slip, session, given]);
  });
});

describe('what the wallet prints', () => {
  test('holds no word, no passphrase and no key, whatever fails', { timeout: 60_000 }, async () => {
    await using home = await temporaryDirectory();
    const file = join(home.path, 'wallet.json');
    const env = { TRESTLE_PASSPHRASE: PASSPHRASE, HOME: home.path, DEBUG: '*', NODE_DEBUG: 'fs,stream' };
    const nowhere = await closedUrl();
    const quick = join(home.path, 'quick.json');
    await writeFile(quick, quickKeyFile(WORDS, PASSPHRASE), { mode: 0o600 });
    const run = async (
      args: readonly string[],
      more: Readonly<Record<string, string>> = {},
    ): Promise<number | null> => {
      const { code, stdout, stderr } = await runCli(['wallet', ...args], { ...env, ...more });
      // Some of the words occur in messages of their own: to find them there would prove nothing.
      expect(`${stdout}${stderr}`.length).toBeGreaterThan(0);
      const distinct = PHRASE.split(' ').filter((word) => !['year', 'thank', 'worth', 'useful'].includes(word));
      expectNone(stdout + stderr, [PHRASE, ...distinct, PASSPHRASE, KEY, toHex(SEED)]);
      return code;
    };
    expect(await run(['restore', '--words', PHRASE, '--file', file])).toBe(0);
    const codes = await Promise.all([
      run(['restore', '--words', PHRASE, '--file', file, '--json']),
      run(['restore', '--words', `${PHRASE} legal`, '--json']),
      run(['restore', '--words', PHRASE.replace('yellow', 'sausage')]),
      run(['restore', '--words', PHRASE.replaceAll(' ', '-')]),
      // Forgotten quotation marks: the words are arguments that nothing asked for.
      run(['restore', '--words', ...PHRASE.split(' ')]),
      run(['address', '--file', quick, '--json']),
      run(['address', '--file', quick, '--json'], { TRESTLE_PASSPHRASE: `${PASSPHRASE}!` }),
      run(['balance', '--file', quick, '--url', nowhere]),
      run(['send', '--file', quick, '--to', TO, '--amount', '1', '--url', nowhere, '--json']),
    ]);
    expect(codes).toEqual([1, 2, 2, 2, 2, 0, 1, 1, 1]);
    const text = await readFile(file, 'utf8');
    expectNone(text, [PHRASE, ...PHRASE.split(' ').filter((word) => word.length > 4), PASSPHRASE, KEY]);
  });

  test.skipIf(!isPosix)('names a key file that others can read, on standard error', async () => {
    await using home = await temporaryDirectory();
    const file = join(home.path, 'wallet.json');
    const env = { TRESTLE_PASSPHRASE: PASSPHRASE };
    await writeFile(file, quickKeyFile(WORDS, PASSPHRASE));
    await chmod(file, 0o644);
    const { code, stdout, stderr } = await runCli(['wallet', 'address', '--file', file, '--json'], env);
    expect(stderr).toMatch(/warning.*others.*chmod 600/);
    expect(JSON.parse(stdout)).toMatchObject({ addresses: [expect.any(String)] });
    expect(code).toBe(0);
  });
});

test.skipIf(!isPosix).each(['0000', '0777'])('the key file is its owner’s alone under umask %s', async (mask) => {
  await using home = await temporaryDirectory();
  const file = join(home.path, 'wallet.json');
  const args = [process.execPath, SCRIPT, 'wallet', 'restore', '--words', PHRASE, '--file', file, '--json'];
  const env = { PATH: process.env['PATH'] ?? '', HOME: home.path, TRESTLE_PASSPHRASE: PASSPHRASE };
  const { status, stderr } = spawnSync('sh', ['-c', `umask ${mask} && exec "$0" "$@"`, ...args], { env });
  expect(stderr.toString('utf8')).toBe('');
  expect(status).toBe(0);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

describe('at a terminal', () => {
  /** `script` of util-linux gives a command a terminal of its own. */
  const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;

  /** Runs a command at a terminal and types an answer whenever a question comes; all that the terminal showed. */
  async function atTerminal(args: readonly string[], answers: readonly (readonly [string, string])[]): Promise<string> {
    const command = [process.execPath, SCRIPT, ...args].map((part) => `'${part}'`).join(' ');
    const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', TERM: 'dumb' };
    const child = spawn('script', ['-qec', command, '/dev/null'], { env });
    const open = [...answers];
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString('utf8');
      const [next] = open;
      if (next === undefined || !shown.endsWith(next[0])) return;
      open.shift();
      child.stdin.write(`${next[1]}\r`);
    });
    await new Promise((resolve) => child.once('close', resolve));
    expect(open, shown).toEqual([]);
    return shown;
  }

  beforeAll(() => {
    if (!hasScript) process.stderr.write('no `script` here: what a terminal echoes is not tested\n');
  });

  test.skipIf(!hasScript)('words and passphrase are not shown as they are typed', { timeout: 60_000 }, async () => {
    await using home = await temporaryDirectory();
    const file = join(home.path, 'wallet.json');
    const shown = await atTerminal(
      ['wallet', 'restore', '--file', file, '--json'],
      [
        ['Words: ', PHRASE],
        ['New passphrase: ', PASSPHRASE],
        ['The same again: ', PASSPHRASE],
      ],
    );
    expect(shown).toContain('"addresses":["0x');
    expectNone(shown, [...PHRASE.split(' '), PASSPHRASE]);
    const opened = await atTerminal(['wallet', 'address', '--file', file], [['Passphrase: ', PASSPHRASE]]);
    expect(opened).toContain('0x');
    expectNone(opened, [PASSPHRASE]);
  });

  test.skipIf(!hasScript)(
    'no answer is no empty answer: Ctrl-D and Ctrl-C end the question, and nothing is written',
    async () => {
      await using home = await temporaryDirectory();
      for (const key of ['\x04', '\x03']) {
        const args = ['wallet', 'restore', '--file', join(home.path, 'wallet.json')];
        expect(await atTerminal(args, [['Words: ', key]])).toContain('interrupted');
      }
      expect(await readdir(home.path)).toEqual([]);
    },
  );
});
