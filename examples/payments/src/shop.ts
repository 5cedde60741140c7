import { isDeepStrictEqual } from 'node:util';
import { type Client, formatAddress, type UtxoView } from 'trestle/client';
import { deriveKey, seedOf, type Words } from 'trestle/wallet';
import { type Invoice, type InvoiceStatus, statusOf } from './invoice.js';

/** What a shop is made of. */
export interface ShopOptions {
  /** The node that the shop believes. */
  readonly client: Client;
  /** The words of the shop's keys. */
  readonly words: Words;
  /** Confirmations from which on a payment counts. */
  readonly enough: number;
}

/** Writes invoices and says how they stand. */
export class Shop {
  readonly #client: Client;
  readonly #seed: Uint8Array;
  readonly #enough: number;
  #invoices = 0;

  constructor({ client, words, enough }: ShopOptions) {
    this.#client = client;
    this.#seed = seedOf(words);
    this.#enough = enough;
  }

  /** Writes an invoice over an amount in base units. */
  invoice(amount: bigint): Invoice {
    const number = this.#invoices++;
    return { number, address: formatAddress(deriveKey(this.#seed, 0, number).address), amount };
  }

  /** How an invoice stands at this moment. */
  async status(invoice: Invoice): Promise<InvoiceStatus> {
    const { coins, height } = await this.#coinsAt(invoice.address);
    return statusOf(invoice, { coins, height, enough: this.#enough });
  }

  /** Tells how an invoice stands, now and whenever that changes; answers how to stop. */
  watch(invoice: Invoice, onStatus: (status: InvoiceStatus) => void): () => void {
    let told: InvoiceStatus | undefined;
    const look = async (): Promise<void> => {
      // A node that is away fails the look. When it is back, so are the subscriptions, and `onStarted` has us look again.
      const status = await this.status(invoice).catch(() => told);
      if (status === undefined || isDeepStrictEqual(status, told)) return;
      told = status;
      onStatus(status);
    };
    // One look at a time, so that no older answer comes after a newer one.
    let looks = Promise.resolve();
    const lookAgain = (): void => {
      looks = looks.then(look);
    };
    // What an event says is of no interest, only that something has changed: the coins are what is true.
    const events = { onStarted: lookAgain, onData: lookAgain };
    const subscriptions = [
      this.#client.block.onChange.subscribe({}, events),
      this.#client.transaction.onChange.subscribe({ addresses: [invoice.address] }, events),
    ];
    return () => {
      for (const subscription of subscriptions) subscription.unsubscribe();
    };
  }

  /** All coins at an address, read at one height: pages from before and after a block do not fit together. */
  async #coinsAt(address: string): Promise<{ coins: readonly UtxoView[]; height: number }> {
    const coins: UtxoView[] = [];
    let page = await this.#client.info.utxos.query({ address });
    const { height } = page;
    for (; page.height === height; page = await this.#client.info.utxos.query({ address, cursor: page.next })) {
      coins.push(...page.items);
      if (page.next === null) return { coins, height };
    }
    return this.#coinsAt(address);
  }
}
