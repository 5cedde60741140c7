import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EMPTY_LEDGER, type Ledger } from './ledger.js';
import type { LedgerStore } from './ledgerStore.js';
import { formatLedger, parseLedger } from './ledgerText.js';

/** Keeps a ledger in a file. */
export function fileLedgerStore(path: string): LedgerStore {
  return {
    async load() {
      const text = await readFile(path, 'utf8').catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      return text === undefined ? EMPTY_LEDGER : parseLedger(text);
    },
    async save(ledger: Ledger) {
      // A second file that takes the place of the first in one step; each has reached the disk before the next thing is done.
      const next = `${path}.next`;
      await using file = await open(next, 'w');
      await file.writeFile(formatLedger(ledger));
      await file.sync();
      await rename(next, path);
      await using folder = await open(dirname(path));
      await folder.sync();
    },
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
