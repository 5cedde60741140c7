import type { BlockHash } from '../../shared/model/ids.js';

/** Blocks between the next one that the chain takes and the furthest that is asked for. */
export const MAX_WINDOW = 1_024;

/** A block whose body is wanted. */
export interface Want {
  readonly hash: BlockHash;
  readonly height: number;
}

/** A body, and who sent it. */
export interface Delivered<Source> {
  readonly body: Uint8Array;
  readonly source: Source;
}

/** One block of the window. */
export interface Slot<Source, Asked> {
  readonly want: Want;
  /** The requests under way that it is part of. */
  readonly askers: Asked[];
  delivered: Delivered<Source> | undefined;
  /** Whether the chain has it. */
  isTaken: boolean;
}

/** The blocks of a download that are worked on, lowest first. Owner: `download`. Bound: `MAX_WINDOW`. */
export class BodyWindow<Source, Asked> {
  readonly slots: Slot<Source, Asked>[] = [];
  #bytes = 0;

  get room(): number {
    return MAX_WINDOW - this.slots.length;
  }

  /** Bytes of the bodies that are here. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The next block that the chain has not been given. */
  get lowest(): Slot<Source, Asked> | undefined {
    return this.slots.find(({ isTaken }) => !isTaken);
  }

  get hasTaken(): boolean {
    return this.slots.some(({ isTaken }) => isTaken);
  }

  extend(wants: readonly Want[]): void {
    if (wants.length > this.room)
      throw new RangeError(`${wants.length} blocks for a window with room for ${this.room}`);
    for (const want of wants) this.slots.push({ want, askers: [], delivered: undefined, isTaken: false });
  }

  find(want: Want | undefined): Slot<Source, Asked> | undefined {
    return want && this.slots.find((slot) => slot.want.hash === want.hash);
  }

  /** Takes a body in, unless one is there already. */
  fill(slot: Slot<Source, Asked>, delivered: Delivered<Source>): void {
    if (slot.delivered !== undefined) return;
    slot.delivered = delivered;
    this.#bytes += delivered.body.length;
  }

  /** Throws a body away: the block is missing again. */
  empty(slot: Slot<Source, Asked>): void {
    this.#bytes -= slot.delivered?.body.length ?? 0;
    slot.delivered = undefined;
  }

  remove(slot: Slot<Source, Asked>): void {
    this.empty(slot);
    this.slots.splice(this.slots.indexOf(slot), 1);
  }

  /** No slot is part of a request any more. */
  forget(asked: Asked): void {
    for (const { askers } of this.slots) {
      const place = askers.indexOf(asked);
      if (place >= 0) askers.splice(place, 1);
    }
  }

  /** Missing blocks from a place on, of consecutive heights up to one and no more than `limit`, as far as they fit. */
  run(
    start: number,
    fits: (slot: Slot<Source, Asked>) => boolean,
    { upTo, limit }: { readonly upTo: number; readonly limit: number },
  ): Slot<Source, Asked>[] {
    const run: Slot<Source, Asked>[] = [];
    for (const slot of this.slots.slice(start, start + limit)) {
      if (!isMissing(slot) || !fits(slot) || slot.want.height > upTo) break;
      const before = run.at(-1);
      if (before !== undefined && slot.want.height !== before.want.height + 1) break;
      run.push(slot);
    }
    return run;
  }
}

/** Whether the body of a block is still to come. */
export function isMissing({ isTaken, delivered }: Slot<unknown, unknown>): boolean {
  return !isTaken && delivered === undefined;
}
