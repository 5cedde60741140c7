import { TrestleError } from '../../shared/errors.js';

/** Error numbers of LMDB (below -30,000) and of the operating system, and the names operators look up. */
const STORE_FAILURES: Readonly<Record<string, 'store-full' | 'store-readonly' | 'store-corrupt'>> = {
  ENOSPC: 'store-full',
  '28': 'store-full',
  // MDB_MAP_FULL: the file cannot grow.
  '-30792': 'store-full',
  EACCES: 'store-readonly',
  EPERM: 'store-readonly',
  ENOENT: 'store-readonly',
  ENOTDIR: 'store-readonly',
  EEXIST: 'store-readonly',
  '13': 'store-readonly',
  EROFS: 'store-readonly',
  '30': 'store-readonly',
  // MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID, MDB_VERSION_MISMATCH.
  '-30796': 'store-corrupt',
  '-30797': 'store-corrupt',
  '-30793': 'store-corrupt',
  '-30794': 'store-corrupt',
};

/** The failure of ours that an error from the file system or from LMDB stands for, if it stands for one. */
export function asStoreFailure(error: unknown, directory: string): TrestleError | undefined {
  const number = error instanceof Error && 'code' in error ? String(error.code) : '';
  const code = STORE_FAILURES[number];
  if (code === undefined) return undefined;
  const reason = code === 'store-corrupt' ? { code, detail: `${directory}: ${String(error)}` } : { code, directory };
  return new TrestleError(reason, { cause: error });
}
