import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { tryLock } from 'fs-native-extensions';
import { TrestleError } from '../../shared/errors.js';
import { asStoreFailure } from './storeFailure.js';

/** A hold on a data directory. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Takes a data directory for this process alone, making it where it is missing. LMDB lets a second process in, which
 * would then move a tip that the first one holds in memory. The lock is the operating system's: it goes with the process,
 * however that ends, so no stale lock ever has to be judged.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const file = await open(join(directory, 'lock'), 'a+', 0o600);
    if (!tryLock(file.fd)) {
      await file.close();
      throw new TrestleError({ code: 'store-locked', directory });
    }
    return { release: () => file.close() };
  } catch (error) {
    throw asStoreFailure(error, directory) ?? error;
  }
}
