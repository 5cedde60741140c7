import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { MEANINGS } from '../shared/reasons.js';
import { bodyLimit } from '../shared/rpc/limits.js';
import { appRouter } from '../shared/rpc/router.js';
import { temporaryDirectory } from './kit/temporary.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'docs/ARCHITECTURE.md',
  'docs/DECISIONS.md',
  'docs/PROTOCOL.md',
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

  test('names the limits that the node holds', () => {
    for (const limit of [bodyLimit('info.chain'), bodyLimit('block.submit')])
      expect(protocol).toContain(limit.toLocaleString('en-US'));
  });
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
