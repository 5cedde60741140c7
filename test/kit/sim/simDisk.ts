import type { Random } from '../../../server/ports.js';
import type { Premises, StoreRequest } from '../../../server/premises.js';
import type { Kv, Write } from '../../../server/store/kv.js';
import { MemoryTable } from '../../../server/store/memoryTable.js';
import { toHex } from '../../../shared/bytes/hex.js';
import { TrestleError } from '../../../shared/errors.js';
import type { CrashKind } from '../network.js';
import type { Dice, DiceState } from './dice.js';
import type { Lifeline } from './lifeline.js';

/** What is the matter with a disk. Changed at any time; it holds from the next commit on. */
export interface DiskFaults {
  /** No room for what is written. */
  full: boolean;
  /** The next sync fails, and nobody knows what is on the disk. */
  failsToSync: boolean;
  /** How long a commit takes, in milliseconds. */
  commitMs: readonly [number, number];
}

/** One store on a disk. */
interface Store {
  readonly synced: boolean;
  /** What reads see. */
  table: MemoryTable;
  /** What a loss of power cannot take, and what was committed since: nothing, where every commit is synced. */
  safe: MemoryTable | undefined;
  unsafe: (readonly Write[])[];
  /** Commits that are under way, in order. */
  pending: (readonly Write[])[];
  /** Keys of rows in which a bit has flipped. */
  readonly damaged: Set<string>;
  isDamaged: boolean;
  /** Until when earlier commits keep the disk busy. */
  busyUntil: number;
}

interface StoreImage {
  readonly table: MemoryTable;
  readonly synced: boolean;
  readonly damaged: readonly string[];
}

/** A disk at a moment, for a snapshot: what is on it, and what is the matter with it. */
export interface DiskImage {
  readonly faults: Readonly<DiskFaults>;
  readonly dice: DiceState;
  readonly token: string | undefined;
  readonly stores: ReadonlyMap<string, StoreImage>;
}

/**
 * A machine's disk: what a crash leaves of it is what the node's stores promise, and nothing better. A commit is whole or
 * not there at all; one that was under way when the process died may be either; what was not synced may go with the
 * power, the latest first. A flipped bit is found when the row is read, as the real store's checksums find it.
 */
export class SimDisk implements Premises {
  readonly faults: DiskFaults = { full: false, failsToSync: false, commitMs: [0.05, 1] };
  /** Commits that have failed: for want of room, and because a sync failed. */
  readonly failures = { full: 0, sync: 0 };
  readonly #name: string;
  readonly #dice: Dice;
  readonly #now: () => number;
  #stores = new Map<string, Store>();
  #token: string | undefined;
  #lifeline: Lifeline | undefined;

  constructor({ name, dice, now }: { readonly name: string; readonly dice: Dice; readonly now: () => number }) {
    this.#name = name;
    this.#dice = dice;
    this.#now = now;
  }

