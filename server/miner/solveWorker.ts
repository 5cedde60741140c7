import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { compareBytes } from '../../shared/bytes/compare.js';
import { hashHeader } from '../../shared/crypto/hash.js';
import { NONCE_OFFSET } from '../../shared/model/header.js';

/** What a thread searches: every `step`-th nonce from `first` on. */
export interface SearchTask {
  /** 92 bytes; the thread writes nonces into its copy. */
  readonly header: Uint8Array;
  /** 32 bytes: the hash must not exceed it. */
  readonly target: Uint8Array;
  readonly first: bigint;
  readonly step: bigint;
  /** The search this belongs to: it ends when the shared counter has moved on. */
  readonly search: number;
}

/** What a thread finds. */
export interface Found {
  readonly search: number;
  readonly nonce: bigint;
}

/** Hashes between two looks whether the search is still on. */
const BATCH = 512;

if (!isMainThread) {
  const control: unknown = workerData;
  if (!(control instanceof Int32Array)) throw new TypeError('a search needs the memory that calls it off');
  parentPort?.on('message', (task: SearchTask) => {
    const nonce = search(task, control);
    if (nonce !== undefined) parentPort?.postMessage({ search: task.search, nonce } satisfies Found);
  });
}

/** Tries nonces until one fits or the search is called off. */
function search(task: SearchTask, control: Int32Array): bigint | undefined {
  const { header, target, step } = task;
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  for (let nonce = task.first; nonce < 2n ** 64n; ) {
    for (let i = 0; i < BATCH; i++, nonce += step) {
      view.setBigUint64(NONCE_OFFSET, BigInt.asUintN(64, nonce), true);
      if (compareBytes(hashHeader(header), target) <= 0) return nonce;
    }
    if (Atomics.load(control, 0) !== task.search) return undefined;
  }
  return undefined;
}
