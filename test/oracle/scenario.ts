import type { NetworkFile } from '../../shared/consensus/params.js';
import { join, varint } from '../kit/model/bytes.js';
import { bitsAfter, workOf } from '../kit/model/difficulty.js';
import { medianOf } from '../kit/model/headerRules.js';
import { confirmBlock, EMPTY } from '../kit/model/ledger.js';
import { decodeBlock, encodeHeader } from '../kit/model/model.js';
import { coinsOf, genesisOf, type Network } from '../kit/model/network.js';
import { BLOCK_FAULTS, type BlockSite, BODY_FAULTS, flipped, HEADER_FAULTS } from './blockFaults.js';
import {
  type BlockDraft,
  blockBytes,
  branchOf,
  coinsSpent,
  finish,
  mine,
  rootOfBytes,
  type Sapling,
  type TransactionDraft,
} from './draft.js';
import type { Dice } from './random.js';
import { TRANSACTION_FAULTS } from './transactionFaults.js';
import { claimable, coinbaseFor, transferOf } from './transfers.js';

/** One thing handed to a node. */
export type Step =
  | { readonly kind: 'block'; readonly bytes: Uint8Array }
  /** Several blocks, none of which waits for the answer to the one before. */
  | { readonly kind: 'rush'; readonly blocks: readonly Uint8Array[] }
  | { readonly kind: 'headers'; readonly headers: readonly Uint8Array[] }
  | { readonly kind: 'clock'; readonly now: number };

/** What the clock shows when a chain begins. */
export const START = 1_800_000_000_000;
const DAY = 86_400_000;

/**
 * A network with rules of its own: small periods, so that a short chain meets their edges. On a plain one chains grow to
 * any length.
 */
export function someNetwork(dice: Dice, isPlain: boolean): NetworkFile {
  const reward = dice.pick([0n, 1n, 3n, 150_000_000n, 150_000_000n, 150_000_000n, 5_000_000_007n]);
  const supplies = [
    9_000_000_000_000_000n,
    9_000_000_000_000_000n,
    reward * BigInt(dice.between(1, 30)) + BigInt(dice.below(3)),
  ];
  const height = dice.between(1, 12);
  const upgrades = [
    { height, version: dice.between(2, 4) },
    { height: height + dice.between(1, 9), version: dice.pick([5, 255]) },
  ];
  const genesisBits = isPlain ? 0x207fffff : dice.pick([0x207fffff, 0x207fffff, 0x203fffff, 0x2100ffff, 0x2007ffff]);
  const minimum = workOf(genesisBits) * BigInt(dice.between(1, 8)) + BigInt(dice.below(2));
  return {
    name: dice.pick(['oracle', 'o', 'a-network-of-32-characters-or-so']),
    blockIntervalSeconds: dice.pick([1, 30, 300]),
    retarget: isPlain ? 'none' : dice.pick(['asert', 'none']),
    halfLifeIntervals: dice.pick([1, 4, 10, 288]),
    genesisBits,
    reward: coinsOf(reward),
    halvingInterval: dice.pick([0, 0, 1, 2, 7, 20]),
    coinbaseMaturity: dice.pick([1, 1, 2, 2, 3, 5]),
    maxSupply: coinsOf(dice.pick(supplies) || 1n),
    minimumWork: !isPlain && dice.chance(0.08) ? minimum.toString() : '0',
    upgrades: dice.pick([[], [], upgrades, upgrades.slice(0, 1)]),
    nodePort: 1,
  };
}

/** How often something happens in a chain: some chains are calm, some are nothing but trouble. */
export interface Temper {
  readonly transfers: number;
  readonly faults: number;
  readonly headersFirst: number;
  readonly late: number;
  readonly repeats: number;
  readonly mutations: number;
}

/** Makes blocks of one network and hands them out. */
export class Forest {
  readonly dice: Dice;
  readonly network: Network;
  readonly root: Sapling;
  readonly temper: Temper;
  now = START;
  /** Every block made so far, in the order in which they were made. */
  readonly saplings: Sapling[];
  readonly #genesis: string;
  readonly #drafts: TransactionDraft[] = [];
  #waiting: Sapling[] = [];