  /** Whether a commit is under way. */
  get isBusy(): boolean {
    for (const { pending } of this.#stores.values()) if (pending.length > 0) return true;
    return false;
  }

  /** Whether it holds something that cannot be read any more. */
  get isDamaged(): boolean {
    for (const { isDamaged, damaged } of this.#stores.values()) if (isDamaged || damaged.size > 0) return true;
    return false;
  }

  /** Gives the disk to a process. */
  attach(lifeline: Lifeline): void {
    // A process that ended otherwise than by a crash may have left a commit under way, too.
    if (this.isBusy) this.crash('process');
    this.#lifeline = lifeline;
  }

  async lock(): Promise<{ release(): Promise<void> }> {
    return { release: async () => {} };
  }

  async operatorToken(random: Random): Promise<string> {
    this.#token ??= toHex(random.bytes(32));
    return this.#token;
  }

  async openStore({ name, synced, expendable, onDamage, log }: StoreRequest): Promise<Kv> {
    const known = this.#stores.get(name);
    if (known?.isDamaged || (known?.damaged.size ?? 0) > 0) {
      if (!expendable) throw this.#corrupt(name);
      log.warn('a store is damaged and was put aside; what it held is gathered again', { store: name });
      this.#stores.delete(name);
    }
    const store = this.#stores.get(name) ?? newStore(synced);
    this.#stores.set(name, store);
    return this.#kv(name, store, onDamage);
  }

  /** What the end of a process, or of the machine's power, leaves. */
  crash(kind: CrashKind): void {
    for (const store of this.#stores.values()) {
      // The commit under way is on the disk or is not; those behind it come after it.
      for (const batch of store.pending.splice(0, this.#dice.below(store.pending.length + 1))) applyTo(store, batch);
      store.pending = [];
      store.busyUntil = 0;
      if (kind === 'power') this.#losePower(store);
    }
  }

  /** Flips a bit in one row of a store; answers whether there was a row. */
  flipBit(name: string): boolean {
    const store = this.#stores.get(name);
    const key = store?.table.keyAt(this.#dice.below(Math.max(store.table.size, 1)));
    if (store === undefined || key === undefined) return false;
    store.damaged.add(toHex(key));
    return true;
  }

  /** Makes it an empty disk. */
  wipe(): void {
    this.#stores = new Map();
    this.#token = undefined;
  }

  /** All there is on it, and what is the matter with it. */
  image(): DiskImage {
    const stores = new Map<string, StoreImage>();
    for (const [name, { table, synced, damaged }] of this.#stores)
      stores.set(name, { table: table.copy(), synced, damaged: [...damaged] });
    return { faults: { ...this.faults }, dice: this.#dice.state, token: this.#token, stores };
  }

  /** Makes it what it was. */
  restore({ faults, dice, token, stores }: DiskImage): void {
    this.#dice.state = dice;
    this.#token = token;
    this.#stores = new Map(
      Array.from(stores, ([name, { table, synced, damaged }]) => [name, newStore(synced, table.copy(), damaged)]),
    );
    Object.assign(this.faults, faults);
  }

  #kv(name: string, store: Store, onDamage: (damage: TrestleError) => void): Kv {
    const { table } = store;
    const inspect = (key: Uint8Array): void => {
      if (store.damaged.size === 0 || !store.damaged.has(toHex(key))) return;
      const damage = this.#corrupt(name);
      onDamage(damage);
      throw damage;
    };
    return {
      get(key) {
        inspect(key);
        return table.get(key);
      },
      range(range) {
        const rows = table.range(range);
        for (const [key] of rows) inspect(key);
        return rows;
      },
      commit: (batch) => this.#commit(store, batch),
      close: async () => {
        store.safe = store.synced ? undefined : table.copy();
        store.unsafe = [];
      },
    };
  }

  #commit(store: Store, batch: readonly Write[]): Promise<void> {
    const failure = this.#failureOf(store);
    const now = this.#now();
    store.busyUntil = Math.max(now, store.busyUntil) + this.#dice.within(this.faults.commitMs);
    if (failure === undefined) store.pending.push(batch);
    return new Promise((resolve, reject) => {
      this.#lifeline?.after(store.busyUntil - now, () => {
        if (failure !== undefined) return reject(failure);
        // Those before it come with it: a process that thaws may learn of its commits in any order.
        for (const each of store.pending.splice(0, store.pending.indexOf(batch) + 1)) applyTo(store, each);
        resolve();
      });
    });
  }

  #failureOf(store: Store): Error | undefined {
    if (this.faults.full) {
      this.failures.full += 1;
      return new TrestleError({ code: 'store-full', directory: this.#name });
    }
    if (!this.faults.failsToSync || !store.synced) return undefined;
    this.faults.failsToSync = false;
    this.failures.sync += 1;
    return new Error('EIO: input/output error, fdatasync');
  }

  #losePower(store: Store): void {
    if (store.synced || store.safe === undefined) return;
    store.table = store.safe.copy();
    const kept = this.#dice.below(store.unsafe.length + 1);
    const lost = store.unsafe.length - kept;
    for (const batch of store.unsafe.slice(0, kept)) store.table.apply(batch);
    store.safe = store.table.copy();
    store.unsafe = [];
    // Pages that were written in part: the whole store may be past reading.
    store.isDamaged = lost > 0 && this.#dice.chance(0.25);
  }

  #corrupt(name: string): TrestleError {
    return new TrestleError({ code: 'store-corrupt', detail: `${this.#name}/${name}: a checksum does not match` });
  }
}

function newStore(synced: boolean, table = new MemoryTable(), damaged: readonly string[] = []): Store {
  const safe = synced ? undefined : table.copy();
  return { synced, table, safe, unsafe: [], pending: [], damaged: new Set(damaged), isDamaged: false, busyUntil: 0 };
}

function applyTo(store: Store, batch: readonly Write[]): void {
  store.table.apply(batch);
  if (!store.synced) store.unsafe.push(batch);
  // What is written over is no longer the damaged row.
  if (store.damaged.size > 0) for (const { key } of batch) store.damaged.delete(toHex(key));
}
