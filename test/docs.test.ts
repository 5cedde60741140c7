import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { toHex } from '../shared/bytes/hex.js';
import { sighash } from '../shared/consensus/checkInputs.js';
import { genesisBlock } from '../shared/consensus/genesis.js';
import { NETWORKS } from '../shared/consensus/networks.js';
import { parseAddress } from '../shared/model/address.js';
import { coins } from '../shared/model/amount.js';
import { parseId, type TxId } from '../shared/model/ids.js';
import { encodeBody } from '../shared/model/transaction.js';
import { MEANINGS } from '../shared/reasons.js';
import { bodyLimit } from '../shared/rpc/limits.js';
import { appRouter } from '../shared/rpc/router.js';
import { VERSION } from '../shared/version.js';
import { deriveKey } from '../shared/wallet/keys.js';
import { parseWords, seedOf } from '../shared/wallet/words.js';
import { present } from './kit/assertOk.js';
import { transfer } from './kit/builders.js';
import { temporaryDirectory } from './support/temporary.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'docs/ARCHITECTURE.md',
  'docs/DECISIONS.md',
  'docs/PROTOCOL.md',
  'docs/THREATS.md',
  'docs/MUTANTS.md',
  'bench/README.md',
];

describe('docs/PROTOCOL.md', () => {
  const protocol = read('docs/PROTOCOL.md');

  test('lists every code with its meaning, once, and no other', () => {
    const listed = Array.from(protocol.matchAll(/^\| `([a-z-]+)` \| ([^|]+) \|/gm), ([, code, meaning]) => [
      code,
      meaning?.trim(),
    ]);
    expect(Object.fromEntries(listed)).toEqual(MEANINGS);
    expect(listed).toHaveLength(Object.keys(MEANINGS).length);
  });

  test('lists every procedure of the contract, and no other', () => {
    const row = /^\| (block|transaction|node|info) \|([^|\n]*)\|([^|\n]*)\|([^|\n]*)\|$/gm;
    const rows = Array.from(protocol.matchAll(row));
    const listed = rows.flatMap(([, router, ...columns]) =>
      columns
        .flatMap((column) => (column ?? '').replace(/\([^)]*\)/g, '').split(','))
        .flatMap((name) => {
          const trimmed = name.trim();
          return trimmed === '' ? [] : [`${router}.${trimmed}`];
        }),
    );
    expect(listed.sort()).toEqual(Object.keys(appRouter._def.procedures).sort());
  });

  test('works out a transfer that the code comes to again, byte by byte, and names the genesis hashes', () => {
    const line = (name: string): string => present(new RegExp(`^${name} +([0-9a-f]+)$`, 'm').exec(protocol))[1] ?? '';
    const key = deriveKey(seedOf(parseWords(`${'abandon '.repeat(11)}about`)), 0, 0);
    const genesis = genesisBlock(NETWORKS.dev).header.hash;
    const transaction = transfer({
      genesis,
      spend: [
        {
          outpoint: { txid: present(parseId<TxId>('11'.repeat(32))), index: 1 },
          coin: { address: key.address, value: coins('1.5') },
          key,
        },
      ],
      outputs: [{ address: present(parseAddress('0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF')), value: coins('0.5') }],
      timestamp: 1_700_000_000_000,
      memo: Buffer.from('hi'),
    });
    const { body, txid, wtxid, signatures } = transaction;
    expect(toHex(encodeBody(body))).toBe(line('body'));
    expect([txid, wtxid]).toEqual([line('txid'), line('wtxid')]);
    const digest = sighash(genesis, txid, [{ address: key.address, value: coins('1.5') }]);
    expect(toHex(digest)).toBe(line('sighash'));
    expect(signatures.map(toHex)).toEqual([line('signature')]);
    for (const [name, params] of Object.entries(NETWORKS))
      expect(protocol).toContain(`| ${name} | \`${genesisBlock(params).header.hash}\` |`);
  });

  test('names the limits that the node holds', () => {
    for (const limit of [bodyLimit('info.chain'), bodyLimit('block.submit')])
      expect(protocol).toContain(limit.toLocaleString('en-US'));
  });
});

test('one version, in the program and in package.json', () => {
  expect(JSON.parse(read('package.json'))).toMatchObject({ version: VERSION });
});

describe('docs/THREATS.md', () => {
  const rows = Array.from(
    read('docs/THREATS.md').matchAll(/^\| ([SBDNK]?\d+) \|([^|]+)\|([^|]+)\|([^|]+)\|([^|]+)\|$/gm),
    ([, id = '', , , codes = '', tests = '']) => ({ id, codes, tests: tests.trim() }),
  );
  const quoted = (text: string): string[] => Array.from(text.matchAll(/`([^`]+)`/g), ([, inner = '']) => inner);

  test('has one line for every hole of the chain before this one', () => {
    const holes = { S: 9, B: 7, D: 8, N: 8, K: 1 };
    const expected = Object.entries(holes).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, i) => `${letter}${i + 1}`),
    );
    const ids = rows.map(({ id }) => id);
    expect(ids.filter((id) => /^[A-Z]/.test(id)).sort()).toEqual(expected.sort());
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(rows)(
    '$id names codes that are ours and tests that are there, or says that they come later',
    ({ codes, tests }) => {
      for (const code of quoted(codes)) expect(Object.keys(MEANINGS)).toContain(code);
      if (tests.startsWith('later')) return;
      expect(quoted(tests)).not.toEqual([]);
      for (const path of quoted(tests)) expect(existsSync(join(ROOT, path)), path).toBe(true);
    },
  );
});

describe('README.md', () => {
  const readme = read('README.md');

  test('both commands stand in the first screen', () => {
    const firstScreen = readme.split('\n').slice(0, 30).join('\n');
    expect(firstScreen).toContain('npm ci && npm start');
    expect(firstScreen).toContain('npm test');
  });

  test('its example is the one in examples/, which runs and ends well', async () => {
    const [, example] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
    expect(example).toBe(read('examples/payment.ts'));
    await using home = await temporaryDirectory();
    const built = fileURLToPath(new URL('../examples/payment.js', import.meta.url));
    const env = { PATH: process.env['PATH'] ?? '', TMPDIR: home.path };
    const { stdout, stderr, status } = spawnSync(process.execPath, [built], { encoding: 'utf8', env });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^sent 0\.75 coins for a fee of 0\.\d+\n(connected block \d+ with \d transactions\n)+Bob has 0\.75 coins\n$/,
    );
  });
});

test.each(PAGES)('%s: every relative link leads somewhere', (page) => {
  const links = Array.from(
    read(page).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g),
    ([, target]) => target ?? '',
  );
  for (const link of links) expect(existsSync(join(ROOT, dirname(page), link)), link).toBe(true);
});

test.each(PAGES)('%s: every file it names is there', (page) => {
  const named = Array.from(
    read(page).matchAll(/`((?:shared|client|server|bin|test|bench|docs|examples)\/[\w./-]*)`/g),
    ([, path]) => path ?? '',
  );
  for (const path of named) {
    const candidates = [path, `${path}.ts`, `${path}.md`];
    expect(
      candidates.some((candidate) => existsSync(join(ROOT, candidate))),
      path,
    ).toBe(true);
  }
});
