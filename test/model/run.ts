import { Dice } from '../kit/sim/dice.js';
import { differ, differenceOf } from './compare.js';
import { type Left, NaivePool, type Outcome, type PlainTransaction } from './naivePool.js';
import { FLAVOURS, type Flavour, Script } from './script.js';
import { transfersOf, World } from './world.js';

const MINUTE = 60_000;
/** Steps in one world; then another begins, so that ledgers stay small. */
const STEPS_EACH = 150;
const DEEPEST = 3;

/** What has happened, and in what the two differed. */
export interface Report {
  steps: number;
  readonly differences: string[];
  /** By kind: of step, of answer, of leaving. */
  readonly kinds: Map<string, number>;
  readonly answers: Map<string, number>;
  readonly left: Map<string, number>;
  /** How many waited at the most, and how many hung together. */
  mostWaiting: number;
  largestCluster: number;
}

/** Takes the same random steps with the real mempool and with the naive one, until so many are taken or the two differ. */
export async function runModel({ steps, seed }: { readonly steps: number; readonly seed: number }): Promise<Report> {
  const report: Report = {
    ...{ steps: 0, differences: [], kinds: new Map(), answers: new Map(), left: new Map() },
    ...{ mostWaiting: 0, largestCluster: 0 },
  };
  for (let world = 0; report.steps < steps && report.differences.length === 0; world++) {
    const flavour = FLAVOURS[world % FLAVOURS.length] ?? FLAVOURS[0];
    await runWorld({ steps: Math.min(STEPS_EACH, steps - report.steps), seed, world, flavour }, report);
  }
  return report;
}

/** What has to happen in any run of some length, or the two have agreed on too little. */
const EXPECTED = {
  kinds: ['submit', 'package', 'block', 'reorg', 'failed branch', 'time', 'restart'],
  answers: [
    ...['ok', 'tx-input-missing', 'tx-immature', 'tx-overspend', 'tx-signature-invalid'],
    ...['pool-known', 'pool-dust', 'pool-conflict', 'pool-fee-too-low', 'pool-full'],
    ...['pool-replacement-size', 'pool-replacement-fee', 'pool-replacement-rate'],
    ...['pool-chain-too-long', 'pool-chain-too-large'],
  ],
  left: ['tx-input-missing', 'pool-replaced', 'pool-full', 'pool-expired'],
} as const;

/** What never happened. */
export function missingOf(report: Report): string[] {
  const names = ['kinds', 'answers', 'left'] as const;
  return names.flatMap((name) =>
    EXPECTED[name].filter((each) => !report[name].has(each)).map((each) => `${name}: ${each}`),
  );
}

interface Plan {
  readonly steps: number;
  readonly seed: number;
  readonly world: number;
  readonly flavour: Flavour;
}

async function runWorld({ steps, seed, world: number, flavour }: Plan, report: Report): Promise<void> {
  const dice = Dice.of(seed, `world ${number}`);
  const side = await Side.open(dice, flavour, report);
  for (let step = 0; step < steps; step++) {
    const kind = kindOf(dice, flavour);
    count(report.kinds, kind);
    report.steps += 1;
    const difference = await side.step(kind);
    if (difference === undefined) continue;
    report.differences.push(`--seed ${seed}, world ${number} (${flavour.name}), step ${step}, ${kind}: ${difference}`);
    break;
  }
  await side.close();
}

type Kind = 'submit' | 'package' | 'block' | 'reorg' | 'failed branch' | 'time' | 'restart';

function kindOf(dice: Dice, { blocks }: Flavour): Kind {
  if (dice.chance(blocks)) return 'block';
  if (dice.chance(blocks / 2)) return 'reorg';
  if (dice.chance(blocks / 8)) return 'failed branch';
  if (dice.chance(0.02 + blocks / 4)) return 'time';
  if (dice.chance(0.01)) return 'restart';
  return dice.chance(0.2) ? 'package' : 'submit';
}

/** One world: the real mempool and the naive one, side by side. */
class Side {
  readonly #dice: Dice;
  readonly #world: World;
  readonly #naive: NaivePool;
  readonly #script: Script;
  readonly #report: Report;
  #dropped: string[] = [];
  #accepted: string[] = [];

  private constructor(dice: Dice, of: { world: World; naive: NaivePool; flavour: Flavour }, report: Report) {
    this.#dice = dice;
    this.#world = of.world;
    this.#naive = of.naive;
    this.#script = new Script(dice, of.flavour, of);
    this.#report = report;
    this.#listen();
  }

  static async open(dice: Dice, flavour: Flavour, report: Report): Promise<Side> {
    const { limit, coins } = flavour;
    const world = await World.open({ limit, isSlow: dice.chance(0.5) });
    for (let i = 0; i < 4; i++) await world.submit([world.extend(world.tip, [])]);
    const [[first, { value }] = ['', { value: 0n }]] = world.tip.chain.coins;
    const outputs = Array.from({ length: coins }, () => value / 2n / BigInt(coins));
    await world.submit([world.extend(world.tip, [world.make({ inputs: [first], outputs })])]);
    const side = new Side(dice, { world, flavour, naive: new NaivePool(world.tip.chain, limit) }, report);
    await side.#fill(flavour.start);
    return side;
  }

