import { createCipheriv, createDecipheriv, randomBytes, randomUUID, scrypt, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { keccak256 } from '../../shared/crypto/hash.js';
import { accept, refuse, type Verdict } from '../../shared/verdict.js';
import { deriveKey, keyPath } from '../../shared/wallet/keys.js';
import { entropyOf, seedOf, type Words, wordsFromEntropy } from '../../shared/wallet/words.js';

/**
 * scrypt with N = 2^18, r = 8, p = 1, geth's "standard" strength: 256 MB and about half a second for each guess. A file
 * may ask for less memory than that, but for no more, and for four times the work: a hostile file must take neither the
 * machine's memory nor its time.
 */
const SCRYPT = { n: 2 ** 18, r: 8, p: 1, dklen: 32 } as const;
const MAX_SCRYPT_BYTES = 128 * SCRYPT.n * SCRYPT.r;
const MAX_SCRYPT_WORK = 4 * SCRYPT.n * SCRYPT.r * SCRYPT.p;
/** The second half of a 64-byte key hides the words, as ethers does it; the first 32 bytes are those of a 32-byte key. */
const DERIVED_BYTES = 64;
const CIPHER = 'aes-128-ctr';
const WORDS_CIPHER = 'aes-256-ctr';

const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9a-fA-F]{${bytes * 2}}$`), `${bytes} bytes in hex are expected`);

const scryptParams = z
  .looseObject({
    n: z
      .int()
      .min(2)
      .refine((n) => Number.isInteger(Math.log2(n)), 'a power of two is expected'),
    r: z.int().min(1).max(64),
    p: z.int().min(1).max(16),
    dklen: z.literal(32),
    salt: z.string().regex(/^(?:[0-9a-fA-F]{2}){8,64}$/, '8 to 64 bytes in hex are expected'),
  })
  .refine(({ n, r }) => n < 2 ** (16 * r), 'n is too large for r (RFC 7914, section 2)')
  .refine(({ n, r }) => 128 * n * r <= MAX_SCRYPT_BYTES, `more than ${MAX_SCRYPT_BYTES} bytes of memory are asked for`)
  .refine(({ n, r, p }) => n * r * p <= MAX_SCRYPT_WORK, 'too much work is asked for');

/** What encrypts the first key, in Web3 Secret Storage version 3. */
const secret = z.looseObject({
  cipher: z.literal(CIPHER),
  cipherparams: z.looseObject({ iv: hex(16) }),
  ciphertext: hex(32),
  kdf: z.literal('scrypt', 'only scrypt is read here'),
  kdfparams: scryptParams,
  mac: hex(32),
});
/** An encrypted key, with what it takes to decrypt it. */
export type StoredSecret = z.output<typeof secret>;

// Fields that are not named here say who wrote the file and when, and change nothing of what it means.
const storage = z.preprocess(
  // ethers writes `Crypto`, geth `crypto`, and both read either.
  (value) =>
    isRecord(value) && 'Crypto' in value && !('crypto' in value) ? { ...value, crypto: value['Crypto'] } : value,
  z.looseObject({
    version: z.literal(3, 'version 3 is expected'),
    crypto: secret,
    'x-ethers': z.looseObject(
      {
        mnemonicCounter: hex(16),
        mnemonicCiphertext: z.string().regex(/^(?:[0-9a-fA-F]{8}){4,8}$/, '16 to 32 bytes in hex are expected'),
        path: z.string().max(100).optional(),
        locale: z.literal('en', 'English words are expected').optional(),
        version: z.literal('0.1', 'version 0.1 is expected'),
      },
      'there are no words in it: only files that keep them beside the key can be used',
    ),
  }),
);
/** A key file that is in order as far as it can be told without the passphrase. */
export type SecretStorage = z.output<typeof storage>;

/** Reads a key file's text. Everything that decides about memory and time is checked here, before any is spent. */
export function parseSecretStorage(text: string): Verdict<SecretStorage, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's message would quote the file.
    return refuse('it is no JSON');
  }
  const parsed = storage.safeParse(json);
  if (parsed.success) return accept(parsed.data);
  return refuse(parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'all'}: ${message}`).join('; '));
}

