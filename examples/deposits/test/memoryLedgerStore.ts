import { EMPTY_LEDGER, type Ledger } from '../src/ledger.js';
import type { LedgerStore } from '../src/ledgerStore.js';
import { formatLedger, parseLedger } from '../src/ledgerText.js';

/** Keeps a ledger in memory, as the text that a file would hold. Its process can be killed while it saves. */
export class MemoryLedgerStore implements LedgerStore {
  #text = formatLedger(EMPTY_LEDGER);
  #death: 'before' | 'after' | undefined;

  get ledger(): Ledger {
    return parseLedger(this.#text);
  }

  /** Kills the process at its next save, before the ledger is on the disk or after it. */
  killAtNextSave(when: 'before' | 'after'): void {
    this.#death = when;
  }

  async load(): Promise<Ledger> {
    return this.ledger;
  }

  async save(ledger: Ledger): Promise<void> {
    const death = this.#death;
    this.#death = undefined;
    if (death !== 'before') this.#text = formatLedger(ledger);
    if (death !== undefined) throw new Killed();
  }
}

/** What a killed process ends with. */
export class Killed extends Error {}
