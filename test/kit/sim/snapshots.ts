import type { Parting } from '../routes.js';
import type { DiceState } from './dice.js';
import type { LinkConditions } from './links.js';
import type { DiskImage } from './simDisk.js';

/** A network at a moment. */
export interface Snapshot {
  readonly now: number;
  readonly dice: readonly [links: DiceState, ties: DiceState];
  readonly parting: Parting<string>;
  readonly conditions: LinkConditions;
  readonly nodes: readonly {
    readonly disk: DiskImage;
    readonly aheadMs: number;
    readonly isRunning: boolean;
    /** Processes started until then. */
    readonly runs: number;
  }[];
}

/** Snapshots by name. They stay, however often they are restored. */
export class Snapshots {
  readonly #saved = new Map<string, Snapshot>();

  save(name: string, snapshot: Snapshot): void {
    this.#saved.set(name, snapshot);
  }

  get(name: string): Snapshot {
    const snapshot = this.#saved.get(name);
    if (snapshot !== undefined) return snapshot;
    const names = [...this.#saved.keys()].join(', ') || 'none';
    throw new Error(`there is no snapshot '${name}'; there are: ${names}`);
  }
}
