import { MessageChannel, Worker } from 'node:worker_threads';
import { compareBytes } from '../../shared/bytes/compare.js';
import { hashHeader } from '../../shared/crypto/hash.js';
import { NONCE_OFFSET } from '../../shared/model/header.js';
import type { Clock, Logger } from '../ports.js';
import type { SearchTask, ThreadMemory } from './solveWorker.js';

/** All nonces there are: u64. */
const ALL_NONCES = 2n ** 64n;
/** A thread that died younger than this would die again at once: the next one is started after a pause of as much. */
const YOUNG_MS = 1_000;
/** Searches are told apart by a number in 32 bits. */
const MOST_SEARCHES = 2 ** 31 - 2;

/** A header to find a nonce for. */
export interface Puzzle {
  readonly header: Uint8Array;
  readonly target: Uint8Array;
  /** Nonces below this are tried; all there are unless said otherwise. */
  readonly end?: bigint;
}

/** What a search came to. */
export type SearchResult =
  | { readonly kind: 'found'; readonly nonce: bigint }
  /** None of the nonces fits: the header has to change. */
  | { readonly kind: 'exhausted' }
  | { readonly kind: 'called-off' };

/** What searches are made with. */
export interface SolverParts {
  readonly threads: number;
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  readonly log: Logger;
  /** Starts a thread; tests start bad ones. */
  readonly spawn?: ((memory: ThreadMemory) => Worker) | undefined;
}

interface Search extends Required<Puzzle> {
  readonly number: number;
  /** What each thread had tried before, all searches together. */
  readonly triedBefore: readonly bigint[];
  readonly exhausted: Set<number>;
  readonly settle: (result: SearchResult) => void;
}

/**
 * Finds nonces with worker threads, so that whoever asks stays able to answer and to call the search off. One search at a
 * time: the next one takes the place of the one before. The threads share the nonces out by remainder. What a thread finds
 * is hashed again here before it counts; a thread that dies or is wrong is replaced, and the new one goes on where it was.
 */
export class Solver {
  readonly #parts: SolverParts;
  readonly #control = new Int32Array(new SharedArrayBuffer(4));
  readonly #tries: BigInt64Array;
  /** By index; `undefined` while one is to be replaced. */
  readonly #threads: (Worker | undefined)[];
  /** Timers keep no process alive, and all threads may have died: this does. */
  readonly #hold = new MessageChannel();
  #search: Search | undefined;
  #searches = 0;
  #replaced = 0;
  #isClosing = false;

  constructor(parts: SolverParts) {
    this.#parts = parts;
    this.#tries = new BigInt64Array(new SharedArrayBuffer(8 * parts.threads));
    this.#threads = Array.from({ length: parts.threads }, () => undefined);
    this.#hold.port1.on('message', () => {});
    for (let index = 0; index < parts.threads; index++) this.#start(index);
  }

  get threads(): number {
    return this.#threads.length;
  }

  /** Hashes tried since the start. */
  get tries(): bigint {
    let sum = 0n;
    for (let index = 0; index < this.#tries.length; index++) sum += Atomics.load(this.#tries, index);
    return sum;
  }

  /** Threads that died or were wrong, and have been replaced. */
  get replaced(): number {
    return this.#replaced;
  }

  get isSearching(): boolean {
    return this.#search !== undefined;
  }

  /** The nonce that solves the puzzle, unless the search is called off before: by `callOff`, `close` or the next one. */
  solve({ header, target, end = ALL_NONCES }: Puzzle): Promise<SearchResult> {
    this.callOff();
    if (this.#isClosing) return Promise.resolve({ kind: 'called-off' });
    this.#searches = (this.#searches % MOST_SEARCHES) + 1;
    const triedBefore = Array.from(this.#tries, (_, index) => Atomics.load(this.#tries, index));
    return new Promise((settle) => {
      const number = this.#searches;
      this.#search = { number, header, target, end, triedBefore, exhausted: new Set(), settle };
      Atomics.store(this.#control, 0, number);
      for (const [index, thread] of this.#threads.entries()) if (thread !== undefined) this.#task(thread, index);
    });
  }

  /** Ends the search that is on: threads notice by the counter. */
  callOff(): void {
    this.#finish({ kind: 'called-off' });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.callOff();
    this.#hold.port1.close();
    await Promise.all(this.#threads.map((thread) => thread?.terminate()));
  }

  #finish(result: SearchResult): void {
    Atomics.store(this.#control, 0, 0);
    const search = this.#search;
    this.#search = undefined;
    search?.settle(result);
  }

  /** Gives a thread its share of the search that is on, less what was tried of it before. */
  #task(thread: Worker, index: number): void {
    if (this.#search === undefined) return;
    const { number: search, header, target, end, triedBefore } = this.#search;
    const step = BigInt(this.#threads.length);
    const tried = Atomics.load(this.#tries, index) - (triedBefore[index] ?? 0n);
    const first = BigInt(index) + step * tried;
    thread.postMessage({ header, target, first, step, end, search } satisfies SearchTask);
  }

  #start(index: number): void {
    const { clock, log, spawn = spawnThread } = this.#parts;
    const bornAt = clock.monotonic();
    const thread = spawn({ control: this.#control, tries: this.#tries, index });
    this.#threads[index] = thread;
    thread.on('message', (message: unknown) => this.#heard(message, index));
    thread.on('messageerror', () => void thread.terminate());
    thread.on('error', (error) => log.warn('a searching thread failed', { thread: index, error: String(error) }));
    thread.once('exit', () => {
      this.#threads[index] = undefined;
      if (this.#isClosing) return;
      this.#replaced += 1;
      if (clock.monotonic() - bornAt >= YOUNG_MS) this.#start(index);
      else clock.after(YOUNG_MS, () => !this.#isClosing && this.#start(index));
    });
    this.#task(thread, index);
  }

  #heard(message: unknown, index: number): void {
    const search = this.#search;
    const { number, nonce } = readFound(message);
    if (search === undefined || number !== search.number) return;
    if (nonce === null) {
      search.exhausted.add(index);
      if (search.exhausted.size === this.#threads.length) this.#finish({ kind: 'exhausted' });
    } else if (nonce !== undefined && solves(search, nonce)) this.#finish({ kind: 'found', nonce });
    else {
      // A thread that miscounts may miss what it should find: a fresh one takes its place.
      this.#parts.log.warn('a searching thread was wrong and is replaced', { thread: index, nonce: String(nonce) });
      void this.#threads[index]?.terminate();
    }
  }
}

function spawnThread(memory: ThreadMemory): Worker {
  return new Worker(new URL('./solveWorker.js', import.meta.url), { workerData: memory });
}

/** What a thread says, which is taken for no more than a claim. */
function readFound(message: unknown): { readonly number?: unknown; readonly nonce?: bigint | null | undefined } {
  if (typeof message !== 'object' || message === null || !('search' in message) || !('nonce' in message)) return {};
  const { search: number, nonce } = message;
  return { number, nonce: typeof nonce === 'bigint' || nonce === null ? nonce : undefined };
}

function solves({ header, target, end }: Required<Puzzle>, nonce: bigint): boolean {
  if (nonce < 0n || nonce >= end) return false;
  const bytes = header.slice();
  new DataView(bytes.buffer).setBigUint64(NONCE_OFFSET, nonce, true);
  return compareBytes(hashHeader(bytes), target) <= 0;
}
