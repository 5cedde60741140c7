import { scryptSync } from 'node:crypto';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HDKey } from '@scure/bip32';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openKeyFile, saveKeyFile } from '../../../client/cli/keyfile.js';
import { decryptSecret, parseSecretStorage } from '../../../client/cli/secretStorage.js';
import { fromHex, toHex } from '../../../shared/bytes/hex.js';
import { deriveKey } from '../../../shared/wallet/keys.js';
import { parseWords, seedOf } from '../../../shared/wallet/words.js';
import { assertRefused, present } from '../../kit/assertOk.js';
import { failureFrom } from '../../support/failureFrom.js';
import { quickKeyFile } from '../../support/quickKeyFile.js';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary.js';

const WORDS = parseWords(`${'abandon '.repeat(11)}about`);
const PASSPHRASE = 'correct horse';

let home: TemporaryDirectory;
let text: string;

beforeAll(async () => {
  home = await temporaryDirectory();
  await saveKeyFile(join(home.path, 'good.json'), WORDS, PASSPHRASE);
  text = await readFile(join(home.path, 'good.json'), 'utf8');
});
afterAll(() => home[Symbol.asyncDispose]());

let written = 0;
/** Writes a file that only its owner can read. */
async function fileOf(content: string | Buffer): Promise<string> {
  const file = join(home.path, `file-${++written}.json`);
  await writeFile(file, content, { mode: 0o600 });
  return file;
}

const quickFile = (passphrase = PASSPHRASE): string => quickKeyFile(WORDS, passphrase);

/** A file with one field changed; `undefined` takes it away. */
function changed(path: string, value: unknown, from = quickFile()): string {
  const root: unknown = JSON.parse(from);
  const names = path.split('.');
  const last = present(names.pop());
  let at = root;
  for (const name of names) at = Reflect.get(Object(at), name);
  if (value === undefined) Reflect.deleteProperty(Object(at), last);
  else Reflect.set(Object(at), last, value);
  return JSON.stringify(root);
}

const SALT = 'crypto.kdfparams.salt';
const N = 'crypto.kdfparams.n';

describe('a hostile key file is refused as such, before scrypt takes any memory or time', () => {
  test.each<[string, string, unknown]>([
    ['N of 2^30: a terabyte', N, 2 ** 30],
    ['N of 2^19', N, 2 ** 19],
    ['N past all whole numbers', N, 2 ** 60],
    ['N that is no power of two', N, 2 ** 18 - 1],
    ['N of 1', N, 1],
    ['N of 0', N, 0],
    ['N below 0', N, -2],
    ['N with a fraction', N, 2.5],
    ['N as text', N, '262144'],
    ['no N', N, undefined],
    ['r of 9: more memory than ours', 'crypto.kdfparams.r', 9],
    ['r of 2^20', 'crypto.kdfparams.r', 2 ** 20],
    ['r of 0', 'crypto.kdfparams.r', 0],
    ['r with a fraction', 'crypto.kdfparams.r', 7.5],
    ['r of 1, too small for this N', 'crypto.kdfparams.r', 1],
    ['p of 5: more than four times our work', 'crypto.kdfparams.p', 5],
    ['p of 2^24', 'crypto.kdfparams.p', 2 ** 24],
    ['p of 0', 'crypto.kdfparams.p', 0],
    ['p as text', 'crypto.kdfparams.p', '1'],
    ['a key of 16 bytes', 'crypto.kdfparams.dklen', 16],
    ['a key of 2^31 bytes', 'crypto.kdfparams.dklen', 2 ** 31],
    ['a salt of 7 bytes', SALT, '00'.repeat(7)],
    ['a salt of 65 bytes', SALT, '00'.repeat(65)],
    ['a salt of half a byte', SALT, '0'.repeat(63)],
    ['a salt that is no hex', SALT, 'xy'.repeat(32)],
    ['a salt that is no text', SALT, 5],
    ['an iv of 15 bytes', 'crypto.cipherparams.iv', '00'.repeat(15)],
    ['an iv of 17 bytes', 'crypto.cipherparams.iv', '00'.repeat(17)],
    ['no iv', 'crypto.cipherparams.iv', undefined],
    ['a ciphertext of 31 bytes', 'crypto.ciphertext', '00'.repeat(31)],
    ['a mac of 31 bytes', 'crypto.mac', '00'.repeat(31)],
    ['another cipher', 'crypto.cipher', 'aes-128-cbc'],
    ['another derivation', 'crypto.kdf', 'argon2id'],
    ['no encryption', 'crypto', undefined],
    ['a list for its encryption', 'crypto', []],
    ['version 1', 'version', 1],
    ['version 4', 'version', 4],
    ['version 3 as text', 'version', '3'],
    ['no version', 'version', undefined],
    ['another version of the words', 'x-ethers.version', '0.2'],
    ['words of another language', 'x-ethers.locale', 'ja'],
    ['a counter of 15 bytes', 'x-ethers.mnemonicCounter', '00'.repeat(15)],
    ['words of 15 bytes', 'x-ethers.mnemonicCiphertext', '00'.repeat(15)],
    ['words of 36 bytes', 'x-ethers.mnemonicCiphertext', '00'.repeat(36)],
  ])('%s', async (_what, path, value) => {
    const file = await fileOf(changed(path, value, text));
    const reason = await failureFrom(openKeyFile(file, PASSPHRASE));
    expect(reason).toMatchObject({ code: 'wallet-file', file });
  });

  test.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['no JSON', '{"version": 3, "secret'],
    ['JSON of another kind', '[3]'],
    ['null', 'null'],
    ['bytes', Buffer.alloc(100, 0xff)],
  ])('%s instead of a key file', async (_what, content) => {
    expect(await failureFrom(openKeyFile(await fileOf(content), ''))).toMatchObject({ code: 'wallet-file' });
  });

  test('a file that is too long for a key file is not read to its end', async () => {
    const long = `${quickFile()}${' '.repeat(1_000_000)}`;
    expect(await failureFrom(openKeyFile(await fileOf(long), PASSPHRASE))).toMatchObject({
      code: 'wallet-file',
      detail: 'above 16384 bytes',
    });
    // Linux and macOS have one; elsewhere there is no such file, which is refused as well.
    expect(await failureFrom(openKeyFile('/dev/zero', ''))).toMatchObject({ code: 'wallet-file' });
    expect(await failureFrom(openKeyFile(home.path, ''))).toMatchObject({ code: 'wallet-file' });
  });

  test('what is said of it repeats nothing of what is in it', async () => {
    const reason = await failureFrom(openKeyFile(await fileOf('{"password": "hunter2", oops'), ''));
    expect(JSON.stringify(reason)).not.toContain('hunter2');
  });
});

