import { open, type RootDatabase } from 'lmdb';
import { TrestleError } from '../../shared/errors.js';
import { CHECKSUM_BYTES, isSealed, openSeal, rowChecksum } from './checksum.js';
import type { Entry, Kv } from './kv.js';
import { requireRoom, requireRoomToOpen } from './room.js';
import { asStoreFailure } from './storeFailure.js';

/** How an LMDB environment is opened. */
export interface LmdbOptions {
  /** A directory of its own. */
  readonly directory: string;
  /** Whether a commit waits for the disk. Without, it survives the death of the process but not of the machine. */
  readonly synced: boolean;
  /** Told of damage that a read or a commit met, before whoever asked is. */
  readonly onDamage?: ((damage: TrestleError) => void) | undefined;
}

/**
 * Durable storage on LMDB. Commits are synchronous transactions: they are on disk when they return and report a full
 * disk as an error, where lmdb's asynchronous writes raise a rejection nobody can catch and end the process.
 *
 * LMDB has no checksums, so each value is followed by one over key and value, and every read checks it: damage is an
 * error, never another value. Whether the tree that leads to the rows is whole, `checkDataFile` finds before opening.
 */
export function lmdbKv(options: LmdbOptions): Kv {
  const { directory, synced } = options;
  const db = guarded(options, () => {
    requireRoomToOpen(directory);
    return openDatabase(directory, synced);
  });
  const sealer = new Sealer();
  return {
    get: (key) =>
      guarded(options, () => {
        const sealed = db.getBinary(key);
        return sealed === undefined ? undefined : unseal(key, sealed, directory);
      }),
    range: ({ gte, lt, reverse = false, limit }) =>
      guarded(options, () => {
        const bounds = reverse
          ? { start: lt, exclusiveStart: true, end: gte, inclusiveEnd: true }
          : { start: gte, end: lt };
        const entries: Entry[] = [];
        for (const { key, value } of db.getRange({ ...bounds, reverse, ...(limit === undefined ? {} : { limit }) }))
          entries.push([asBytes(key), unseal(key, value, directory)]);
        return entries;
      }),
    async commit(batch) {
      guarded(options, () => {
        requireRoom(directory, batch);
        db.transactionSync(() => {
          // Nothing may be returned from here: a promise would keep the transaction open, and nothing would be on disk.
          for (const write of batch) {
            if (write.kind === 'put') db.putSync(write.key, sealer.seal(write.key, write.value));
            else db.removeSync(write.key);
          }
        });
      });
    },
    close: () => db.close(),
  };
}

function unseal(key: Uint8Array, sealed: Buffer, directory: string): Uint8Array {
  if (isSealed(key, sealed)) return openSeal(sealed);
  const row = Buffer.from(key).toString('hex');
  throw new TrestleError({ code: 'store-corrupt', detail: `${directory}: the checksum of row ${row} is wrong` });
}

/** Puts checksums behind values, in one buffer for all: LMDB has copied a value when the call that stores it returns. */
class Sealer {
  #buffer = Buffer.allocUnsafeSlow(65_536);

  seal(key: Uint8Array, value: Uint8Array): Buffer {
    const length = value.length + CHECKSUM_BYTES;
    if (length > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(2 * length);
    this.#buffer.set(value);
    this.#buffer.writeUInt32LE(rowChecksum(key, value), value.length);
    return this.#buffer.subarray(0, length);
  }
}

function openDatabase(directory: string, synced: boolean): RootDatabase<Buffer, Uint8Array> {
  return open<Buffer, Uint8Array>({
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
function asBytes(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

function guarded<T>({ directory, onDamage }: LmdbOptions, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const failure = error instanceof TrestleError ? error : asStoreFailure(error, directory);
    if (failure?.code === 'store-corrupt') onDamage?.(failure);
    throw failure ?? error;
  }
}
