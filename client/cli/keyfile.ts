import { randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import { TrestleError } from '../../shared/errors.js';
import type { Words } from '../../shared/wallet/words.js';
import { createFile } from './newFile.js';
import { decryptWords, encryptWords, parseSecretStorage } from './secretStorage.js';

const MAX_FILE_BYTES = 16_384;
/** What group and others may do with a file. */
const OTHERS = 0o077;

/**
 * Writes words into a key file: Web3 Secret Storage version 3 for the first key, with the words beside it in the form
 * that ethers uses. Whole or not at all, readable by its owner only, and never over a file that is there.
 */
export async function saveKeyFile(file: string, words: Words, passphrase: string): Promise<void> {
  const text = `${JSON.stringify(await encryptWords(words, passphrase), null, 2)}\n`;
  try {
    await createFile(file, text, `${file}.${randomUUID()}`);
  } catch (error) {
    const detail = isErrno(error, 'EEXIST') ? 'there is a file already; choose another --file' : String(error);
    throw new TrestleError({ code: 'wallet-file', file, detail }, { cause: error });
  }
}

/**
 * Reads the words out of a key file. Throws `wallet-file` or `wallet-passphrase`; `warn` hears of a file that others
 * than its owner can read.
 */
export async function openKeyFile(
  file: string,
  passphrase: string,
  warn: (message: string) => void = () => {},
): Promise<Words> {
  const wrong = (detail: string, cause?: unknown): TrestleError =>
    new TrestleError({ code: 'wallet-file', file, detail }, { cause });
  const { text, mode } = await readKeyFile(file).catch((error: unknown) => {
    throw wrong(isErrno(error, 'ENOENT') ? 'there is no such file' : String(error), error);
  });
  if (process.platform !== 'win32' && (mode & OTHERS) !== 0)
    warn(`others on this machine may use the key file ${file}; take that from them with chmod 600`);
  if (text === undefined) throw wrong(`above ${MAX_FILE_BYTES} bytes`);
  const parsed = parseSecretStorage(text);
  if (!parsed.ok) throw wrong(parsed.reject);
  const words = await decryptWords(parsed.value, passphrase);
  if (words.ok) return words.value;
  if (words.reject === 'other words') throw wrong('its words are not those of its key');
  throw new TrestleError({ code: 'wallet-passphrase', file });
}

/** The text of a file, `undefined` where it is too long for a key file: whatever it is, no more than that is read. */
async function readKeyFile(file: string): Promise<{ readonly text: string | undefined; readonly mode: number }> {
  const handle = await open(file, 'r');
  try {
    const stats = await handle.stat();
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    for (let read = 1; read > 0 && length < buffer.length; length += read)
      read = (await handle.read(buffer, length, buffer.length - length, null)).bytesRead;
    const text = length > MAX_FILE_BYTES ? undefined : buffer.toString('utf8', 0, length);
    return { text, mode: stats.isFile() ? stats.mode : 0 };
  } finally {
    await handle.close();
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
