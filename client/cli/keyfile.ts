import { createCipheriv, createDecipheriv, randomBytes, randomUUID, scrypt, timingSafeEqual } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { keccak256 } from '../../shared/crypto/hash.js';
import { TrestleError } from '../../shared/errors.js';
import { deriveKey, keyPath } from '../../shared/wallet/keys.js';
import { entropyOf, seedOf, type Words, wordsFromEntropy } from '../../shared/wallet/words.js';

/**
 * scrypt with N = 2^18, r = 8, p = 1, geth's "standard" strength: 256 MB and about half a second for each guess. A file
 * may ask for less memory than that, but for no more: a hostile file must not take the machine's memory.
 */
const SCRYPT = { n: 2 ** 18, r: 8, p: 1, dklen: 32 } as const;
const MAX_SCRYPT_BYTES = 128 * SCRYPT.n * SCRYPT.r;
/** The second half of a 64-byte key hides the words, as ethers does it; the first 32 bytes are those of a 32-byte key. */
const DERIVED_BYTES = 64;
const MAX_FILE_BYTES = 16_384;
const CIPHER = 'aes-128-ctr';

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-fA-F]{${bytes * 2}}$`));

const keyFile = z.looseObject({
  version: z.literal(3),
  crypto: z.looseObject({
    cipher: z.literal(CIPHER),
    cipherparams: z.looseObject({ iv: hex(16) }),
    ciphertext: hex(32),
    kdf: z.literal('scrypt'),
    kdfparams: z.looseObject({
      n: z
        .int()
        .min(2)
        .max(SCRYPT.n)
        .refine((n) => Number.isInteger(Math.log2(n)), 'a power of two'),
      r: z.int().min(1).max(64),
      p: z.int().min(1).max(16),
      dklen: z.literal(32),
      salt: z.string().regex(/^(?:[0-9a-fA-F]{2}){1,64}$/),
    }),
    mac: hex(32),
  }),
  'x-ethers': z.looseObject({
    mnemonicCounter: hex(16),
    mnemonicCiphertext: z.string().regex(/^(?:[0-9a-fA-F]{8}){4,8}$/),
    path: z.string().max(100).optional(),
    locale: z.literal('en').optional(),
    version: z.literal('0.1'),
  }),
});

type ScryptParams = { n: number; r: number; p: number };

/**
 * Writes words into a key file: Web3 Secret Storage version 3 for the first key, with the words beside it in the form
 * that ethers uses. Whole or not at all, readable by its owner only, and never over a file that is there.
 */
export async function saveKeyFile(file: string, words: Words, passphrase: string): Promise<void> {
  const text = `${JSON.stringify(await encryptWords(words, passphrase), null, 2)}\n`;
  const temporary = `${file}.${randomUUID()}`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(temporary, 'wx', 0o600);
    await handle.writeFile(text);
    await handle.sync();
    await handle.close();
    // A link appears whole and fails where a file is: a rename would write over somebody's wallet.
    await link(temporary, file);
  } catch (error) {
    const detail = isErrno(error, 'EEXIST') ? 'there is a file already; choose another --file' : String(error);
    throw new TrestleError({ code: 'wallet-file', file, detail }, { cause: error });
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Reads the words out of a key file. Throws `wallet-file` or `wallet-passphrase`. */
export async function openKeyFile(file: string, passphrase: string): Promise<Words> {
  const wrong = (detail: string, cause?: unknown): TrestleError =>
    new TrestleError({ code: 'wallet-file', file, detail }, { cause });
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw wrong(isErrno(error, 'ENOENT') ? 'there is no such file' : String(error), error);
  });
  if (text.length > MAX_FILE_BYTES) throw wrong(`above ${MAX_FILE_BYTES} bytes`);
  const parsed = keyFile.safeParse(parseJson(text));
  if (!parsed.success) throw wrong(parsed.error.issues.map(({ path }) => path.join('.') || 'no JSON').join(', '));
  const { crypto, 'x-ethers': ethers } = parsed.data;
  const { kdfparams } = crypto;
  if (128 * kdfparams.n * kdfparams.r > MAX_SCRYPT_BYTES) throw wrong('its scrypt parameters ask for too much memory');
  const key = await deriveFrom(passphrase, Buffer.from(kdfparams.salt, 'hex'), kdfparams);
  const mac = macOf(key, Buffer.from(crypto.ciphertext, 'hex'));
  if (!timingSafeEqual(mac, Buffer.from(crypto.mac, 'hex')))
    throw new TrestleError({ code: 'wallet-passphrase', file });
  const secret = createDecipheriv(CIPHER, key.subarray(0, 16), Buffer.from(crypto.cipherparams.iv, 'hex'));
  const mnemonic = createDecipheriv('aes-256-ctr', key.subarray(32, 64), Buffer.from(ethers.mnemonicCounter, 'hex'));
  const words = wordsFromEntropy(new Uint8Array(mnemonic.update(Buffer.from(ethers.mnemonicCiphertext, 'hex'))));
  // The check sum covers the key alone: words that were damaged in the file would open another, empty wallet.
  if (!timingSafeEqual(secret.update(Buffer.from(crypto.ciphertext, 'hex')), deriveKey(seedOf(words), 0, 0).secretKey))
    throw wrong('its words are not those of its key');
  return words;
}

async function encryptWords(words: Words, passphrase: string): Promise<z.input<typeof keyFile>> {
  const first = deriveKey(seedOf(words), 0, 0);
  const [salt, iv, counter] = [randomBytes(32), randomBytes(16), randomBytes(16)];
  const key = await deriveFrom(passphrase, salt, SCRYPT);
  const ciphertext = createCipheriv(CIPHER, key.subarray(0, 16), iv).update(first.secretKey);
  const mnemonic = createCipheriv('aes-256-ctr', key.subarray(32, 64), counter).update(entropyOf(words));
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

function macOf(key: Buffer, ciphertext: Buffer): Buffer {
  return Buffer.from(keccak256(Buffer.concat([key.subarray(16, 32), ciphertext])));
}

function deriveFrom(passphrase: string, salt: Buffer, { n, r, p }: ScryptParams): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Node's own limit is below what N = 2^18 needs.
    const options = { N: n, r, p, maxmem: MAX_SCRYPT_BYTES + 2 ** 20 * 64 };
    scrypt(passphrase.normalize('NFKC'), salt, DERIVED_BYTES, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
