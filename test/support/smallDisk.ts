import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, statSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of its own, in memory, with little room. It is unmounted when its scope ends. */
export interface SmallDisk extends Disposable {
  readonly path: string;
  /** Takes all the room there is, but for so many bytes. */
  fill(left?: number): void;
  /** Gives it back. */
  free(): void;
  /** Forbids all writing, or allows it again. No file on it may be open for writing. */
  setReadOnly(isReadOnly: boolean): void;
}

const BLOCK_BYTES = 4_096;

/** Mounts a disk of so many bytes, at a place of its own or at one that is there. */
export function smallDisk(bytes: number, at?: string): SmallDisk {
  const path = at ?? mkdtempSync(join(tmpdir(), 'trestle-disk-'));
  const filler = join(path, 'filler');
  try {
    mount('-t', 'tmpfs', '-o', `size=${bytes},mode=700`, 'tmpfs', path);
  } catch (error) {
    if (at === undefined) rmSync(path, { recursive: true });
    throw error;
  }
  return {
    path,
    fill(left = 0) {
      const file = openSync(filler, 'w');
      const block = Buffer.alloc(BLOCK_BYTES);
      try {
        for (;;) writeSync(file, block);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      } finally {
        closeSync(file);
      }
      const { size } = statSync(filler);
      truncateSync(filler, Math.max(0, size - left));
      if (left === 0 && statfsSync(path).bavail !== 0) throw new Error('the disk is not full');
    },
    free: () => rmSync(filler, { force: true }),
    setReadOnly: (isReadOnly) => mount('-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, path),
    [Symbol.dispose]() {
      // Lazily: a process that still ends must not keep it.
      run('umount', '--lazy', path);
      if (at === undefined) rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Why no disk can be mounted here, for the test's name; `undefined` where one can. */
export function whyNoSmallDisk(): string | undefined {
  try {
    smallDisk(65_536)[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return `a small disk cannot be mounted: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function mount(...args: readonly string[]): void {
  run('mount', ...args);
}

function run(command: string, ...args: readonly string[]): void {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(error?.message ?? stderr.trim());
}