/** Encrypts words: the first key as Web3 Secret Storage version 3, with the words beside it in the form of ethers. */
export async function encryptWords(words: Words, passphrase: string): Promise<z.input<typeof storage>> {
  const first = deriveKey(seedOf(words), 0, 0);
  const [salt, iv, counter] = [randomBytes(32), randomBytes(16), randomBytes(16)];
  const key = await keyFromPassphrase(passphrase, { ...SCRYPT, salt: salt.toString('hex') });
  const ciphertext = createCipheriv(CIPHER, key.subarray(0, 16), iv).update(first.secretKey);
  const mnemonic = createCipheriv(WORDS_CIPHER, key.subarray(32, 64), counter).update(entropyOf(words));
  return {
    version: 3,
    id: randomUUID(),
    address: first.address.slice(2),
    crypto: {
      cipher: CIPHER,
      cipherparams: { iv: iv.toString('hex') },
      ciphertext: ciphertext.toString('hex'),
      kdf: 'scrypt',
      kdfparams: { ...SCRYPT, salt: salt.toString('hex') },
      mac: macOf(key, ciphertext).toString('hex'),
    },
    'x-ethers': {
      client: 'trestle',
      path: keyPath(0, 0),
      locale: 'en',
      mnemonicCounter: counter.toString('hex'),
      mnemonicCiphertext: mnemonic.toString('hex'),
      version: '0.1',
    },
  };
}

/** Why a key file that is in order does not open. */
export type Locked = 'wrong passphrase' | 'other words';

/** The words of a key file. */
export async function decryptWords(file: SecretStorage, passphrase: string): Promise<Verdict<Words, Locked>> {
  const { crypto, 'x-ethers': ethers } = file;
  const key = await keyFromPassphrase(passphrase, crypto.kdfparams);
  const secretKey = decryptSecret(crypto, key);
  if (secretKey === undefined) return refuse('wrong passphrase');
  const decipher = createDecipheriv(WORDS_CIPHER, key.subarray(32, 64), Buffer.from(ethers.mnemonicCounter, 'hex'));
  const words = wordsFromEntropy(new Uint8Array(decipher.update(Buffer.from(ethers.mnemonicCiphertext, 'hex'))));
  // The check sum covers the key alone: words that were damaged in the file would open another, empty wallet.
  return timingSafeEqual(secretKey, deriveKey(seedOf(words), 0, 0).secretKey) ? accept(words) : refuse('other words');
}

/** The key that was stored, given the key of the passphrase; `undefined` where the check sum says that it is another's. */
export function decryptSecret(stored: StoredSecret, key: Uint8Array): Buffer | undefined {
  const ciphertext = Buffer.from(stored.ciphertext, 'hex');
  if (!timingSafeEqual(macOf(key, ciphertext), Buffer.from(stored.mac, 'hex'))) return undefined;
  return createDecipheriv(CIPHER, key.subarray(0, 16), Buffer.from(stored.cipherparams.iv, 'hex')).update(ciphertext);
}

function macOf(key: Uint8Array, ciphertext: Buffer): Buffer {
  return Buffer.from(keccak256(Buffer.concat([key.subarray(16, 32), ciphertext])));
}

function keyFromPassphrase(passphrase: string, { n, r, p, salt }: z.input<typeof scryptParams>): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Node's own limit is below what N = 2^18 needs.
    const options = { N: n, r, p, maxmem: MAX_SCRYPT_BYTES + 2 ** 20 * 64 };
    scrypt(passphrase.normalize('NFKC'), Buffer.from(salt, 'hex'), DERIVED_BYTES, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
