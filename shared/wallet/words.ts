import { entropyToMnemonic, mnemonicToEntropy, mnemonicToSeedSync } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { TrestleError } from '../errors.js';
import type { Branded } from '../model/brand.js';

/** A BIP 39 phrase whose checksum holds: lower-case English words with one space between them. */
export type Words = Branded<string, 'Words'>;

const LENGTHS: readonly number[] = [12, 15, 18, 21, 24];

/** The phrase for 16 to 32 random bytes. They must come from a source fit for keys. */
export function wordsFromEntropy(entropy: Uint8Array): Words {
  return entropyToMnemonic(entropy, wordlist) as Words;
}

/** Reads a phrase that somebody typed; throws `wallet-words` and says what is wrong, but never repeats the phrase. */
export function parseWords(text: string): Words {
  const words = text.normalize('NFKD').trim().toLowerCase().split(/\s+/u);
  if (!LENGTHS.includes(words.length)) throw wrong(`${words.length} words are none of 12, 15, 18, 21 or 24`);
  const unknown = words.flatMap((word, i) => (wordlist.includes(word) ? [] : [i + 1]));
  if (unknown.length > 0) throw wrong(`not in the English list: word ${unknown.join(', ')}`);
  const phrase = words.join(' ');
  try {
    mnemonicToEntropy(phrase, wordlist);
  } catch {
    throw wrong('the checksum in the last word does not match: a word is wrong or out of place');
  }
  return phrase as Words;
}

/** The random bytes a phrase was made from. */
export function entropyOf(words: Words): Uint8Array {
  return mnemonicToEntropy(words, wordlist);
}

/** The 64-byte seed of BIP 39: 2,048 rounds of PBKDF2 over the words, salted with the optional passphrase. */
export function seedOf(words: Words, passphrase = ''): Uint8Array {
  return mnemonicToSeedSync(words, passphrase);
}

function wrong(detail: string): TrestleError {
  return new TrestleError({ code: 'wallet-words', detail });
}
