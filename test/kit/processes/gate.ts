import { TrestleError } from '../../../shared/errors.js';

/** What of the traffic with one node is cut. */
export interface Cut {
  readonly url: string;
  /** What this node sends: its calls do not go out. */
  readonly out: boolean;
  /** What the other sends: its answers do not come in. Its own calls are for its own gate to hold back. */
  readonly in: boolean;
}

/**
 * Stands between a node and those it calls, and cuts what a test cuts. A caller sees both sides of a call, so one gate
 * at each node cuts either direction: what does not go out, and what comes back and is thrown away, after the other
 * has done what it was asked. The caller learns of it at once, as of a connection that breaks; a network that swallows
 * everything would have it wait for its time limit.
 */
export class Gate {
  readonly #cuts = new Map<string, Cut>();
  readonly #calls = new Map<AbortController, string>();

  /** Takes what is cut from now on, in place of what was. Calls under way over what is cut now break off. */
  set(cuts: readonly Cut[]): void {
    this.#cuts.clear();
    for (const cut of cuts) if (cut.out || cut.in) this.#cuts.set(cut.url, cut);
    for (const [controller, url] of this.#calls) if (this.#cuts.has(url)) controller.abort();
  }

  /** Makes a call, as far as the cuts let it; what it answers or throws is lost where answers are. */
  async pass<T>(url: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#cuts.get(url)?.out) throw unreachable(url, 'cut off');
    const controller = new AbortController();
    this.#calls.set(controller, url);
    const outcome = await Promise.allSettled([call(controller.signal)]);
    this.#calls.delete(controller);
    if (controller.signal.aborted || this.#cuts.get(url)?.in) throw unreachable(url, 'cut off amid the call');
    const [settled] = outcome;
    if (settled.status === 'rejected') throw settled.reason;
    return settled.value;
  }
}

function unreachable(url: string, detail: string): TrestleError {
  return new TrestleError({ code: 'peer-unreachable', url, detail });
}
