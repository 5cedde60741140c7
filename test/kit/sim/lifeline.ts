import type { Cancel } from '../../../server/ports.js';
import type { Scheduler } from './scheduler.js';

/**
 * One run of a node's process, from start to end. Whatever is to happen inside the process goes through here: when it has
 * been killed, nothing happens in it any more, and while it is frozen, everything waits. That is what makes a crash a
 * crash: promises that the dead process waits for never settle.
 */
export class Lifeline {
  readonly #scheduler: Scheduler;
  readonly #onDeath = new Set<() => void>();
  #held: (() => void)[] | undefined;
  #isAlive = true;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Has something happen in the process after so many milliseconds. */
  after(ms: number, action: () => void): Cancel {
    let isCalledOff = false;
    const cancel = this.#scheduler.after(ms, () =>
      this.enter(() => {
        if (!isCalledOff) action();
      }),
    );
    return () => {
      isCalledOff = true;
      cancel();
    };
  }

  /** Goes into the process now, or when it thaws; never where it is dead. */
  enter(action: () => void): void {
    if (!this.#isAlive) return;
    if (this.#held === undefined) action();
    else this.#held.push(action);
  }

  /** Stops the process where it is (SIGSTOP, a laptop that sleeps). */
  freeze(): void {
    this.#held ??= [];
  }

  /** Lets it go on. What should have happened meanwhile happens now. */
  thaw(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const action of held) this.#scheduler.after(0, () => this.enter(action));
  }

  /** Calls back once the process has been killed; answers how to call that off. */
  onDeath(action: () => void): Cancel {
    this.#onDeath.add(action);
    return () => this.#onDeath.delete(action);
  }

  kill(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#held = undefined;
    for (const action of this.#onDeath) action();
    this.#onDeath.clear();
  }
}
