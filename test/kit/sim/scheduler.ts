import type { Cancel } from '../../../server/ports.js';
import type { Dice } from './dice.js';
import { EventQueue, type Scheduled } from './eventQueue.js';

/** The most virtual time that goes by for one answer: calls have a limit of their own, far below this. */
const PATIENCE_MS = 3_600_000;

/** Turns of the event loop in which a client has read an answer and asked on, which takes it two. */
const TURNS_TO_READ = 5;

/** Something for whose sake time goes by. */
interface Goal {
  /** A moment, which is reached when it comes, or an answer, which has to come before it. */
  readonly kind: 'moment' | 'answer';
  /** Up to when time may go by for it. */
  readonly until: number;
  isReached: boolean;
  /** Looked at after every event, where the goal is a state of affairs. */
  readonly holds?: (() => boolean) | undefined;
  readonly finish: () => void;
  readonly fail: (error: unknown) => void;
}

/** What the scheduler tells whoever watches it. */
export interface SchedulerWatch {
  /** After an event and all that followed from it at once. What it throws ends this run and every later one. */
  afterEvent(): void;
}

/**
 * Virtual time. One event after the other is taken, the earliest first, and everything that follows from it without time
 * going by is let happen before the next one: V8 runs promise jobs in an order that depends on nothing outside, so the
 * same events give the same run. Events of the same moment come in an order that the seed decides.
 *
 * Time goes by only while somebody waits for it, for a moment or for an answer: between two calls of a test it stands still.
 */
export class Scheduler {
  readonly #queue = new EventQueue();
  readonly #goals = new Set<Goal>();
  readonly #ties: Dice;
  #now = 0;
  #sequence = 0;
  #events = 0;
  #isRunning = false;
  #isClosed = false;
  #failure: { readonly error: unknown } | undefined;
  #broken: { readonly error: unknown; isTold: boolean } | undefined;
  watch: SchedulerWatch = { afterEvent: () => {} };

  constructor(ties: Dice) {
    this.#ties = ties;
  }

  /** Virtual milliseconds since the start. */
  get now(): number {
    return this.#now;
  }

