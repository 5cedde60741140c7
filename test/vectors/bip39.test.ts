import { HDKey } from '@scure/bip32';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { fromHex, toHex } from '../../shared/bytes/hex.js';
import { entropyOf, parseWords, seedOf, wordsFromEntropy } from '../../shared/wallet/words.js';
import { vectorFiles, whyNoVectors } from '../support/vectors.js';

const vectors = z.object({
  passphrase: z.string(),
  english: z.array(z.tuple([z.string(), z.string(), z.string(), z.string()])).min(1),
});

const why = whyNoVectors();
test.skipIf(why !== undefined)(
  `words, seeds and root keys equal the published vectors${why === undefined ? '' : ` (${why})`}`,
  () => {
    for (const { name, text } of vectorFiles('bip39')) {
      const { passphrase, english } = vectors.parse(JSON.parse(text));
      for (const [entropy, phrase, seed, root] of english) {
        const words = parseWords(phrase);
        expect(wordsFromEntropy(fromHex(entropy)), name).toBe(phrase);
        expect(toHex(entropyOf(words)), name).toBe(entropy);
        expect(toHex(seedOf(words, passphrase)), name).toBe(seed);
        expect(HDKey.fromMasterSeed(seedOf(words, passphrase)).privateExtendedKey, name).toBe(root);
      }
    }
  },
);
