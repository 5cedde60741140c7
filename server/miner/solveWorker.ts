import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { compareBytes } from '../../shared/bytes/compare.js';
import { hashHeader } from '../../shared/crypto/hash.js';
import { NONCE_OFFSET } from '../../shared/model/header.js';

/** What a thread is born with: memory that it shares with whoever gives it work. */
export interface ThreadMemory {
  /** Which search is on; threads that are at another one end it. */
  readonly control: Int32Array;
  /** Hashes that each thread has tried, all searches together. */
  readonly tries: BigInt64Array;
  /** Which of them is this thread's. */
  readonly index: number;
}

/** What a thread searches: every `step`-th nonce from `first` on, below `end`. */
export interface SearchTask {
  /** 92 bytes; the thread writes nonces into its copy. */
  readonly header: Uint8Array;
  /** 32 bytes: the hash must not exceed it. */
  readonly target: Uint8Array;
  readonly first: bigint;
  readonly step: bigint;
  readonly end: bigint;
  /** The search this belongs to: it ends when the shared counter has moved on. */
  readonly search: number;
}

/** What a search came to in one thread: a nonce, or `null` where none of its nonces fits. */
export interface Found {
  readonly search: number;
  readonly nonce: bigint | null;
}

/** Hashes between two looks whether the search is still on: a fraction of a millisecond, and the look costs nothing beside them. */
const BATCH = 64;

if (!isMainThread) {
  const memory: unknown = workerData;
  if (!isThreadMemory(memory)) throw new TypeError('a search needs the memory that calls it off');
  parentPort?.on('message', (task: SearchTask) => {
    const nonce = search(task, memory);
    if (nonce !== undefined) parentPort?.postMessage({ search: task.search, nonce } satisfies Found);
  });
}

function isThreadMemory(data: unknown): data is ThreadMemory {
  return (
    typeof data === 'object' &&
    data !== null &&
    'control' in data &&
    data.control instanceof Int32Array &&
    'tries' in data &&
    data.tries instanceof BigInt64Array &&
    'index' in data &&
    typeof data.index === 'number'
  );
}

/** Tries nonces until one fits, all are tried (`null`), or the search is called off (`undefined`). */
function search(task: SearchTask, { control, tries, index }: ThreadMemory): bigint | null | undefined {
  const { header, target, step, end } = task;
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  let nonce = task.first;
  while (Atomics.load(control, 0) === task.search) {
    let tried = 0;
    let found: bigint | undefined;
    for (; tried < BATCH && nonce < end && found === undefined; tried++, nonce += step) {
      view.setBigUint64(NONCE_OFFSET, nonce, true);
      if (compareBytes(hashHeader(header), target) <= 0) found = nonce;
    }
    Atomics.add(tries, index, BigInt(tried));
    if (found !== undefined) return found;
    if (nonce >= end) return null;
  }
  return undefined;
}