  constructor(dice: Dice, network: Network, temper: Temper) {
    this.dice = dice;
    this.network = network;
    this.temper = temper;
    const genesis = genesisOf(network);
    const { header, bytes } = genesis;
    const ledger = confirmBlock(EMPTY, genesis);
    this.root = { parent: undefined, height: 0, header, bytes, ledger, work: 0n, faulty: false };
    this.saplings = [this.root];
    this.#genesis = header.hash;
  }

  /** A block on `parent`, with a fault or without; `undefined` where none can be made. */
  grow(parent: Sapling, faults: number): Sapling | undefined {
    const { dice, network, now } = this;
    const height = parent.height + 1;
    const { ledger } = parent;
    const site: BlockSite = { dice, network, genesis: this.#genesis, height, ledger, parent, now };
    const draft = this.#draft(site);
    let broken = 0;
    for (let tries = 0; broken < faults && tries < 20; tries++) if (this.#break(draft, site)) broken += 1;
    const sapling = this.#finish(draft, site, broken > 0);
    if (sapling !== undefined) this.saplings.push(sapling);
    return sapling;
  }

  /** Hands a block out, now or later, alone or with others, with its header first or not. */
  *deliver(sapling: Sapling): Generator<Step> {
    const { dice, temper } = this;
    this.#waiting.push(sapling);
    if (dice.chance(temper.late)) return;
    if (dice.chance(temper.headersFirst)) yield this.headersTo(dice.pick(this.#waiting));
    const ready = dice.chance(temper.late) ? dice.shuffled(this.#waiting) : this.#waiting;
    this.#waiting = [];
    if (dice.chance(0.1)) yield rushOf(ready);
    else
      for (const each of ready) {
        if (dice.chance(temper.mutations)) yield { kind: 'block', bytes: mutated(dice, each.bytes) };
        yield { kind: 'block', bytes: each.bytes };
      }
    if (dice.chance(temper.repeats)) yield { kind: 'block', bytes: dice.pick(this.saplings).bytes };
    if (dice.chance(temper.repeats)) yield this.headersTo(dice.pick(this.saplings));
    if (dice.chance(temper.mutations)) yield { kind: 'block', bytes: mutated(dice, dice.pick(this.saplings).bytes) };
    if (!dice.chance(0.02)) return;
    this.now += dice.pick([1, 1_000, DAY, 400 * DAY]);
    yield { kind: 'clock', now: this.now };
  }

  /** The headers of a branch, from somewhere on it up to a block. */
  headersTo(sapling: Sapling): Step {
    const { dice } = this;
    const branch = branchOf(sapling);
    const from = dice.chance(0.5) ? Math.min(1, branch.length - 1) : dice.below(branch.length);
    const headers = branch.slice(from).map(({ header }) => encodeHeader(header));
    if (dice.chance(0.02)) {
      const at = dice.below(headers.length);
      const spoil = (bytes: Uint8Array): Uint8Array =>
        dice.pick([bytes.slice(1), join(bytes, Uint8Array.of(0)), flipped(bytes, dice.below(92), 1)]);
      return { kind: 'headers', headers: headers.map((bytes, i) => (i === at ? spoil(bytes) : bytes)) };
    }
    return { kind: 'headers', headers };
  }

  /** Everything once more, so that all that has a place finds it. */
  *again(): Generator<Step> {
    this.#waiting = [];
    for (const { bytes } of this.saplings) yield { kind: 'block', bytes };
  }

  #draft(site: BlockSite): BlockDraft {
    const { dice, temper } = this;
    const transfers: TransactionDraft[] = [];
    while (transfers.length < 4 && dice.chance(temper.transfers)) {
      const old = dice.chance(0.25) && this.#drafts.length > 0 ? dice.pick(this.#drafts) : undefined;
      const fits = old && this.#fits(old, site, transfers);
      const draft = fits ? old : transferOf(site, transfers);
      if (draft === undefined) break;
      transfers.push({ ...draft });
      this.#drafts.push({ ...draft });
    }
    const most = claimable(site, transfers);
    const claim = dice.chance(0.85) ? most : most - BigInt(dice.below(3)) * (most / 7n);
    const transactions = [coinbaseFor(site, claim), ...transfers];
    return { transactions, header: { timestamp: this.#timestamp(site) }, lazy: false, swap: undefined };
  }

  /** Whether a transfer of another branch can be confirmed here as well: in a reorganisation it only moves. */
  #fits(old: TransactionDraft, site: BlockSite, before: readonly TransactionDraft[]): boolean {
    const spent = coinsSpent(old, site.ledger);
    const isYoung = spent.some((coin) => coin.coinbase && site.height - coin.height < this.network.maturity);
    const taken = before.flatMap(({ inputs }) => inputs.map(({ txid, index }) => `${txid}:${index}`));
    const isTaken = old.inputs.some(({ txid, index }) => taken.includes(`${txid}:${index}`));
    return spent.length === old.inputs.length && !isYoung && !isTaken;
  }

  #timestamp({ parent, dice, network, height }: BlockSite): number {
    const branch = branchOf(parent).map(({ header }) => header);
    const interval = Number(network.interval);
    const median = medianOf(branch);
    if (height === 1) return START - dice.between(100, 400) * DAY;
    const pace = parent.header.timestamp + Math.floor((interval * dice.below(2_300)) / 1_000);
    const timestamp = dice.chance(0.1) ? median + dice.pick([1, 2, interval]) : Math.max(median + 1, pace);
    if (network.retarget === 'none') return timestamp;
    // The next block's target follows from this timestamp: late enough, that a few nonces go on being enough.
    const next = { ...parent.header, height, timestamp };
    const isHard = workOf(bitsAfter(network, [...branch, next])) > 64n * workOf(network.genesisBits);
    return isHard ? timestamp + 6 * Number(network.halfLife) : timestamp;
  }

  #break(draft: BlockDraft, site: BlockSite): boolean {
    const { dice } = this;
    const kind = dice.below(10);
    if (kind < 5) return dice.pick(Object.entries(TRANSACTION_FAULTS).filter(rarely(dice)))[1](draft, site);
    if (kind < 7) return dice.pick(Object.values(BLOCK_FAULTS))(draft, site);
    if (kind < 9) return dice.pick(Object.values(HEADER_FAULTS))(draft, site);
    const [, swap] = dice.pick(Object.entries(BODY_FAULTS).filter(rarely(dice)));
    draft.swap = (transactions) => swap(transactions, site);
    return true;
  }

  #finish(draft: BlockDraft, site: BlockSite, faulty: boolean): Sapling | undefined {
    const { parent, network, ledger } = site;
    const signed = draft.transactions.map((each, position) =>
      finish(each, coinsSpent(each, ledger, draft.transactions.slice(0, position)), this.#genesis),
    );
    const header = mine(draft, { parent, root: rootOfBytes(signed), network });
    if (header === undefined) return undefined;
    const body = draft.swap !== undefined && signed.length > 0 ? draft.swap(signed) : signed;
    const block = decodeBlock(blockBytes(header, signed));
    return {
      ...{ parent, height: site.height, header, bytes: blockBytes(header, body) },
      ledger: block === undefined ? ledger : confirmBlock(ledger, block),
      work: parent.work + workOf(header.bits),
      faulty: faulty || parent.faulty,
    };
  }
}

/** Blocks all at once. Only those that decode: that is judged when they arrive, before their turn comes. */
export function rushOf(blocks: readonly Sapling[]): Step {
  return { kind: 'rush', blocks: blocks.map(({ bytes }) => bytes).filter((bytes) => decodeBlock(bytes) !== undefined) };
}

/** Leaves out what takes long, mostly. */
function rarely(dice: Dice): (entry: readonly [string, unknown]) => boolean {
  const isIn = dice.chance(0.2);
  return ([name]) => isIn || (name !== 'size' && name !== 'huge');
}

/** The bytes of a block with something done to them on the way. */
function mutated(dice: Dice, bytes: Uint8Array): Uint8Array {
  const at = dice.chance(0.8)
    ? dice.between(Math.min(92, bytes.length - 1), bytes.length - 1)
    : dice.below(bytes.length);
  switch (dice.below(6)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return join(bytes, dice.bytes(dice.between(1, 3)));
    case 2:
      return join(bytes.slice(0, at), bytes.slice(at + 1));
    case 3:
      return join(bytes.slice(0, at), Uint8Array.of(dice.pick([0, 0x80, 0xff])), bytes.slice(at));
    case 4:
      return join(bytes.slice(0, 92), varint(dice.pick([0, 1, 127, 128, 2 ** 32 - 1, 2 ** 32])), bytes.slice(93));
    default:
      return flipped(bytes, at, 1 << dice.below(8));
  }
}
