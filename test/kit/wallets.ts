import { deriveKey, type Key } from '../../shared/wallet/keys.js';
import { seedOf, type Words, wordsFromEntropy } from '../../shared/wallet/words.js';

/** The words of every wallet under test, which everybody knows: twelve of no entropy. Wallet `i` is their account `i`. */
export const TEST_WORDS: Words = wordsFromEntropy(new Uint8Array(16));

const keys: Key[] = [];
let seed: Uint8Array | undefined;

/** The key of a wallet under test. Deriving one takes tens of milliseconds, so each is derived once. */
export function walletKey(index: number): Key {
  seed ??= seedOf(TEST_WORDS);
  keys[index] ??= deriveKey(seed, index, 0);
  return keys[index];
}
