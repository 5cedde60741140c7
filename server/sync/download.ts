import { BodyWindow, type Delivered, isMissing, type Slot, type Want } from './bodyWindow.js';
import { Pace } from './pace.js';

/** The most bytes of bodies that wait or are under way, but for the one that the chain needs next. */
export const MAX_WAITING_BYTES = 64_000_000;
/** How long the chain may wait for one peer before another is asked; doubled with each that fails (as in Bitcoin Core). */
export const STALL_MS = 2_000;
const LONGEST_STALL_MS = 64_000;
/** By how much that becomes shorter again with each block. */
const STALL_DECAY = 0.85;
/** A request is overdue after so many times as long as it should take, and no sooner than this. */
const OVERDUE = 3;
const LEAST_DUE_MS = 500;
/** Peers that are asked for one block at the same time, at most. */
const MAX_ASKED = 3;
/** Failures in a row after which a peer is left out of this download; the first, where it has delivered nothing yet. */
const MAX_FAILURES = 3;
/** What a block is taken to have before the first has come. */
const USUAL_BYTES = 100_000;
/** Whoever does not look for so long was asleep, or busy with its disk: that time is held against no peer. */
const ASLEEP_MS = 5_000;

/** What is asked of one peer in one call: blocks that follow one another, lowest first. */
export interface BodyRequest<Source> {
  readonly source: Source;
  readonly wants: readonly [Want, ...Want[]];
  readonly pace: Pace;
}

/** A body for the chain, and who sent it. */
export interface Delivery<Source> extends Want, Delivered<Source> {}

/** What to do now. */
export interface Steps<Source> {
  readonly ask: readonly BodyRequest<Source>[];
  /** Peers that have kept everything waiting. */
  readonly stalled: readonly Source[];
}

interface Asked<Source> extends BodyRequest<Source> {
  askedAt: number;
  dueAt: number;
  /** Whether its peer has been blamed for the wait. */
  isStalled: boolean;
}

interface Supplier {
  /** Up to which height it has the branch. */
  upTo: number;
  readonly pace: Pace;
  hasDelivered: boolean;
}

/**
 * Which bodies to ask of which peer. A window of blocks, lowest first, moves up with the chain; each block is asked of one
 * peer, in requests that follow its pace, the lowest of the fastest. What is overdue is asked of a faster peer as well,
 * the block the chain waits for before all else, and the first body wins. Only the sender of a body answers for it.
 *
 * Pure: it neither waits nor calls, and the time is an argument. Bounds: `MAX_WINDOW`, `MAX_WAITING_BYTES`, `MAX_ASKED`;
 * a look costs window times peers.
 */
export class DownloadPlan<Source> {
  readonly #window = new BodyWindow<Source, Asked<Source>>();
  readonly #suppliers = new Map<Source, Supplier>();
  /** What is asked and not answered. */
  readonly #open = new Map<BodyRequest<Source>, Asked<Source>>();
  readonly #distrusted = new Set<Source>();
  #blockBytes = USUAL_BYTES;
  #stallMs = STALL_MS;
  /** Since when the chain has had nothing to do. */
  #idleSince: number | undefined;
  #lookedAt: number | undefined;

  /** How many more blocks there is room for. */
  get room(): number {
    return this.#window.room;
  }

  get isEmpty(): boolean {
    return this.#window.slots.length === 0;
  }

  /** Bytes of bodies that the chain has not done with. */
  get waitingBytes(): number {
    return this.#window.bytes;
  }

