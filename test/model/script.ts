import type { Dice } from '../kit/sim/dice.js';
import type { NaivePool, PlainCoin, PlainTransaction, Waiting } from './naivePool.js';
import { isRipe, type Place, transfersOf, type World } from './world.js';

/** What kind of traffic a run has: each leads to other limits. */
export interface Flavour {
  readonly name: string;
  /** Coins at the start. */
  readonly coins: number;
  /** How many payments wait at the start. */
  readonly start: number;
  /** The most memory, in bytes. */
  readonly limit: number;
  /** How many outputs transactions have at the most. */
  readonly outputs: number;
  /** How often a transaction spends what waits. */
  readonly chaining: number;
  /** How often a transaction has so many outputs that a few of it fill a line. */
  readonly bulk: number;
  /** How often a transaction spends what another one spends that waits. */
  readonly rivals: number;
  /** How often all that waits of confirmed coins is replaced at once. */
  readonly sweeps: number;
  /** How often a block comes. */
  readonly blocks: number;
}

const ROUND: Flavour = {
  ...{ name: 'round', coins: 60, start: 10, limit: 150_000, outputs: 4, blocks: 0.12 },
  ...{ chaining: 0.5, rivals: 0.22, bulk: 0, sweeps: 0.01 },
};

export const FLAVOURS: readonly [Flavour, ...Flavour[]] = [
  ROUND,
  { ...ROUND, name: 'tight', start: 15, limit: 60_000, outputs: 2, blocks: 0.03, chaining: 0.3, rivals: 0.12 },
  {
    ...ROUND,
    name: 'lines',
    coins: 16,
    start: 2,
    limit: 200_000,
    outputs: 2,
    blocks: 0.04,
    chaining: 0.85,
    rivals: 0.1,
  },
  {
    ...ROUND,
    name: 'webs',
    coins: 150,
    start: 115,
    limit: 700_000,
    outputs: 5,
    blocks: 0.01,
    rivals: 0.03,
    sweeps: 0.05,
    chaining: 0.8,
  },
  {
    ...ROUND,
    name: 'bulky',
    coins: 30,
    start: 2,
    limit: 4_000_000,
    blocks: 0.04,
    chaining: 0.8,
    rivals: 0.12,
    bulk: 0.35,
  },
];

/** So many of the past are kept, to be handed in again. */
const REMEMBERED = 80;
const DUST = 100n;

/** Thinks up what happens next, from what there is. */
export class Script {
  readonly #dice: Dice;
  readonly #flavour: Flavour;
  readonly #world: World;
  readonly #naive: NaivePool;
  #past: PlainTransaction[] = [];

  constructor(dice: Dice, flavour: Flavour, of: { readonly world: World; readonly naive: NaivePool }) {
    this.#dice = dice;
    this.#flavour = flavour;
    this.#world = of.world;
    this.#naive = of.naive;
  }

