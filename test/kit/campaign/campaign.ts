import { CampaignProcess } from './campaignProcess.js';
import { addCoverage, type Coverage, emptyCoverage, missingKinds, missingLies } from './coverage.js';
import type { ShrunkFailure } from './messages.js';
import type { Outcome } from './outcome.js';
import { replayCommand } from './replay.js';
import { Rounds, type Turn } from './rounds.js';

/** Which seeds are run, and how. */
export interface CampaignOptions {
  readonly seeds: readonly number[];
  readonly nodes: number;
  readonly processes: number;
  /** How many of the seeds, the first ones, are run twice to see whether they go the same way: all unless told otherwise. */
  readonly repeated?: number | undefined;
  /** Told after every run. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** How far a campaign is. */
export interface Progress {
  readonly runs: number;
  readonly ofRuns: number;
  readonly failures: number;
  readonly virtualMs: number;
}

/** A seed that failed. */
export interface Failure {
  readonly seed: number;
  readonly invariant: string;
  readonly message: string;
  /** The command that runs it again, with as few steps as were found to do. */
  readonly replay: string;
  /** What happened in that run, line by line. */
  readonly log: readonly string[];
}

/** What a campaign came to. Events, time and coverage are those of the first run of each seed. */
export interface CampaignResult {
  readonly seeds: number;
  /** Whether every seed that was run twice went the same way. */
  readonly deterministic: boolean;
  readonly failures: readonly Failure[];
  readonly virtualMs: number;
  readonly events: number;
  readonly coverage: Coverage;
  /** Kinds of things that never happened, where the campaign was long enough to see them all. */
  readonly missing: readonly string[];
}

/** Seeds from which on a kind that never happened is a failure: with so many, each is likely to come up often. */
export const FULL_CAMPAIGN = 40;
/** The same for each single lie: there are fifty, and whoever tells one is soon kept out. */
const EVERY_LIE = 200;
/** Failures that are made small; there is seldom more than one cause. */
const MOST_SHRUNK = 3;

/**
 * Runs many seeds, each twice and the second time in another process, and compares the hashes of all that happened. A
 * campaign of 40 seeds or more fails where a kind of fault never occurred, one of 200 where a lie was never told: it
 * would show nothing about it.
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const campaign = new Campaign(options);
  const processes = Math.min(options.processes, 2 * options.seeds.length);
  await Promise.all(Array.from({ length: processes }, (_, worker) => campaign.work(worker)));
  return campaign.result();
}

class Campaign {
  readonly #options: CampaignOptions;
  readonly #rounds: Rounds;
  readonly #failures = new Map<number, Failure>();
  readonly #hashes = new Map<number, string>();
  readonly #coverage = emptyCoverage();
  #deterministic = true;
  #runs = 0;
  #shrunk = 0;
  #virtualMs = 0;
  #events = 0;

  constructor(options: CampaignOptions) {
    this.#options = options;
    this.#rounds = new Rounds(options.seeds, options.repeated);
  }

  /** One process's share. */
  async work(worker: number): Promise<void> {
    const { nodes } = this.#options;
    const child = new CampaignProcess();
    try {
      for (let turn = this.#rounds.next(worker); turn !== undefined; turn = this.#rounds.next(worker)) {
        const { seed } = turn;
        try {
          const answer = await child.run({ kind: 'run', seed, nodes });
          if (answer.kind === 'ran') await this.#take(turn, answer.outcome, child);
        } catch (error) {
          this.#fail(seed, { invariant: 'runs end', message: error instanceof Error ? error.message : String(error) });
        }
        this.#tell();
      }
    } finally {
      child.close();
    }
  }

  result(): CampaignResult {
    const { seeds } = this.#options;
    const coverage = this.#coverage;
    return {
      seeds: seeds.length,
      deterministic: this.#deterministic,
      failures: [...this.#failures.values()].sort((a, b) => a.seed - b.seed),
      virtualMs: this.#virtualMs,
      events: this.#events,
      coverage,
      missing: [
        ...(seeds.length >= FULL_CAMPAIGN ? missingKinds(coverage) : []),
        ...(seeds.length >= EVERY_LIE ? missingLies(coverage) : []),
      ],
    };
  }

  async #take({ seed, again }: Turn, outcome: Outcome, child: CampaignProcess): Promise<void> {
    const { traceHash, failure } = outcome;
    if (!again) {
      this.#virtualMs += outcome.virtualMs;
      this.#events += outcome.events;
      addCoverage(this.#coverage, outcome.coverage);
    }
    // Whichever run is through first.
    const other = this.#hashes.get(seed);
    this.#hashes.set(seed, traceHash);
    if (other !== undefined && other !== traceHash) {
      this.#deterministic = false;
      this.#fail(seed, { invariant: 'runs repeat', message: `two runs, two traces: ${other} and ${traceHash}` });
    } else if (failure !== undefined && !this.#failures.has(seed)) {
      this.#fail(seed, failure);
      if (this.#shrunk++ < MOST_SHRUNK) await this.#shrink(seed, child);
    }
  }

  async #shrink(seed: number, child: CampaignProcess): Promise<void> {
    const answer = await child.run({ kind: 'shrink', seed, nodes: this.#options.nodes });
    const failure = this.#failures.get(seed);
    if (failure === undefined || answer.kind !== 'shrunk' || answer.shrunk === undefined) return;
    this.#fail(seed, failure, answer.shrunk);
  }

  #fail(seed: number, { invariant, message }: Pick<Failure, 'invariant' | 'message'>, small?: ShrunkFailure): void {
    const replay = replayCommand({ seed, nodes: this.#options.nodes, steps: small?.steps });
    this.#failures.set(seed, { seed, invariant, message, replay, log: small?.log ?? [] });
  }

  #tell(): void {
    this.#runs += 1;
    const { seeds, repeated, onProgress } = this.#options;
    const [runs, ofRuns] = [this.#runs, seeds.length + (repeated ?? seeds.length)];
    onProgress?.({ runs, ofRuns, failures: this.#failures.size, virtualMs: this.#virtualMs });
  }
}