describe('a key file that is in order', () => {
  test('fields that say nothing about the key change nothing', async () => {
    const file = await fileOf(changed('x-other', { anything: [1, 2] }));
    expect(await openKeyFile(file, PASSPHRASE)).toBe(WORDS);
  });

  test.each([
    ['a tampered check sum', 'crypto.mac'],
    ['a tampered key', 'crypto.ciphertext'],
    ['another salt', SALT],
  ])('%s opens nothing', async (_what, path) => {
    const file = await fileOf(changed(path, '00'.repeat(32)));
    expect(await failureFrom(openKeyFile(file, PASSPHRASE))).toEqual({ code: 'wallet-passphrase', file });
  });

  test('a wrong passphrase opens nothing', async () => {
    const file = await fileOf(quickFile());
    for (const wrong of ['', 'wrong', `${PASSPHRASE} `, PASSPHRASE.toUpperCase()])
      expect(await failureFrom(openKeyFile(file, wrong))).toEqual({ code: 'wallet-passphrase', file });
  });

  test('one that this program wrote has geth’s standard strength, and opens', async () => {
    expect(JSON.parse(text)).toMatchObject({ crypto: { kdfparams: { n: 262_144, r: 8, p: 1, dklen: 32 } } });
    expect(await openKeyFile(join(home.path, 'good.json'), PASSPHRASE)).toBe(WORDS);
  });

  test.each([
    ['another iv', 'crypto.cipherparams.iv', '00'.repeat(16)],
    ['other words', 'x-ethers.mnemonicCiphertext', '00'.repeat(16)],
    ['another counter', 'x-ethers.mnemonicCounter', '00'.repeat(16)],
  ])('%s, which the check sum does not cover, does not open an empty wallet', async (_what, path, value) => {
    expect(await failureFrom(openKeyFile(await fileOf(changed(path, value)), PASSPHRASE))).toMatchObject({
      code: 'wallet-file',
      detail: 'its words are not those of its key',
    });
  });

  test('a passphrase is the same however its letters are composed', async () => {
    expect(await openKeyFile(await fileOf(quickFile('caf\u00e9')), 'cafe\u0301')).toBe(WORDS);
  });

  test.skipIf(process.platform === 'win32')('one that others can read is named, and opens all the same', async () => {
    const file = await fileOf(quickFile());
    const warnings: string[] = [];
    const warn = (message: string): void => void warnings.push(message);
    expect(await openKeyFile(file, PASSPHRASE, warn)).toBe(WORDS);
    expect(warnings).toEqual([]);
    await chmod(file, 0o640);
    expect(await openKeyFile(file, PASSPHRASE, warn)).toBe(WORDS);
    expect(warnings).toEqual([expect.stringContaining(file)]);
    expect((await stat(file)).mode & 0o777).toBe(0o640);
  });
});

