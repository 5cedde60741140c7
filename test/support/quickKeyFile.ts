import { createCipheriv, scryptSync } from 'node:crypto';
import { toHex } from '../../shared/bytes/hex.js';
import { keccak256 } from '../../shared/crypto/hash.js';
import { deriveKey } from '../../shared/wallet/keys.js';
import { entropyOf, seedOf, type Words } from '../../shared/wallet/words.js';

/** The text of a key file with the least scrypt there is: the form written out once more, and quick to open. */
export function quickKeyFile(words: Words, passphrase: string): string {
  const [salt, iv, counter] = [Buffer.alloc(32, 1), Buffer.alloc(16, 2), Buffer.alloc(16, 3)];
  const key = scryptSync(passphrase, salt, 64, { N: 2, r: 1, p: 1 });
  const encrypt = createCipheriv('aes-128-ctr', key.subarray(0, 16), iv);
  const ciphertext = encrypt.update(deriveKey(seedOf(words), 0, 0).secretKey);
  const mac = keccak256(Buffer.concat([key.subarray(16, 32), ciphertext]));
  const mnemonic = createCipheriv('aes-256-ctr', key.subarray(32), counter).update(entropyOf(words));
  return JSON.stringify({
    version: 3,
    id: 'any',
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: iv.toString('hex') },
      ciphertext: ciphertext.toString('hex'),
      kdf: 'scrypt',
      kdfparams: { n: 2, r: 1, p: 1, dklen: 32, salt: salt.toString('hex') },
      mac: toHex(mac),
    },
    'x-ethers': {
      mnemonicCounter: counter.toString('hex'),
      mnemonicCiphertext: mnemonic.toString('hex'),
      version: '0.1',
    },
  });
}
