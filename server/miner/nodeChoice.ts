/** Blocks that a node may be behind and still be mined at: blocks on their way make some. */
const NEAR_BLOCKS = 2;
/** From how many blocks on a node counts as far behind: what is mined there is lost. It would take as many blocks' work to make it look so. */
const FAR_BLOCKS = 144;
/** How long an earlier node has to be of use before the miner goes back to it, and how much that may grow by its failures. */
const STEADY_MS = 10_000;
const MOST_DOUBLINGS = 5;
/** How long a node has to work without a failure until those before are forgotten. */
const FORGIVEN_MS = 60_000;

/** What a look at a node showed. */
export type Look =
  | {
      readonly kind: 'answered';
      readonly genesis: string;
      readonly height: number;
      /** Blocks that it knows of and does not have. */
      readonly missing: number;
    }
  /** Nothing answers, or not in time, or with a failure that passes. */
  | { readonly kind: 'away'; readonly why: string }
  /** What answers is nothing that can be mined at. */
  | { readonly kind: 'refused'; readonly why: string };

/** Of what use a node is: in step with the best chain known, behind it, too far behind, not there, or never of any. */
export type NodeState = 'unknown' | 'near' | 'lagging' | 'far' | 'away' | 'wrong';

/** What is known of one node. */
export interface NodeOutlook {
  readonly state: NodeState;
  /** Why it is of no use, where it is of none. */
  readonly why: string;
  readonly height: number | undefined;
  /** The network it is on, as far as it said. */
  readonly genesis: string | undefined;
}

interface Entry extends NodeOutlook {
  /** Since when it has been in step without a break. */
  readonly nearSince: number | undefined;
  /** Failures while it was mined at, since it last worked for long. */
  readonly failures: number;
  readonly worksSince: number | undefined;
}

const UNKNOWN: Entry = {
  state: 'unknown',
  why: '',
  height: undefined,
  genesis: undefined,
  nearSince: undefined,
  failures: 0,
  worksSince: undefined,
};

/**
 * Which of some nodes to mine at. Pure: times are arguments, of a clock that only goes forward. The first node in the
 * operator's order that is of use is taken; the miner leaves a node only when that fails or falls behind, or when an
 * earlier one has been of use for a while. A node that fails again and again has to be so for longer each time. Where all
 * are behind, one that is not far behind is better than none: a branch whose blocks nobody hands out must not stop miners.
 */
export class NodeChoice {
  readonly #entries: Entry[];
  #genesis: string | undefined;
  #current: number | undefined;
  #wasUseful = false;

  /** The genesis names the network to mine on; without, the first node that answers does. */
  constructor(count: number, genesis: string | undefined) {
    this.#entries = Array.from({ length: count }, () => UNKNOWN);
    this.#genesis = genesis;
  }

  /** The network that is mined on, once it is known. */
  get genesis(): string | undefined {
    return this.#genesis;
  }

  outlooks(): readonly NodeOutlook[] {
    return this.#entries;
  }

  /** Whether no node can ever be mined at: what was typed is wrong. A miner that has found one of use never gives up. */
  get isHopeless(): boolean {
    return !this.#wasUseful && this.#entries.every(({ state }) => state === 'wrong');
  }

  /** Takes what a look at every node showed, all looks at about the same time: heights are compared. */
  looked(looks: readonly Look[], now: number): void {
    const answers = looks.filter((look) => look.kind === 'answered');
    this.#genesis ??= answers[0]?.genesis;
    const best = Math.max(...answers.filter(({ genesis }) => genesis === this.#genesis).map(({ height }) => height));
    for (const [i, look] of looks.entries()) this.#set(i, this.#outlookOf(look, best), now);
  }

  /** The node gave no work, or took none. */
  failed(index: number, why: string, now: number): void {
    const failures = (this.#entries[index]?.failures ?? 0) + 1;
    this.#set(index, outOfReach('away', why), now);
    this.#change(index, { failures, worksSince: undefined });
    if (this.#current === index) this.#current = undefined;
  }

  /** The node gave work on a tip of this height. */
  worked(index: number, height: number, now: number): void {
    const worksSince = this.#entries[index]?.worksSince ?? now;
    this.#change(index, { height, worksSince, ...(now - worksSince >= FORGIVEN_MS ? { failures: 0 } : {}) });
  }

  /** The node to mine at now; `undefined` where there is none. */
  choose(now: number): number | undefined {
    const current = this.#current === undefined ? undefined : this.#entries[this.#current]?.state;
    const first = (state: NodeState): number | undefined => {
      const index = this.#entries.findIndex((entry) => entry.state === state);
      return index < 0 ? undefined : index;
    };
    if (current === 'near') {
      const better = this.#entries.findIndex((entry, i) => i === this.#current || isSteady(entry, now));
      this.#current = better;
    } else this.#current = first('near') ?? (current === 'lagging' ? this.#current : first('lagging'));
    return this.#current;
  }

  #outlookOf(look: Look, best: number): NodeOutlook {
    if (look.kind !== 'answered') return outOfReach(look.kind === 'away' ? 'away' : 'wrong', look.why);
    const { genesis, height, missing } = look;
    if (genesis !== this.#genesis) return { state: 'wrong', why: 'it is on another network', height, genesis };
    const behind = Math.max(missing, best - height);
    if (behind <= NEAR_BLOCKS) return { state: 'near', why: '', height, genesis };
    return { state: behind < FAR_BLOCKS ? 'lagging' : 'far', why: `it is ${behind} blocks behind`, height, genesis };
  }

  #set(index: number, outlook: NodeOutlook, now: number): void {
    const isNear = outlook.state === 'near';
    this.#wasUseful ||= isNear || outlook.state === 'lagging';
    this.#change(index, { ...outlook, nearSince: isNear ? (this.#entries[index]?.nearSince ?? now) : undefined });
  }

  #change(index: number, change: Partial<Entry>): void {
    this.#entries[index] = { ...(this.#entries[index] ?? UNKNOWN), ...change };
  }
}

function outOfReach(state: NodeState, why: string): NodeOutlook {
  return { state, why, height: undefined, genesis: undefined };
}

function isSteady({ state, nearSince, failures }: Entry, now: number): boolean {
  const needed = STEADY_MS * 2 ** Math.min(Math.max(failures - 1, 0), MOST_DOUBLINGS);
  return state === 'near' && nearSince !== undefined && now - nearSince >= needed;
}
