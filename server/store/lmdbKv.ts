import { open, type RootDatabase } from 'lmdb';
import type { Entry, Kv } from './kv.js';
import { requireRoom, requireRoomToOpen } from './room.js';
import { asStoreFailure } from './storeFailure.js';

/** How an LMDB environment is opened. */
export interface LmdbOptions {
  /** A directory of its own. */
  readonly directory: string;
  /** Whether a commit waits for the disk. Without, it survives the death of the process but not of the machine. */
  readonly synced: boolean;
}

/**
 * Durable storage on LMDB. Commits are synchronous transactions: they are on disk when they return and report a full
 * disk as an error, where lmdb's asynchronous writes raise a rejection nobody can catch and end the process.
 */
export function lmdbKv({ directory, synced }: LmdbOptions): Kv {
  const db = guarded(directory, () => {
    requireRoomToOpen(directory);
    return openDatabase(directory, synced);
  });
  return {
    get: (key) =>
      guarded(directory, () => {
        const value = db.getBinary(asBuffer(key));
        return value === undefined ? undefined : asBytes(value);
      }),
    range: ({ gte, lt, reverse = false, limit }) =>
      guarded(directory, () => {
        const bounds = reverse
          ? { start: asBuffer(lt), exclusiveStart: true, end: asBuffer(gte), inclusiveEnd: true }
          : { start: asBuffer(gte), end: asBuffer(lt) };
        const entries: Entry[] = [];
        for (const { key, value } of db.getRange({ ...bounds, reverse, ...(limit === undefined ? {} : { limit }) }))
          entries.push([asBytes(key), asBytes(value)]);
        return entries;
      }),
    async commit(batch) {
      guarded(directory, () => {
        requireRoom(directory, batch);
        db.transactionSync(() => {
          // Nothing may be returned from here: a promise would keep the transaction open, and nothing would be on disk.
          for (const write of batch) {
            if (write.kind === 'put') db.putSync(asBuffer(write.key), asBuffer(write.value));
            else db.removeSync(asBuffer(write.key));
          }
        });
      });
    },
    close: () => db.close(),
  };
}

function openDatabase(directory: string, synced: boolean): RootDatabase<Buffer, Buffer> {
  return open<Buffer, Buffer>({
    path: directory,
    keyEncoding: 'binary',
    encoding: 'binary',
    noSubdir: false,
    noSync: !synced,
    // The default overlaps the wait for the disk with the next transaction; a commit here means "it is there".
    overlappingSync: false,
  });
}

/** A plain view: a Buffer's `slice` shares memory where everybody else's copies. */
function asBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function guarded<T>(directory: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw asStoreFailure(error, directory) ?? error;
  }
}
