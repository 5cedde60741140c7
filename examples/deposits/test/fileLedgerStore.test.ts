import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fileLedgerStore } from '../src/fileLedgerStore.js';
import { connectBlock, EMPTY_LEDGER } from '../src/ledger.js';

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'deposits-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

test('a ledger comes back from its file as it was, and nothing else is left there', async () => {
  const folder = await temporaryFolder();
  const store = fileLedgerStore(join(folder, 'ledger.json'));
  expect(await store.load()).toEqual(EMPTY_LEDGER);
  const deposits = [{ id: `${'ab'.repeat(32)}:0`, customer: 'Ada', amount: 2n ** 53n - 1n }];
  const ledger = connectBlock(EMPTY_LEDGER, { hash: 'cd'.repeat(32), height: 7, work: 2n ** 200n, deposits }, 1);
  await store.save(ledger);
  expect(await store.load()).toEqual(ledger);
  expect(await readdir(folder)).toEqual(['ledger.json']);
});

test('a file that is no ledger is refused', async () => {
  const path = join(await temporaryFolder(), 'ledger.json');
  await writeFile(path, '{"blocks":[],"entries":[{"kind":"credited"}]}');
  await expect(fileLedgerStore(path).load()).rejects.toThrow('deposit');
});
