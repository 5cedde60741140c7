import type { Emitter } from '../../shared/emitter.js';
import type { BlockHash, TxId } from '../../shared/model/ids.js';
import { isReasonCode, type ReasonCode } from '../../shared/reasons.js';
import type { Clock, Logger } from '../ports.js';
import type { Kv, Write } from '../store/kv.js';
import { poolLayout, type SavedDeparture } from '../store/poolLayout.js';
import { put, read, remove, scan } from '../store/space.js';
import type { MempoolEvents } from './events.js';

/** How many departures are remembered. */
const MAX_DEPARTURES = 50_000;
/** How many may wait for the disk. */
const MAX_UNSAVED = 10_000;
/** How many are saved in one commit: others get their turn in between. */
const BATCH = 500;

/** Why and when a transaction left unconfirmed. */
export interface Departure {
  readonly at: number;
  readonly code: ReasonCode;
  /** The transaction or block that it made way for, where that is known. */
  readonly by: TxId | BlockHash | null;
}

/** What the memory of departures needs from outside. */
export interface DepartureParts {
  /** Where waiting transactions are saved: what is taken out there and put in here is written in order. */
  readonly kv: Kv;
  readonly events: Emitter<MempoolEvents>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  readonly max?: number | undefined;
}

/**
 * Why transactions left unconfirmed: whoever paid can be told, after a crash and a restart, too. It stands on disk, for
 * with 50,000 of them in memory a flood would cost twice; memory holds what is not saved yet. Each is written right after
 * the transaction's own row goes; where the process dies in between, the transaction is judged again at the next start. It
 * knows only of departures: whether a transaction is confirmed or waits again has to be asked first.
 */
export class Departures {
  readonly #parts: DepartureParts;
  readonly #max: number;
  readonly #stop: (() => void)[];
  /** What is not on disk yet; `null` for what is to be forgotten. */
  readonly #unsaved = new Map<TxId, Departure | null>();
  #saving: Promise<void> | undefined;
  #next: number;

  constructor(parts: DepartureParts) {
    const { kv, events, clock, max = MAX_DEPARTURES } = parts;
    this.#parts = parts;
    this.#max = max;
    const [last] = scan(kv, poolLayout.departureOrder, { reverse: true, limit: 1 });
    this.#next = last === undefined ? 0 : last.key + 1;
    this.#stop = [
      events.on('dropped', ({ transaction: { txid }, code, by = null }) => {
        this.#note(txid, { at: clock.now(), code, by });
      }),
      events.on('accepted', ({ entry }) => this.#note(entry.transaction.txid, null)),
    ];
  }

  /** Why a transaction left, where it did and is remembered. */
  get(txid: TxId): Departure | undefined {
    const unsaved = this.#unsaved.get(txid);
    if (unsaved !== undefined) return unsaved ?? undefined;
    const saved = read(this.#parts.kv, poolLayout.departure, txid);
    // A code of another version of this program says nothing here.
    if (saved === undefined || !isReasonCode(saved.code)) return undefined;
    const { at, code, by } = saved;
    return { at, code, by };
  }

  /** Stops listening; settles when what can be saved is saved. */
  async close(): Promise<void> {
    for (const stop of this.#stop) stop();
    await this.#saving;
  }

  #note(txid: TxId, departure: Departure | null): void {
    // The latest is the last: where there are too many, those that have waited longest for a disk that fails go.
    this.#unsaved.delete(txid);
    this.#unsaved.set(txid, departure);
    for (const oldest of this.#unsaved.keys()) {
      if (this.#unsaved.size <= MAX_UNSAVED) break;
      this.#unsaved.delete(oldest);
    }
    this.#saving ??= this.#save().finally(() => {
      this.#saving = undefined;
    });
  }

  async #save(): Promise<void> {
    // All that leave at once are one commit.
    await Promise.resolve();
    while (this.#unsaved.size > 0) {
      const batch = [...this.#unsaved].slice(0, BATCH);
      try {
        const writes = this.#writes(batch);
        if (writes.length > 0) await this.#parts.kv.commit(writes);
      } catch (error) {
        // A full disk: they are tried again with the next.
        this.#parts.log.warn('why transactions left could not be saved', { error: String(error) });
        return;
      }
      for (const [txid, departure] of batch) if (this.#unsaved.get(txid) === departure) this.#unsaved.delete(txid);
    }
  }

  /** One row by id and one by order for each; as many of the oldest go as there are too many. */
  #writes(batch: readonly (readonly [TxId, Departure | null])[]): Write[] {
    const { kv } = this.#parts;
    const writes: Write[] = [];
    const again = new Set<TxId>();
    for (const [txid, departure] of batch) {
      const before = read(kv, poolLayout.departure, txid);
      if (before !== undefined) writes.push(...forgetting(txid, before));
      if (departure === null) continue;
      again.add(txid);
      const number = this.#next++;
      writes.push(put(poolLayout.departure, txid, { ...departure, number }));
      writes.push(put(poolLayout.departureOrder, number, txid));
    }
    // Which are too old to be among the latest is known by their number alone.
    for (const { key, value } of scan(kv, poolLayout.departureOrder, { limit: 2 * again.size })) {
      if (key >= this.#next - this.#max) break;
      writes.push(remove(poolLayout.departureOrder, key));
      if (!again.has(value)) writes.push(remove(poolLayout.departure, value));
    }
    return writes;
  }
}

function forgetting(txid: TxId, { number }: SavedDeparture): Write[] {
  return [remove(poolLayout.departure, txid), remove(poolLayout.departureOrder, number)];
}
