import { type Client, formatAddress } from 'trestle/client';
import { deriveKey, seedOf, wordsFromEntropy } from 'trestle/wallet';
import { balanceOf } from '../src/ledger.js';
import { watchDeposits } from '../src/watchDeposits.js';
import { Killed, MemoryLedgerStore } from './memoryLedgerStore.js';

const seed = seedOf(wordsFromEntropy(new Uint8Array(16).fill(3)));

/** Who has which address to deposit to. */
export const CUSTOMERS: ReadonlyMap<string, string> = new Map(
  ['Ada', 'Ben', 'Cleo'].map((customer, number) => [formatAddress(deriveKey(seed, 0, number).address), customer]),
);

/** Confirmations from which on this exchange credits a deposit. */
export const ENOUGH = 3;

/** An exchange, whose watcher is started again whenever it has been killed. */
export class Exchange implements AsyncDisposable {
  readonly store = new MemoryLedgerStore();
  #stopping = new AbortController();
  #stopped: Promise<void>;

  constructor(client: Client) {
    this.#stopped = this.#watch(client);
  }

  balanceOf(customer: string): bigint {
    return balanceOf(this.store.ledger, customer);
  }

  /** Ends the watcher and starts it again at another node. */
  async moveTo(client: Client): Promise<void> {
    await this[Symbol.asyncDispose]();
    this.#stopping = new AbortController();
    this.#stopped = this.#watch(client);
  }

  /** Ends the watcher. Throws what it ended with before its time. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#stopped;
  }

  async #watch(client: Client): Promise<void> {
    const { signal } = this.#stopping;
    const customerOf = (address: string) => CUSTOMERS.get(address);
    while (!signal.aborted)
      await watchDeposits({ client, store: this.store, customerOf, enough: ENOUGH, signal }).catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
      });
  }
}