  /** Anything that somebody might hand in. */
  transaction(): PlainTransaction {
    const dice = this.#dice;
    const { chaining, rivals, sweeps } = this.#flavour;
    if (dice.chance(0.06)) return dice.pick(this.#past) ?? this.#payment([this.#fresh()]);
    if (dice.chance(0.03)) return this.#faulty();
    if (dice.chance(sweeps)) return this.#sweep();
    if (dice.chance(rivals)) return this.#rival();
    if (!dice.chance(chaining)) return this.#payment(this.#some(1, 2, () => this.#fresh()));
    const inputs = this.#some(1, dice.chance(0.1) ? 30 : 3, () => this.#unconfirmed());
    return this.#payment(dice.chance(0.2) ? [...inputs, this.#fresh()] : inputs);
  }

  /** A payment that gets in. */
  plain(): PlainTransaction {
    return this.#payment([this.#fresh()], this.#dice.between(2, 9));
  }

  /** Several, mostly parents first, mostly hanging together. */
  package(): PlainTransaction[] {
    const dice = this.#dice;
    const count = dice.between(2, 5);
    const made: PlainTransaction[] = [];
    for (let i = 0; i < count; i++) {
      const spent = made.flatMap(({ inputs }) => inputs);
      const own = made
        .flatMap((tx) => tx.outputs.map((_, index) => `${tx.txid}:${index}`))
        .filter((output) => !spent.includes(output));
      const isLast = i === count - 1;
      if (dice.chance(0.12)) made.push(this.transaction());
      else if (dice.chance(0.05) && i > 0) made.push(this.#payment([...(made[0]?.inputs ?? [])], 30));
      else {
        const inputs = this.#some(1, 2, () => (dice.chance(0.75) ? dice.pick(own) : undefined) ?? this.#coin());
        made.push(this.#payment(inputs, isLast ? dice.between(1, 60) : dice.pick([0, 0, 0.5, 1, 3, 10])));
      }
    }
    return dice.chance(0.06) ? made.toReversed() : made;
  }

  /** What a block on a place could hold: some of what waits or has been, and some that nobody has heard of. */
  blockOn(place: Place, lost: readonly PlainTransaction[]): PlainTransaction[] {
    const dice = this.#dice;
    const coins = new Map(place.chain.coins);
    const height = place.chain.height + 1;
    const held: PlainTransaction[] = [];
    const isFree = (input: string): boolean => {
      const coin = coins.get(input);
      return coin !== undefined && isRipe(coin, height);
    };
    const offer = (tx: PlainTransaction): void => {
      const value = tx.inputs.reduce((sum, input) => sum + (coins.get(input)?.value ?? 0n), 0n);
      const outputs = tx.outputs.reduce((sum, each) => sum + each, 0n);
      if (tx.isJunk || place.chain.confirmed.has(tx.txid) || held.includes(tx)) return;
      if (outputs > value || tx.outputs.includes(0n) || !tx.inputs.every(isFree)) return;
      for (const input of tx.inputs) coins.delete(input);
      const made = (value: bigint): PlainCoin => ({ value, height, isCoinbase: false });
      for (const [index, each] of tx.outputs.entries()) coins.set(`${tx.txid}:${index}`, made(each));
      held.push(tx);
    };
    const share = dice.pick([0, 0.2, 0.5, 1]);
    for (const tx of lost) if (dice.chance(share)) offer(tx);
    // A rival of what waits, which only the miner knew.
    for (let i = dice.below(3); i > 0; i--) {
      const inputs = [...new Set(this.#some(1, 2, () => this.#anyOf(coins)))];
      offer(dice.chance(0.3) ? this.#world.make({ inputs, outputs: [DUST - 1n] }) : this.#made(inputs, 5));
    }
    const ready = this.#naive.waiting.toSorted((a, b) => a.arrival - b.arrival);
    const cap = dice.between(0, 24);
    for (const { tx } of ready) if (held.length < cap && dice.chance(share)) offer(tx);
    for (const tx of this.#past) if (dice.chance(0.03)) offer(tx);
    return held;
  }

  /** A transaction of a coin that nobody has: what makes a block wrong. */
  impossible(): PlainTransaction {
    return this.#world.make({ inputs: [`${'ab'.repeat(32)}:0`], outputs: [1_000n] });
  }

  /** A rival branch that is one block longer, from so far below the tip. */
  branch(depth: number): { readonly branch: Place[]; readonly lost: PlainTransaction[][] } {
    const lost: PlainTransaction[][] = [];
    let base = this.#world.tip;
    for (let i = 0; i < depth && base.below !== undefined; i++) {
      lost.push(transfersOf(base.block));
      base = base.below;
    }
    const branch: Place[] = [];
    for (let i = 0; i <= lost.length; i++) {
      base = this.#world.extend(base, this.blockOn(base, lost.toReversed().flat()));
      branch.push(base);
    }
    return { branch, lost };
  }

  /** Remembers what was handed in. */
  remember(txs: readonly PlainTransaction[]): void {
    this.#past = [...this.#past, ...txs].slice(-REMEMBERED);
  }

  /** What pays enough, or nearly. */
  #payment(inputs: readonly string[], rate?: number): PlainTransaction {
    return this.#made(inputs, rate ?? this.#rate());
  }

  #made(wanted: readonly string[], rate: number): PlainTransaction {
    const dice = this.#dice;
    const inputs = [...new Set(wanted)];
    const { outputs: most, bulk } = this.#flavour;
    const count = bulk > 0 && dice.chance(bulk) ? dice.between(600, 1_600) : dice.between(1, most);
    const value = inputs.reduce((sum, input) => sum + (this.#valueOf(input) ?? 0n), 0n);
    const isJunk = dice.chance(0.02);
    // Once to know the size, and then with the fee that comes of it.
    const { size } = this.#world.make({ inputs, outputs: divided(value, count) });
    const left = value - BigInt(Math.ceil(size * rate));
    const outputs = divided(left > BigInt(count) ? left : value, count);
    return this.#world.make({ inputs, outputs, isJunk });
  }

  #rate(): number {
    const dice = this.#dice;
    const floor = this.#naive.floor(this.#world.clock.now());
    return dice.pick([0.5, 1.01, 2, 2, 3, 3, 5, 8, floor, floor + 0.5, 2 * floor, 40 * dice.fraction()]);
  }

  #rival(): PlainTransaction {
    const dice = this.#dice;
    const victims = this.#some(1, dice.pick([1, 1, 1, 2, 6]), () => dice.pick(this.#naive.waiting));
    if (victims.length === 0) return this.#payment([this.#fresh()]);
    const inputs = victims.flatMap(({ tx }) => dice.pick(tx.inputs) ?? []);
    if (dice.chance(0.25)) inputs.push(this.#unconfirmed());
    if (dice.chance(0.1)) inputs.push(...outputsOf(victims).slice(0, 1));
    return this.#payment(inputs, this.#rateAgainst(victims));
  }

  /** About what it takes to push these out: mostly more, sometimes just not enough. */
  #rateAgainst(victims: readonly Waiting[]): number {
    const dice = this.#dice;
    const out = [...this.#naive.below(victims)];
    const fees = Number(out.reduce((sum, { fee }) => sum + fee, 0n));
    const most = Math.max(...victims.map(({ fee, tx }) => Number(fee) / tx.size));
    if (dice.chance(0.15)) return most * dice.pick([0.9, 1, 1.05]);
    return Math.max(most * 1.02, fees / 150 + 1) * dice.pick([0.7, 1, 1.1, 2]);
  }

  #sweep(): PlainTransaction {
    const { coins } = this.#naive.chain;
    const spent = this.#naive.waiting.flatMap(({ tx }) => tx.inputs.filter((input) => coins.has(input)));
    const inputs = spent.slice(0, this.#dice.between(80, 130));
    return this.#payment(inputs.length > 0 ? inputs : [this.#fresh()], this.#dice.between(100, 400));
  }

  #faulty(): PlainTransaction {
    const dice = this.#dice;
    const world = this.#world;
    const input = this.#coin();
    const value = this.#valueOf(input) ?? 1_000n;
    const coinbase = [...this.#naive.chain.coins].findLast(([, { isCoinbase }]) => isCoinbase);
    return dice.pick([
      () => world.make({ inputs: [input], outputs: [DUST - 1n, value / 2n] }),
      () => world.make({ inputs: [input], outputs: [value + 1n] }),
      () => world.make({ inputs: [input, `${'cd'.repeat(32)}:1`], outputs: [1_000n] }),
      () => world.make({ inputs: [coinbase?.[0] ?? input], outputs: [1_000_000n] }),
    ])();
  }

  #coin(): string {
    return this.#dice.chance(this.#flavour.chaining) ? this.#unconfirmed() : this.#fresh();
  }

  /** A coin of the chain that nobody spends yet. */
  #fresh(): string {
    const taken = new Set(this.#naive.waiting.flatMap(({ tx }) => tx.inputs));
    const free = [...this.#naive.chain.coins].filter(
      ([name, coin]) => !taken.has(name) && isRipe(coin, this.#naive.chain.height + 1) && coin.value > 10_000n,
    );
    return this.#dice.pick(free)?.[0] ?? this.#anyOf(this.#naive.chain.coins) ?? `${'ef'.repeat(32)}:0`;
  }

  #anyOf(coins: ReadonlyMap<string, PlainCoin>): string | undefined {
    return this.#dice.pick([...coins].filter(([, { value }]) => value > 10_000n))?.[0];
  }

  /** A coin that waits to be made, and that nobody spends yet. */
  #unconfirmed(): string {
    const taken = new Set(this.#naive.waiting.flatMap(({ tx }) => tx.inputs));
    const all = outputsOf(this.#naive.waiting).filter((name) => !taken.has(name));
    // The latest mostly, which makes lines; any, which makes webs.
    const from = ['lines', 'bulky'].includes(this.#flavour.name) && this.#dice.chance(0.8) ? all.slice(-3) : all;
    return this.#dice.pick(from) ?? this.#fresh();
  }

  #valueOf(input: string): bigint | undefined {
    const [txid, index] = input.split(':');
    const known = this.#naive.chain.coins.get(input)?.value;
    return known ?? this.#world.outputOf(txid, Number(index));
  }

  #some<T>(least: number, most: number, one: () => T | undefined): T[] {
    const count = this.#dice.between(least, most);
    return Array.from({ length: count }, one).filter((each): each is T => each !== undefined);
  }
}

function outputsOf(waiting: readonly Waiting[]): string[] {
  return waiting.flatMap(({ tx }) => tx.outputs.slice(0, 20).map((_, index) => `${tx.txid}:${index}`));
}

function divided(value: bigint, count: number): bigint[] {
  const part = value / BigInt(count);
  return Array.from({ length: count }, (_, i) => (i === 0 ? value - part * BigInt(count - 1) : part));
}
