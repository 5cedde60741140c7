import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { openKeyFile } from '../../client/cli/keyfile.js';
import { createFile } from '../../client/cli/newFile.js';
import { temporaryDirectory } from '../support/temporary.js';
import { type RunResult, runStruck } from './struckProcess.js';

const CREATE_ONE = fileURLToPath(new URL('./createOne.js', import.meta.url));
const WORDS = `${'abandon '.repeat(11)}about`;
/** Long enough that half of it is not the whole. */
const TEXT = 'x'.repeat(1_000);
const LIMIT_MS = 60_000;

const links = vi.hoisted(() => ({ missing: false }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const link: typeof real.link = (...paths) =>
    links.missing ? Promise.reject(Object.assign(new Error('no links here'), { code: 'EPERM' })) : real.link(...paths);
  return { ...real, link };
});

/** Makes a file in a process that is killed at its write point with this number, if with any. */
function create(file: string, at?: number): Promise<RunResult> {
  const strike = at === undefined ? undefined : ({ at, by: 'SIGKILL' } as const);
  return runStruck({ script: CREATE_ONE, args: [file, TEXT], strike });
}

/** The same for a key file, by the real command. */
function restore(file: string): Promise<RunResult> {
  const args = ['wallet', 'restore', '--words', WORDS, '--file', file, '--json'];
  return runStruck({ args, env: { TRESTLE_PASSPHRASE: 'x' } });
}

test(
  'a key file whose making is killed at any step is there whole or not at all, and only its owner can read what is',
  async () => {
    await using home = await temporaryDirectory();
    const place = (name: string): string => join(home.path, name, 'wallet.json');
    const real = await restore(place('real'));
    expect([real.code, real.points]).toEqual([
      0,
      [
        ...['mkdir real: before', 'mkdir real: after'],
        ...['open wallet.json.*: before', 'open wallet.json.*: after'],
        ...['before', 'half-way', 'after'].map((when) => `write into wallet.json.*: ${when}`),
        ...['sync wallet.json.*: before', 'sync wallet.json.*: after'],
        ...['link wallet.json.*: before', 'link wallet.json.*: after'],
        ...['rm wallet.json.*: before', 'rm wallet.json.*: after'],
        // Once the name is given, the disk has to hold it, too.
        ...['sync real: before', 'sync real: after'],
      ],
    ]);
    const named = real.points.indexOf('link wallet.json.*: after');
    for (const index of real.points.keys()) {
      const file = place(`step-${index}`);
      const { signal, points } = await create(file, index + 1);
      expect([signal, points.length]).toEqual(['SIGKILL', index + 1]);
      const names: string[] = await readdir(join(file, '..')).catch(() => []);
      for (const name of names) expect((await stat(join(file, '..', name))).mode & 0o777).toBe(0o600);
      expect(names.includes('wallet.json')).toBe(index >= named);
      if (index >= named) expect(await readFile(file, 'utf8')).toBe(TEXT);
    }
    // What a killed process leaves behind is in nobody's way.
    const torn = place(`step-${named - 1}`);
    expect((await readdir(join(torn, '..'))).length).toBe(1);
    expect((await restore(torn)).code).toBe(0);
    expect(await openKeyFile(torn, 'x')).toBe(WORDS);
  },
  LIMIT_MS,
);

test(
  'a key file that is there stays as it is, also when the one that wants its place is killed',
  async () => {
    await using home = await temporaryDirectory();
    const file = join(home.path, 'wallet.json');
    await writeFile(file, 'somebody’s money', { mode: 0o600 });
    const refused = await restore(file);
    expect([refused.code, refused.stdout]).toEqual([1, expect.stringContaining('wallet-file')]);
    expect(await readdir(home.path)).toEqual(['wallet.json']);
    for (const index of refused.points.keys()) {
      expect((await create(file, index + 1)).signal).toBe('SIGKILL');
      expect(await readFile(file, 'utf8')).toBe('somebody’s money');
      await rm(`${file}.00000000-0000-0000-0000-000000000000`, { force: true });
    }
  },
  LIMIT_MS,
);

test('where there are no links, a new file is made all the same, and one that is there is still not written over', async () => {
  await using home = await temporaryDirectory();
  links.missing = true;
  try {
    const [fresh, taken] = [join(home.path, 'fresh'), join(home.path, 'taken')];
    await createFile(fresh, 'new', `${fresh}.1`);
    expect([await readFile(fresh, 'utf8'), (await stat(fresh)).mode & 0o777]).toEqual(['new', 0o600]);
    await writeFile(taken, 'old');
    await expect(createFile(taken, 'new', `${taken}.1`)).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await readFile(taken, 'utf8')).toBe('old');
    await mkdir(join(home.path, 'folder'));
    await expect(createFile(join(home.path, 'folder'), 'new', `${taken}.2`)).rejects.toMatchObject({ code: 'EEXIST' });
    expect((await readdir(home.path)).sort()).toEqual(['folder', 'fresh', 'taken']);
  } finally {
    links.missing = false;
  }
});