  /** Lets so many payments wait. What comes of it is compared with the first step. */
  async #fill(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const tx = this.#script.plain();
      await this.#world.mempool.submit(this.#world.real(tx), null);
      this.#naive.submit([tx], this.#world.clock.now());
    }
  }

  close(): Promise<void> {
    return this.#world.mempool.close();
  }

  /** Does one thing on both sides. Answers in what they differ. */
  async step(kind: Kind): Promise<string | undefined> {
    this.#dropped = [];
    this.#accepted = [];
    const told = await this.#do(kind);
    const now = this.#world.clock.now();
    const difference = told ?? differenceOf(this.#world.mempool, this.#naive, now);
    const { waiting } = this.#naive;
    this.#report.mostWaiting = Math.max(this.#report.mostWaiting, waiting.length);
    const clusters = this.#naive.clusters().map(({ length }) => length);
    this.#report.largestCluster = Math.max(this.#report.largestCluster, ...clusters);
    return difference;
  }

  async #do(kind: Kind): Promise<string | undefined> {
    switch (kind) {
      case 'submit':
        return this.#submit([this.#script.transaction()]);
      case 'package':
        return this.#submit(this.#script.package());
      case 'block':
        return this.#block();
      case 'reorg':
        return this.#reorg();
      case 'failed branch':
        return this.#failedBranch();
      case 'time':
        return this.#time();
      case 'restart':
        return this.#restart();
    }
  }

  async #submit(txs: readonly PlainTransaction[]): Promise<string | undefined> {
    const { mempool, clock } = this.#world;
    const real = txs.map((tx) => this.#world.real(tx));
    const [only] = real;
    const verdict =
      only !== undefined && real.length === 1
        ? await mempool.submit(only, null)
        : await mempool.submitPackage(real, null);
    const outcome: Outcome = this.#naive.submit(txs, clock.now());
    this.#script.remember(txs);
    const code = verdict.ok ? 'ok' : verdict.reject.code;
    count(this.#report.answers, code);
    if (code !== outcome.code) return `the real one says ${code}, the naive one ${outcome.code}`;
    return 'added' in outcome ? this.#told(outcome.left, outcome.added) : this.#told([], []);
  }

  async #block(): Promise<string | undefined> {
    const world = this.#world;
    const place = world.extend(world.tip, this.#script.blockOn(world.tip, []));
    await world.submit([place]);
    const { block, chain } = place;
    const left = this.#naive.connect(chain, { hash: block.header.hash, txs: transfersOf(block) });
    return this.#told(left, []);
  }

  async #reorg(): Promise<string | undefined> {
    const { branch, lost } = this.#script.branch(this.#dice.between(1, DEEPEST));
    await this.#world.submit(branch);
    return this.#switched(lost);
  }

  /** A longer branch whose last block is wrong: it is tried, and the old one comes back. */
  async #failedBranch(): Promise<string | undefined> {
    const { branch, lost } = this.#script.branch(this.#dice.between(1, DEEPEST));
    await this.#world.submitWrong(branch, this.#script.impossible());
    return this.#switched(lost);
  }

  #switched(lost: readonly (readonly PlainTransaction[])[]): string | undefined {
    const { tip, clock } = this.#world;
    const { left, back } = this.#naive.switchTo(tip.chain, lost, clock.now());
    return this.#told(left, back);
  }

  #time(): string | undefined {
    const ms = this.#dice.pick([3, 60, 400, 1_500, 4_000]) * MINUTE * (0.5 + this.#dice.fraction());
    const isLookedAt = this.#world.clock.advance(Math.floor(ms));
    return this.#told(isLookedAt ? this.#naive.expire(this.#world.clock.now()) : [], []);
  }

  async #restart(): Promise<string | undefined> {
    await this.#world.restart();
    this.#listen();
    this.#naive.restart(this.#world.clock.now());
    return undefined;
  }

  #listen(): void {
    const { events } = this.#world.mempool;
    events.on('dropped', ({ transaction, code, by }) =>
      this.#dropped.push(wordsOf({ txid: transaction.txid, code, by })),
    );
    events.on('accepted', ({ entry }) => this.#accepted.push(entry.transaction.txid));
  }

  /** Whether the real one told of the same as the naive one knows. */
  #told(left: readonly Left[], back: readonly string[]): string | undefined {
    for (const { code } of left) count(this.#report.left, code);
    return (
      differ('dropped', this.#dropped.toSorted(), left.map(wordsOf).sort()) ??
      differ('accepted', this.#accepted.toSorted(), back.toSorted())
    );
  }
}

function wordsOf({ txid, code, by = '' }: { txid: string; code: string; by?: string | undefined }): string {
  return `${txid} ${code} ${by}`;
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
