import { expect, test } from 'vitest';
import { unreadFolders, whyNoVectors } from '../support/vectors.js';

/** Kinds of vectors that a test here reads. */
const READ = ['asert', 'bip39', 'wycheproof'];

test.skipIf(whyNoVectors() !== undefined)('each kind that is read here is there', () => {
  for (const kind of READ) expect(unreadFolders([])).toContain(kind);
});

// Shown as skipped, by name: vectors that somebody added and that prove nothing yet.
for (const folder of unreadFolders(READ)) test.skip(`vectors of a kind that is not read here: ${folder}`, () => {});
