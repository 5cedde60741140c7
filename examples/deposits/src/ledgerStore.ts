import type { Ledger } from './ledger.js';

/** Where a ledger is kept: a file here, a database elsewhere. */
export interface LedgerStore {
  /** What was saved last; an empty ledger where nothing ever was. */
  load(): Promise<Ledger>;
  /** Replaces what was saved. A process that dies meanwhile leaves the one or the other, and never half of it. */
  save(ledger: Ledger): Promise<void>;
}