  /** The peers something is asked of. */
  get inUse(): Set<Source> {
    return new Set([...this.#open.keys()].map(({ source }) => source));
  }

  /** Whether nobody is left who could send the next block. */
  get isHopeless(): boolean {
    const lowest = this.#window.lowest;
    if (lowest === undefined || lowest.delivered !== undefined || lowest.askers.length > 0) return false;
    return ![...this.#suppliers.values()].some((supplier) => mayServe(supplier, lowest));
  }

  /** Adds the blocks that follow those in the window, lowest first, no more than there is room for. */
  extend(wants: readonly Want[]): void {
    this.#window.extend(wants);
  }

  /** A peer has the branch up to a height. */
  offer(source: Source, upTo: number, pace = new Pace()): void {
    if (this.#distrusted.has(source)) return;
    const known = this.#suppliers.get(source);
    if (known === undefined) this.#suppliers.set(source, { upTo, pace, hasDelivered: false });
    else known.upTo = Math.max(known.upTo, upTo);
  }

  /** A peer is gone: it is asked for nothing more, and what it was asked for is asked of others. */
  gone(source: Source): void {
    this.#suppliers.delete(source);
    for (const asked of this.#open.values()) if (asked.source === source) this.#close(asked);
  }

  /** A peer has sent what it should not have: nothing that came from it is used, and nothing more is asked of it. */
  distrust(source: Source): void {
    this.#distrusted.add(source);
    this.gone(source);
    for (const slot of this.#window.slots)
      if (!slot.isTaken && slot.delivered?.source === source) this.#window.empty(slot);
  }

  /** What to ask of whom now; everything named counts as asked. */
  look(now: number): Steps<Source> {
    this.#forgiveSleep(now);
    const stalled = this.#stalled(now);
    const ask: Asked<Source>[] = [];
    for (const [source, supplier] of this.#byPace())
      while (supplier.pace.isFree(now)) {
        const [first, ...rest] = this.#runFor(source, supplier, now);
        if (first === undefined) break;
        ask.push(this.#ask({ source, pace: supplier.pace }, [first, ...rest], now));
      }
    return { ask, stalled };
  }

  /** Bodies came in answer to a request: those of its first blocks, in order. */
  arrived(request: BodyRequest<Source>, bodies: readonly Uint8Array[], now: number): void {
    request.pace.inFlight -= 1;
    const asked = this.#open.get(request);
    if (asked === undefined) return;
    this.#close(asked);
    const bytes = bodies.reduce((sum, { length }) => sum + length, 0);
    asked.pace.delivered({ bytes, blocks: bodies.length, ms: now - asked.askedAt });
    const supplier = this.#suppliers.get(asked.source);
    if (supplier !== undefined) supplier.hasDelivered = true;
    if (bodies.length > 0) this.#blockBytes += (bytes / bodies.length - this.#blockBytes) * 0.3;
    for (const [i, body] of bodies.entries()) {
      const slot = this.#window.find(asked.wants[i]);
      if (slot !== undefined) this.#window.fill(slot, { body, source: asked.source });
    }
  }

  /** A request came to nothing. */
  failed(request: BodyRequest<Source>, now: number): void {
    request.pace.inFlight -= 1;
    request.pace.failed(now);
    const asked = this.#open.get(request);
    if (asked === undefined) return;
    this.#close(asked);
    const supplier = this.#suppliers.get(asked.source);
    if (supplier?.hasDelivered && supplier.pace.failures < MAX_FAILURES) return;
    this.gone(asked.source);
  }

  /** The next body for the chain, if it has come. */
  take(): Delivery<Source> | undefined {
    const lowest = this.#window.lowest;
    if (lowest?.delivered === undefined) return undefined;
    lowest.isTaken = true;
    return { ...lowest.want, ...lowest.delivered };
  }

  /** The chain has a block. */
  done(want: Want): void {
    const slot = this.#window.find(want);
    if (slot === undefined) return;
    this.#window.remove(slot);
    this.#stallMs = Math.max(STALL_MS, this.#stallMs * STALL_DECAY);
  }

  /** The chain could not judge a body yet: it is offered again, unless its sender has proved bad meanwhile. */
  putBack({ source, ...want }: Delivery<Source>): void {
    const slot = this.#window.find(want);
    if (slot === undefined) return;
    slot.isTaken = false;
    if (this.#distrusted.has(source)) this.#window.empty(slot);
  }

  /** The chain refused a body: its sender answers for it, and it is asked of another. */
  refused(delivery: Delivery<Source>): void {
    this.distrust(delivery.source);
    this.putBack(delivery);
  }

  /** Faster ones first; those of whom nothing is known come after those who are known. */
  #byPace(): [Source, Supplier][] {
    return [...this.#suppliers].sort(([, a], [, b]) => (b.pace.bytesPerMs ?? 0) - (a.pace.bytesPerMs ?? 0));
  }

  /** Blocks for one request: what the chain waits for and is overdue, what nobody was asked for, whatever else is overdue. */
  #runFor(source: Source, supplier: Supplier, now: number): Slot<Source, Asked<Source>>[] {
    const { slots } = this.#window;
    const lowest = slots.findIndex(isMissing);
    if (lowest < 0) return [];
    const span = { upTo: supplier.upTo, limit: supplier.pace.count(this.#blockBytes) };
    const isFresh = (slot: Slot<Source, Asked<Source>>): boolean => slot.askers.length === 0;
    const isOverdue = (slot: Slot<Source, Asked<Source>>): boolean =>
      slot.askers.length > 0 &&
      slot.askers.length < MAX_ASKED &&
      slot.askers.every((asked) => asked.source !== source && this.#mayBeTaken(asked, supplier, now));
    const overdue = slots.findIndex((slot) => isMissing(slot) && isOverdue(slot));
    if (overdue === lowest) return this.#window.run(overdue, isOverdue, span);
    const fresh = slots.findIndex((slot) => isMissing(slot) && isFresh(slot));
    if (fresh >= 0) {
      const run = this.#window.run(fresh, isFresh, span).slice(0, this.#affordable(fresh === lowest));
      if (run.length > 0) return run;
    }
    return overdue < 0 ? [] : this.#window.run(overdue, isOverdue, span);
  }

  /** Whether what a peer was asked for may be asked of another: it is overdue, and the other is no slower, or it is long overdue. */
  #mayBeTaken({ dueAt, isStalled, pace: theirs }: Asked<Source>, { pace }: Supplier, now: number): boolean {
    if (dueAt > now) return false;
    return isStalled || now - dueAt >= STALL_MS || (theirs.bytesPerMs ?? 0) <= (pace.bytesPerMs ?? 0);
  }

  /** How many more blocks may be asked for; what the chain needs next always may. */
  #affordable(isNext: boolean): number {
    const underWay = [...this.#open.keys()].reduce((sum, { wants }) => sum + wants.length, 0) * this.#blockBytes;
    const blocks = Math.floor((MAX_WAITING_BYTES - this.#window.bytes - underWay) / this.#blockBytes);
    return Math.max(blocks, isNext ? 1 : 0);
  }

  #ask(
    { source, pace }: { readonly source: Source; readonly pace: Pace },
    [first, ...rest]: readonly [Slot<Source, Asked<Source>>, ...Slot<Source, Asked<Source>>[]],
    now: number,
  ): Asked<Source> {
    const expected = pace.expectedMs((1 + rest.length) * this.#blockBytes) ?? 0;
    const dueAt = now + Math.max(OVERDUE * expected, LEAST_DUE_MS);
    const wants: BodyRequest<Source>['wants'] = [first.want, ...rest.map(({ want }) => want)];
    const asked: Asked<Source> = { source, pace, wants, askedAt: now, dueAt, isStalled: false };
    for (const slot of [first, ...rest]) slot.askers.push(asked);
    this.#open.set(asked, asked);
    pace.inFlight += 1;
    return asked;
  }

  #close(asked: Asked<Source>): void {
    this.#open.delete(asked);
    this.#window.forget(asked);
  }

  /**
   * Peers that have kept the chain, and with it everything else, waiting for too long while others could have served it.
   * What they were asked for is free for others from now on.
   */
  #stalled(now: number): Source[] {
    const lowest = this.#window.lowest;
    const isIdle = lowest !== undefined && isMissing(lowest) && !this.#window.hasTaken;
    if (!isIdle) this.#idleSince = undefined;
    else this.#idleSince ??= now;
    if (lowest === undefined || this.#idleSince === undefined || now - this.#idleSince < this.#stallMs) return [];
    const late = lowest.askers.filter(({ askedAt, isStalled }) => !isStalled && now - askedAt >= this.#stallMs);
    const others = [...this.#suppliers].filter(
      ([source, supplier]) => mayServe(supplier, lowest) && !late.some((asked) => asked.source === source),
    );
    if (late.length === 0 || others.length === 0) return [];
    this.#stallMs = Math.min(2 * this.#stallMs, LONGEST_STALL_MS);
    this.#idleSince = now;
    for (const { source } of late) {
      this.#suppliers.get(source)?.pace.failed(now);
      for (const asked of this.#open.values())
        if (asked.source === source) Object.assign(asked, { dueAt: now, isStalled: true });
    }
    return late.map(({ source }) => source);
  }

  #forgiveSleep(now: number): void {
    const slept = now - (this.#lookedAt ?? now);
    this.#lookedAt = now;
    if (slept < ASLEEP_MS) return;
    if (this.#idleSince !== undefined) this.#idleSince += slept;
    for (const asked of this.#open.values()) {
      asked.askedAt += slept;
      asked.dueAt += slept;
    }
  }
}

function mayServe({ upTo }: Supplier, { want }: Slot<unknown, unknown>): boolean {
  return upTo >= want.height;
}
