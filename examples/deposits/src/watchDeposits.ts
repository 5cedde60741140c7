import { type Client, reasonOf } from 'trestle/client';
import { Bell } from './bell.js';
import { connectBlock, disconnectBlock, type Ledger } from './ledger.js';
import type { LedgerStore } from './ledgerStore.js';
import { firstStep, nextStep } from './nextStep.js';
import { type CustomerOf, readDeposits } from './readDeposits.js';

/** What a watcher needs. */
export interface WatchOptions {
  readonly client: Client;
  readonly store: LedgerStore;
  readonly customerOf: CustomerOf;
  /** Confirmations from which on a deposit is credited. */
  readonly enough: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Credits deposits until the signal aborts. It may be killed at any moment and started again, with this node or another:
 * it goes on from the last block that it has saved. Throws where the ledger cannot be saved or read.
 *
 * Events only ring a bell. What is to be done follows from the last block that was saved and the chain of the moment, so
 * an event that is missed, or comes twice, does no harm.
 */
export async function watchDeposits(options: WatchOptions): Promise<void> {
  const { client, store, signal } = options;
  const bell = new Bell();
  // The stream comes back by itself when the node does, and starts anew each time.
  const events = client.block.onChange.subscribe({}, { onStarted: bell.ring, onData: bell.ring });
  signal.addEventListener('abort', bell.ring);
  try {
    let ledger = await store.load();
    while (!signal.aborted) {
      const next = await stepFrom(ledger, options).catch(nothingWhereTheNodeIsAway);
      if (next === undefined) {
        await bell.next();
        continue;
      }
      // Saved before anything stands on it: a process that dies in between takes the same step again, to the same end.
      await store.save(next);
      ledger = next;
    }
  } finally {
    signal.removeEventListener('abort', bell.ring);
    events.unsubscribe();
  }
}

/** The ledger one step further; `undefined` where it stands on the node's tip. */
async function stepFrom(ledger: Ledger, { client, customerOf, enough }: WatchOptions): Promise<Ledger | undefined> {
  const last = ledger.blocks.at(-1);
  const step = last === undefined ? await firstStep(client) : await nextStep(client, last);
  if (step === undefined) return undefined;
  if (step.kind === 'disconnect') return disconnectBlock(ledger);
  const { hash, height, work } = step.block;
  const deposits = await readDeposits(client, hash, customerOf);
  return connectBlock(ledger, { hash, height, work, deposits }, enough);
}

/** Every failure that has a reason is the node's. Without one it is ours, and nothing may be credited until it is mended. */
function nothingWhereTheNodeIsAway(error: unknown): undefined {
  if (reasonOf(error) === null) throw error;
}
