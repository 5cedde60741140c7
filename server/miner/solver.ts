import { Worker } from 'node:worker_threads';
import type { Found, SearchTask } from './solveWorker.js';

/** A header to find a nonce for. */
export interface Puzzle {
  readonly header: Uint8Array;
  readonly target: Uint8Array;
}

/** Finds nonces with worker threads, so that whoever asks stays able to answer and to call the search off. */
export class Solver {
  readonly #workers: Worker[];
  /** Which search is on: a number that all threads see. */
  readonly #control = new Int32Array(new SharedArrayBuffer(4));
  #search = 0;
  #settle: ((nonce: bigint | undefined) => void) | undefined;
  #fail: ((error: unknown) => void) | undefined;

  constructor(threads: number) {
    this.#workers = Array.from({ length: threads }, () => {
      const worker = new Worker(new URL('./solveWorker.js', import.meta.url), { workerData: this.#control });
      worker.on('message', ({ search, nonce }: Found) => {
        if (search === this.#search) this.#finish(nonce);
      });
      worker.on('error', (error) => this.#fail?.(error));
      return worker;
    });
  }

  /** The nonce that solves the puzzle; `undefined` where the search was called off. One search at a time. */
  solve({ header, target }: Puzzle, signal: AbortSignal): Promise<bigint | undefined> {
    this.#finish(undefined);
    this.#search += 1;
    const search = this.#search;
    Atomics.store(this.#control, 0, search);
    const step = BigInt(this.#workers.length);
    for (const [i, worker] of this.#workers.entries())
      worker.postMessage({ header, target, first: BigInt(i), step, search } satisfies SearchTask);
    return new Promise((resolve, reject) => {
      const callOff = (): void => this.#finish(undefined);
      this.#fail = reject;
      this.#settle = (nonce) => {
        signal.removeEventListener('abort', callOff);
        resolve(nonce);
      };
      if (signal.aborted) callOff();
      else signal.addEventListener('abort', callOff);
    });
  }

  async close(): Promise<void> {
    this.#finish(undefined);
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  /** Ends the search that is on: threads notice by the counter. */
  #finish(nonce: bigint | undefined): void {
    Atomics.store(this.#control, 0, 0);
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(nonce);
  }
}
