import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../../shared/bytes/hex.js';
import type { Random } from '../ports.js';
import { asStoreFailure } from '../store/storeFailure.js';

/** The file in the data directory that holds the token for operator calls. */
export const TOKEN_FILE = 'operator-token';
const TOKEN = /^[0-9a-f]{64}$/;

/** The operator's token: the one in the data directory, or a new one that only the file's owner can read. */
export async function operatorToken(directory: string, random: Random): Promise<string> {
  const file = join(directory, TOKEN_FILE);
  try {
    const kept = (await readFile(file, 'utf8').catch(() => '')).trim();
    if (TOKEN.test(kept)) {
      await chmod(file, 0o600);
      return kept;
    }
    const token = toHex(random.bytes(32));
    // A new file: what stands there may be open to others, or lead elsewhere.
    await rm(file, { force: true });
    await writeFile(file, `${token}\n`, { mode: 0o600, flag: 'wx' });
    await chmod(file, 0o600);
    return token;
  } catch (error) {
    throw asStoreFailure(error, directory) ?? error;
  }
}
