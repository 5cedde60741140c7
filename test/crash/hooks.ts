import fs from 'node:fs';
import promises from 'node:fs/promises';
import { register, syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { isDeadly, point, reaches, strikeNow } from './points.js';

/*
 * Loaded into a real process before anything else (`node --import`): makes every write to a file and every commit of a
 * store a point at which the process can be struck: before, half-way and after.
 */

/** What a call is named in the list of points, by its first argument. */
type Name = (first: unknown) => string;
const withPath =
  (verb: string): Name =>
  (path) =>
    `${verb} ${plain(String(path))}`;

/** How to do half of a write. */
type Half<Args extends readonly unknown[]> = (...args: Args) => unknown;

function watched<Args extends readonly unknown[], Result>(
  name: Name,
  call: (...args: Args) => Promise<Result>,
  half?: Half<Args>,
): (...args: Args) => Promise<Result> {
  return async (...args) => {
    const what = name(args[0]);
    point(`${what}: before`);
    if (half !== undefined && reaches(`${what}: half-way`)) {
      if (isDeadly()) await half(...args);
      strikeNow();
    }
    const result = await call(...args);
    point(`${what}: after`);
    return result;
  };
}

/** A file's name without what differs from run to run. */
function plain(path: string): string {
  return basename(path).replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, '*');
}

function halfOf(data: unknown): string {
  return typeof data === 'string' ? data.slice(0, data.length / 2) : '';
}

/** The same for calls that settle nothing: they end before they return. */
function watchedSync<Args extends readonly unknown[], Result>(
  name: Name,
  call: (...args: Args) => Result,
): (...args: Args) => Result {
  return (...args) => {
    const what = name(args[0]);
    point(`${what}: before`);
    const result = call(...args);
    point(`${what}: after`);
    return result;
  };
}

if (isMainThread) {
  const { mkdir, writeFile, chmod, link, rename, rm, unlink, open } = promises;
  Object.assign(promises, {
    mkdir: watched(withPath('mkdir'), mkdir),
    chmod: watched(withPath('chmod'), chmod),
    link: watched(withPath('link'), link),
    rename: watched(withPath('rename'), rename),
    rm: watched(withPath('rm'), rm),
    unlink: watched(withPath('unlink'), unlink),
    writeFile: watched(withPath('write'), writeFile, (file, data, options) => writeFile(file, halfOf(data), options)),
    open: async (...args: Parameters<typeof open>) => {
      const name = plain(String(args[0]));
      if (args[1] === undefined || args[1] === 'r') {
        const handle = await open(...args);
        return Object.assign(handle, { sync: watched(() => `sync ${name}`, handle.sync.bind(handle)) });
      }
      const handle = await watched(withPath('open'), open)(...args);
      const write = handle.writeFile.bind(handle);
      return Object.assign(handle, {
        writeFile: watched(
          () => `write into ${name}`,
          write,
          (data, options) => write(halfOf(data), options),
        ),
        sync: watched(() => `sync ${name}`, handle.sync.bind(handle)),
      });
    },
  });
  const { mkdirSync, writeFileSync, renameSync, unlinkSync, rmSync, openSync, closeSync, writeSync } = fs;
  /** Files that are open for writing, by their descriptors. */
  const written = new Map<number, string>();
  Object.assign(fs, {
    mkdirSync: watchedSync(withPath('mkdir'), mkdirSync),
    writeFileSync: watchedSync(withPath('write'), writeFileSync),
    renameSync: watchedSync(withPath('rename'), renameSync),
    unlinkSync: watchedSync(withPath('unlink'), unlinkSync),
    rmSync: watchedSync(withPath('rm'), rmSync),
    openSync: (...args: Parameters<typeof openSync>) => {
      if (args[1] === undefined || args[1] === 'r') return openSync(...args);
      const descriptor = watchedSync(withPath('open'), openSync)(...args);
      written.set(descriptor, plain(String(args[0])));
      return descriptor;
    },
    closeSync: (descriptor: number) => {
      written.delete(descriptor);
      closeSync(descriptor);
    },
    writeSync: (...args: [number, string, number?]) => {
      const [descriptor, text, position] = args;
      const name = written.get(descriptor);
      if (name !== undefined) {
        point(`write into ${name}: before`);
        if (reaches(`write into ${name}: half-way`)) {
          if (isDeadly()) writeSync(descriptor, halfOf(text), position);
          strikeNow();
        }
      }
      const count = writeSync(...args);
      if (name !== undefined) point(`write into ${name}: after`);
      if (descriptor === process.stderr.fd) point('a line of the log: after');
      return count;
    },
  });
  syncBuiltinESMExports();
  register('./resolve.js', import.meta.url);
}
