import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** File systems that have no hard links say so in one of these ways. */
const NO_LINKS: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
/** File systems whose directories cannot be made durable, which then are so by themselves. */
const NO_DIRECTORY_SYNC: ReadonlySet<unknown> = new Set(['EINVAL', 'EISDIR', 'EPERM', 'ENOTSUP']);

/**
 * Makes a file that only its owner can read: whole or not at all, on the disk when this settles, and never over one that
 * is there, which fails with `EEXIST`. `temporary` is a name beside it that nobody else uses.
 */
export async function createFile(file: string, text: string, temporary: string): Promise<void> {
  const directory = dirname(file);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  try {
    await writeDurably(temporary, text);
    await giveName(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
  // Without this the disk may hold the file and not its name.
  await syncDirectory(directory);
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    // The process's mask may have taken rights from its owner, too.
    await handle.chmod(0o600);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function giveName(temporary: string, file: string): Promise<void> {
  try {
    // A link appears whole and fails where a file is: a rename would write over somebody's wallet.
    await link(temporary, file);
  } catch (error) {
    if (!NO_LINKS.has(codeOf(error))) throw error;
    // Without links the name is taken by an empty file of our own, which alone the rename then writes over.
    await (await open(file, 'wx', 0o600)).close();
    await rename(temporary, file);
  }
}

async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!NO_DIRECTORY_SYNC.has(codeOf(error))) throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
