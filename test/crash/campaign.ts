import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Acknowledged } from './scenario.js';
import { goOn, playScenario } from './scenario.js';
import { type RunResult, runStruck } from './struckProcess.js';
import { findDamage } from './verify.js';

/** What came of killing nodes. */
export interface Tally {
  writePointsKilled: number;
  recoveriesKilled: number;
  acknowledgedLost: number;
  replayMismatches: number;
}

/** What to kill, and where to say what was found. */
export interface CampaignOptions {
  /** A directory for all that is written. */
  readonly home: string;
  /** How many processes may run at a time. */
  readonly parallel: number;
  /** Which write points of a node's life are struck, of all there are. */
  choose(points: readonly string[]): Iterable<number>;
  /** Which write points of the start after it, of those that `after` has left to do. */
  chooseRecovery(writes: readonly number[], after: string): Iterable<number>;
  report(line: string): void;
}

/**
 * Kills a node at its write points, one life for each; kills the start after it at those where that start itself writes;
 * and looks each time whether the next one finds everything that was answered for.
 */
export async function runCampaign(options: CampaignOptions): Promise<Tally> {
  return new Campaign(options).run();
}

/** The data directory's name: what kills it may come before the directory is there. */
const DATA = 'data';

class Campaign {
  readonly #options: CampaignOptions;
  readonly #tally: Tally = { writePointsKilled: 0, recoveriesKilled: 0, acknowledgedLost: 0, replayMismatches: 0 };

  constructor(options: CampaignOptions) {
    this.#options = options;
  }

  async run(): Promise<Tally> {
    const { home, parallel, choose, report } = this.#options;
    const whole = await this.#live(join(home, 'whole'));
    if (whole.result.code !== 0) throw new Error(`the scenario does not run: ${whole.result.stderr}`);
    const { points } = whole.result;
    report(`${points.length} write points in a whole life, ${kinds(points)}`);
    await this.#examine(join(home, 'whole'), whole.acknowledged, 'a whole life');
    const waiting = [...choose(points)];
    const worker = async (): Promise<void> => {
      for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) await this.#strike(at);
    };
    await Promise.all(Array.from({ length: parallel }, worker));
    return this.#tally;
  }

  /** One life with a violent end, and every start after it that is to end so. */
  async #strike(at: number): Promise<void> {
    const { home, chooseRecovery } = this.#options;
    const directory = join(home, `at-${at}`);
    await using _gone = { [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
    const [dead, again] = [join(directory, 'dead'), join(directory, 'again')];
    await mkdir(dead, { recursive: true });
    const { result, acknowledged } = await this.#live(join(dead, DATA), at);
    if (result.signal !== 'SIGKILL') return this.#fail(`point ${at} was not reached`, result);
    this.#tally.writePointsKilled += 1;
    const where = `killed at ${at} (${result.points.at(-1)})`;

    await cp(dead, again, { recursive: true });
    const kept = copyOf(acknowledged);
    const recovery = await this.#start(join(again, DATA), { session: (url) => goOn(url, join(again, DATA), kept) });
    if (recovery.code === 0) await this.#examine(join(again, DATA), kept, where);
    else this.#fail(`${where}, the next start failed`, recovery);

    for (const step of chooseRecovery(writesAmong(recovery.pointsOfStart), result.points.at(-1) ?? '')) {
      await rm(again, { recursive: true });
      await cp(dead, again, { recursive: true });
      const second = await this.#start(join(again, DATA), { at: step });
      const both = `${where}, and again at ${step} of the next start (${second.points.at(-1)})`;
      if (second.signal !== 'SIGKILL') {
        this.#fail(`${both}: not reached`, second);
        continue;
      }
      this.#tally.recoveriesKilled += 1;
      await this.#examine(join(again, DATA), acknowledged, both);
    }
    await this.#examine(join(dead, DATA), acknowledged, where);
  }

  async #live(directory: string, at?: number): Promise<{ result: RunResult; acknowledged: Acknowledged }> {
    const acknowledged: Acknowledged = { blocks: [], transactions: [] };
    const result = await this.#start(directory, {
      at,
      session: (url) => playScenario(url, directory, acknowledged),
    });
    return { result, acknowledged };
  }

  #start(
    directory: string,
    { at, session }: { at?: number | undefined; session?: (url: string) => Promise<void> },
  ): Promise<RunResult> {
    return runStruck({
      args: ['node', '--network', 'dev', '--port', '0', '--data-dir', directory, '--log-level', 'silent', '--json'],
      strike: at === undefined ? undefined : { at, by: 'SIGKILL' },
      ...(session === undefined ? {} : { session }),
    });
  }

  async #examine(directory: string, acknowledged: Acknowledged, where: string): Promise<void> {
    const { lost, mismatches } = await findDamage(directory, acknowledged);
    for (const what of lost) this.#options.report(`${where}: lost ${what}`);
    for (const what of mismatches) this.#options.report(`${where}: ${what}`);
    this.#tally.acknowledgedLost += lost.length;
    this.#tally.replayMismatches += mismatches.length;
  }

  /** A node that does not come back has lost everything. */
  #fail(what: string, { stdout, stderr }: RunResult): void {
    this.#options.report(`${what}\n${stdout}${stderr}`);
    this.#tally.acknowledgedLost += 1;
  }
}

function copyOf({ blocks, transactions }: Acknowledged): Acknowledged {
  return { blocks: [...blocks], transactions: [...transactions] };
}

function kinds(points: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const point of points) {
    const kind = point.split(/[ :]/)[0] ?? '';
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return Array.from(counts, ([kind, count]) => `${kind} ${count}`).join(', ');
}

/** The numbers of the points at which something is written for good: those of a start that itself writes. */
function writesAmong(points: readonly string[]): number[] {
  return points.flatMap((point, index) => (/^(?:commit|write|link|rename) /.test(point) ? [index + 1] : []));
}