/** A file that ethers 3 wrote, with the words, password and key published with its tests (their wallet "ethers1"). */
const ETHERS = {
  file: '{"address":"012363d61bdc53d0290a0f25e9c89f8257550fb8","id":"5ba8719b-faf9-49ec-8bca-21522e3d56dc","version":3,"Crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"bc0473d60284d2d6994bb6793e916d06"},"ciphertext":"e73ed0b0c53bcaea4516a15faba3f6d76dbe71b9b46a460ed7e04a68e0867dd7","kdf":"scrypt","kdfparams":{"salt":"97f0b6e17c392f76a726ceea02bac98f17265f1aa5cf8f9ad1c2b56025bc4714","n":131072,"dklen":32,"p":1,"r":8},"mac":"ff4f2db7e7588f8dd41374d7b98dfd7746b554c0099a6c0765be7b1c7913e1f3"},"x-ethers":{"client":"ethers.js","gethFilename":"UTC--2018-01-27T01-52-22.0Z--012363d61bdc53d0290a0f25e9c89f8257550fb8","mnemonicCounter":"70224accc00e35328a010a19fef51121","mnemonicCiphertext":"cf835e13e4f90b190052263dbd24b020","version":"0.1"}}',
  words: 'service basket parent alcohol fault similar survey twelve hockey cloud walk panel',
  key: '4c94faa2c558a998d10ee8b2b9b8eb1fbcb8a6ac5fd085c6f95535604fc1bffb',
};

/** The two vectors of the Web3 Secret Storage Definition, whose password is "testpassword". */
const WEB3 = {
  secret: '7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d',
  scrypt: {
    cipher: 'aes-128-ctr' as const,
    cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
    ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
    kdf: 'scrypt' as const,
    kdfparams: {
      dklen: 32 as const,
      n: 262_144,
      r: 1,
      p: 8,
      salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
    },
    mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
  },
  pbkdf2: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: {
      c: 262_144,
      dklen: 32,
      prf: 'hmac-sha256',
      salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
    },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
};

describe('published vectors', () => {
  test('a file of ethers opens, and its words lead to its key', async () => {
    const words = await openKeyFile(await fileOf(ETHERS.file), 'password');
    expect(words).toBe(ETHERS.words);
    expect(toHex(deriveKey(seedOf(words), 0, 0).secretKey)).toBe(ETHERS.key);
  });

  test('Web3 Secret Storage version 3: check sum and key come out, given the key of the passphrase', () => {
    // The definition gives the keys in between, too. RFC 7914 allows no N of 2^18 with r = 1, and OpenSSL holds to it.
    const key = fromHex('fac192ceb5fd772906bea3e118a69e8bbb5cc24229e20d8766fd298291bba6bd');
    const slow = fromHex('f06d69cdc7da0faffb1008270bca38f5e31891a3a773950e6d0fea48a7188551');
    expect(decryptSecret(WEB3.scrypt, key)?.toString('hex')).toBe(WEB3.secret);
    const { cipher: _cipher, kdf: _kdf, kdfparams: _params, ...rest } = WEB3.pbkdf2;
    expect(decryptSecret({ ...WEB3.scrypt, ...rest }, slow)?.toString('hex')).toBe(WEB3.secret);
    expect(decryptSecret(WEB3.scrypt, slow)).toBeUndefined();
  });

  test('such files hold one key and no words: the refusal says so, and what is read at all', () => {
    const refusal = (crypto: object): string =>
      assertRefused(parseSecretStorage(JSON.stringify({ version: 3, crypto })));
    expect(refusal({ ...WEB3.scrypt, kdfparams: { ...WEB3.scrypt.kdfparams, r: 8, p: 1 } })).toContain(
      'no words in it',
    );
    expect(refusal(WEB3.scrypt)).toContain('n is too large for r');
    expect(refusal(WEB3.pbkdf2)).toContain('only scrypt is read here');
  });

  test('scrypt itself: the second vector of RFC 7914, section 12', () => {
    const key = scryptSync('password', 'NaCl', 64, { N: 1024, r: 8, p: 16 });
    expect(key.toString('hex')).toMatch(/^fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162/);
  });

  test('BIP 32, test vector 1: master, a hardened child, and five levels down', () => {
    const root = HDKey.fromMasterSeed(fromHex('000102030405060708090a0b0c0d0e0f'));
    expect([
      root.privateExtendedKey,
      root.derive("m/0'").privateExtendedKey,
      root.derive("m/0'/1/2'/2/1000000000").privateExtendedKey,
    ]).toEqual([
      'xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi',
      'xprv9uHRZZhk6KAJC1avXpDAp4MDc3sQKNxDiPvvkX8Br5ngLNv1TxvUxt4cV1rGL5hj6KCesnDYUhd7oWgT11eZG7XnxHrnYeSvkzY7d2bhkJ7',
      'xprvA41z7zogVVwxVSgdKUHDy1SKmdb533PjDz7J6N6mV6uS3ze1ai8FHa8kmHScGpWmj4WggLyQjgPie1rFSruoUihUZREPSL39UNdE3BBDu76',
    ]);
  });
});
