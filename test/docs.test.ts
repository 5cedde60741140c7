import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
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
import { ProcessNetwork } from './kit/processes/processNetwork.js';
import { simulate } from './kit/sim/simulate.js';
import { Simulation } from './kit/sim/simulation.js';
import { temporaryDirectory } from './support/temporary.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'docs/ARCHITECTURE.md',
  'docs/DECISIONS.md',
  'docs/PROTOCOL.md',
  'docs/TESTING.md',
  'docs/THREATS.md',
  'docs/MUTANTS.md',
  'bench/README.md',
  'examples/deposits/README.md',
  'examples/payments/README.md',
  'examples/processes/README.md',
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

  test.each([
    [
      'payment',
      /^sent 0\.75 coins for a fee of 0\.\d+\n(connected block \d+ with \d transactions\n)+Bob has 0\.75 coins\n$/,
    ],
    ['simulation', /^$/],
  ])('its example of a %s is the one in examples/, which runs and ends well', async (name, said) => {
    const blocks = Array.from(readme.matchAll(/```ts\n([\s\S]*?)```/g), ([, block]) => block);
    expect(blocks).toContain(read(`examples/${name}.ts`));
    await using home = await temporaryDirectory();
    const built = fileURLToPath(new URL(`../examples/${name}.js`, import.meta.url));
    const env = { PATH: process.env['PATH'] ?? '', TMPDIR: home.path };
    const { stdout, stderr, status } = spawnSync(process.execPath, [built], { encoding: 'utf8', env });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(said);
  });
});

describe('docs/TESTING.md', () => {
  const named = new Set(Array.from(read('docs/TESTING.md').matchAll(/\bnet\.(\w+)/g), ([, name = '']) => name));

  test('names all that networks have in common, and nothing of a network that is not there', async () => {
    await using net = await simulate({ nodes: 1 });
    expect([...named].filter((name) => !(name in net))).toEqual([]);
    const own = (type: { readonly prototype: object }): string[] => Object.getOwnPropertyNames(type.prototype);
    const common = own(ProcessNetwork).filter((name) => own(Simulation).includes(name) && name !== 'constructor');
    expect(common).toContain('settle');
    expect(common.filter((name) => !named.has(name))).toEqual([]);
  });
});

describe('examples/', () => {
  const ROOT_PINS = pinsOf('package.json');
  const folders = readdirSync(join(ROOT, 'examples')).filter((name) => existsSync(join(ROOT, `examples/${name}/src`)));

  test('has three projects to copy', () => {
    expect(folders.sort()).toEqual(['deposits', 'payments', 'processes']);
  });

  test.each(folders)('%s takes the packed package of this version, and of others what we have pinned', (folder) => {
    const { trestle, ...others } = pinsOf(`examples/${folder}/package.json`);
    expect(trestle).toBe(`file:../../trestle-${VERSION}.tgz`);
    expect(ROOT_PINS).toMatchObject(others);
  });

  test.each(folders)('%s says in ten to twenty lines what it is', (folder) => {
    const lines = read(`examples/${folder}/README.md`).trimEnd().split('\n').length;
    expect(lines).toBeGreaterThanOrEqual(10);
    expect(lines).toBeLessThanOrEqual(20);
  });
});

/** The versions that a package.json asks for, of what it needs to run and to be built. */
function pinsOf(path: string): Record<string, string> {
  const pins = z.record(z.string(), z.string()).default({});
  const { dependencies, devDependencies } = z
    .object({ dependencies: pins, devDependencies: pins })
    .parse(JSON.parse(read(path)));
  return { ...dependencies, ...devDependencies };
}

test.each(PAGES)('%s: every relative link leads somewhere', (page) => {
  const links = Array.from(
    read(page).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g),
    ([, target]) => target ?? '',
  );
  for (const link of links) expect(existsSync(join(ROOT, dirname(page), link)), link).toBe(true);
});

test.each(PAGES)('%s: every file it names is there', (page) => {
  // An example is to be copied: what it names is its own.
  const home = page.startsWith('examples/') ? dirname(page) : '';
  const named = Array.from(
    read(page).matchAll(/`((?:shared|client|server|bin|src|test|bench|docs|examples)\/[\w./-]*)`/g),
    ([, path]) => path ?? '',
  );
  for (const path of named) {
    const candidates = [path, `${path}.ts`, `${path}.md`];
    expect(
      candidates.some((candidate) => existsSync(join(ROOT, home, candidate))),
      path,
    ).toBe(true);
  }
});