  /** Moves the time, between two runs only: a restored snapshot goes on at its own moment. */
  set now(now: number) {
    if (this.#goals.size > 0) throw new Error('time cannot be set while somebody waits for it');
    this.#now = now;
  }

  /** Events that have happened. */
  get events(): number {
    return this.#events;
  }

  /** Lets whoever has got an answer read it; answers whether anything is then to happen at this very moment. */
  async leavesMoreToDo(): Promise<boolean> {
    const isBusy = (): boolean => (this.#queue.peek()?.at ?? Number.POSITIVE_INFINITY) <= this.#now;
    for (let turn = 0; turn < TURNS_TO_READ && !isBusy(); turn++) await nextTurn();
    return isBusy();
  }

  /** What must not be built on, if anything; to ask is to know of it. */
  get broken(): unknown {
    if (this.#broken !== undefined) this.#broken.isTold = true;
    return this.#broken?.error;
  }

  /** Whether there is such a thing that nobody has been told of but as a call that failed. */
  get isSilentlyBroken(): boolean {
    return this.#broken?.isTold === false;
  }

  /** Has something happen after so many milliseconds; answers how to call it off. */
  after(ms: number, action: () => void): Cancel {
    const event: Scheduled = {
      at: this.#now + Math.max(0, ms),
      tie: this.#ties.below(2 ** 32),
      sequence: this.#sequence++,
      action,
    };
    this.#queue.push(event);
    return () => {
      event.action = undefined;
    };
  }

  /** Lets time go by up to a moment. */
  async advanceTo(at: number): Promise<void> {
    await this.#reach({ kind: 'moment', until: at }, () => {});
  }

  /** Lets time go by until something holds, looked at after every event; answers whether it did before so many milliseconds were over. */
  async advanceUntil(holds: () => boolean, limitMs: number): Promise<boolean> {
    await this.#reach({ kind: 'moment', until: this.#now + limitMs, holds }, () => {});
    return holds();
  }

  /** Lets time go by until `work` has settled, and settles as it does. Throws where nothing is left that could make it. */
  async during<T>(work: Promise<T>): Promise<T> {
    // A failure is the caller's to see, once time has gone by for it.
    work.catch(() => {});
    await this.#reach({ kind: 'answer', until: this.#now + PATIENCE_MS }, (reached) => {
      work.then(reached, reached);
    });
    return work;
  }

  /** Forgets everything that was to happen. */
  clear(): void {
    for (let event = this.#queue.pop(); event !== undefined; event = this.#queue.pop()) event.action = undefined;
  }

  /** Ends time: what was to happen never does, and whoever waits is told so. */
  close(): void {
    this.#isClosed = true;
    this.clear();
  }

  /** Ends the run under way, or the next one, with a failure. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Ends this run and every later one: what has happened must not be built on. */
  break(error: unknown): void {
    this.#broken ??= { error, isTold: false };
  }

  async #reach(what: Pick<Goal, 'kind' | 'until' | 'holds'>, begin: (reached: () => void) => void): Promise<void> {
    if (this.#isClosed) throw disposedOf();
    await new Promise<void>((resolve, reject) => {
      const goal: Goal = { ...what, isReached: false, finish: resolve, fail: reject };
      this.#goals.add(goal);
      begin(() => {
        goal.isReached = true;
      });
      if (!this.#isRunning) void this.#run();
    });
  }

  /** Never rejects: what goes wrong is told to whoever waits. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    await nextTurn();
    while (this.#goals.size > 0) {
      if (this.#broken !== undefined) this.#endAll(this.#broken.error);
      else if (this.#failure !== undefined) this.#endAll(this.#failure.error);
      else if (!this.#finishGoals()) this.#step();
      await nextTurn();
      this.#look();
    }
    this.#isRunning = false;
  }

  /** Settles what is reached; answers whether there was anything: then whoever waited goes first. */
  #finishGoals(): boolean {
    const reached = [...this.#goals].filter((goal) => goal.isReached || goal.holds?.());
    for (const goal of reached) {
      this.#goals.delete(goal);
      goal.finish();
    }
    return reached.length > 0 || this.#finishEarliest();
  }

  /** Settles the goal whose moment comes before the next event, the earliest where there are several. */
  #finishEarliest(): boolean {
    const next = this.#queue.peek()?.at ?? Number.POSITIVE_INFINITY;
    const [goal] = [...this.#goals].filter(({ until }) => until < next).sort((a, b) => a.until - b.until);
    if (goal === undefined) return false;
    this.#goals.delete(goal);
    if (this.#isClosed) goal.fail(disposedOf());
    else if (goal.kind === 'answer')
      goal.fail(new Error(`no answer, and nothing in this network that could bring one within ${PATIENCE_MS} ms`));
    else {
      this.#now = Math.max(this.#now, goal.until);
      goal.finish();
    }
    return true;
  }

  #step(): void {
    const event = this.#queue.pop();
    if (event?.action === undefined) return;
    this.#now = Math.max(this.#now, event.at);
    this.#events += 1;
    try {
      event.action();
    } catch (error) {
      this.break(error);
    }
  }

  #look(): void {
    if (this.#broken !== undefined) return;
    try {
      this.watch.afterEvent();
    } catch (error) {
      this.break(error);
    }
  }

  #endAll(error: unknown): void {
    this.#failure = undefined;
    for (const goal of this.#goals) {
      // A moment is waited for by the network's own methods; an answer may be a client's, who sees a call that failed.
      if (this.#broken !== undefined && goal.kind === 'moment') this.#broken.isTold = true;
      goal.fail(error);
    }
    this.#goals.clear();
  }
}

function disposedOf(): Error {
  return new Error('this network has been disposed of');
}

/** As it is before a test runner puts its own in place: `vi.useFakeTimers()` would end all time here. */
const realImmediate = setImmediate;

/** Settles after every promise job there is, and those that they bring about. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => realImmediate(resolve));
}
