/** What a customer sent us: one output of one transaction. */
export interface Deposit {
  /** `<txid>:<position>`, the same in whichever block it stands. */
  readonly id: string;
  readonly customer: string;
  /** Base units. */
  readonly amount: bigint;
}

/** A block that was taken in. */
export interface TakenBlock {
  readonly hash: string;
  readonly height: number;
  /** Of the whole chain up to this block. */
  readonly work: bigint;
  readonly deposits: readonly Deposit[];
  /** Whether its deposits are in the books. */
  readonly isCredited: boolean;
}

/** A line of the books. Lines are added, and never changed or removed. */
export interface Entry {
  readonly kind: 'credited' | 'taken-back';
  readonly deposit: Deposit;
}

/** Where the watcher stands on the chain and what it has done about it. The two are saved together, or not at all. */
export interface Ledger {
  /** The last blocks that were taken in, oldest first: the last one is where to go on. */
  readonly blocks: readonly TakenBlock[];
  readonly entries: readonly Entry[];
}

/** Blocks that are remembered: no reorganisation can be followed that goes deeper. */
const MAX_BLOCKS = 1_000;

export const EMPTY_LEDGER: Ledger = { blocks: [], entries: [] };

/** Takes in a block on top of the last one, and credits what has `enough` confirmations by now. */
export function connectBlock(
  { blocks, entries }: Ledger,
  block: Omit<TakenBlock, 'isCredited'>,
  enough: number,
): Ledger {
  const isRipe = ({ height, isCredited }: TakenBlock): boolean => !isCredited && block.height - height + 1 >= enough;
  const taken = [...blocks, { ...block, isCredited: false }].slice(-MAX_BLOCKS);
  const credited = taken.filter(isRipe).flatMap(({ deposits }) => deposits);
  return {
    blocks: taken.map((each) => (isRipe(each) ? { ...each, isCredited: true } : each)),
    entries: [...entries, ...credited.map((deposit): Entry => ({ kind: 'credited', deposit }))],
  };
}

/** Takes the last block back, with what was credited because of it: that happens where a reorganisation goes deeper than `enough`. */
export function disconnectBlock({ blocks, entries }: Ledger): Ledger {
  const last = blocks.at(-1);
  if (last === undefined || blocks.length === 1)
    throw new Error(`the chain was reorganised below ${last?.hash ?? 'all'}, the oldest block that is remembered`);
  const takenBack = last.isCredited ? last.deposits : [];
  return {
    blocks: blocks.slice(0, -1),
    entries: [...entries, ...takenBack.map((deposit): Entry => ({ kind: 'taken-back', deposit }))],
  };
}

/** What a customer has, in base units. */
export function balanceOf({ entries }: Ledger, customer: string): bigint {
  return entries
    .filter(({ deposit }) => deposit.customer === customer)
    .reduce((sum, { kind, deposit }) => (kind === 'credited' ? sum + deposit.amount : sum - deposit.amount), 0n);
}
