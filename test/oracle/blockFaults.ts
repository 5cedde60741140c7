import { join, MAX_TIME, toHex } from '../kit/model/bytes.js';
import { compactOf, targetOf } from '../kit/model/difficulty.js';
import { latestAt, medianOf } from '../kit/model/headerRules.js';
import { encodeTransaction, txidOf } from '../kit/model/model.js';
import { versionAt } from '../kit/model/network.js';
import { branchOf, KEYS, plainDraft, type Sapling } from './draft.js';
import type { Fault } from './transactionFaults.js';
import { claimable, coinbaseFor, type Site, transferOf } from './transfers.js';

/** Where a block stands, with what its header is judged against. */
export interface BlockSite extends Site {
  readonly parent: Sapling;
  readonly now: number;
}

/** What can be wrong with the transactions of a block as a whole. */
export const BLOCK_FAULTS: Readonly<Record<string, Fault>> = {
  noCoinbase: (block, { dice }) => {
    block.transactions = dice.chance(0.3) ? [] : block.transactions.slice(1);
    return true;
  },
  coinbaseLast: (block) => {
    block.transactions = [...block.transactions.slice(1), ...block.transactions.slice(0, 1)];
    return block.transactions.length > 1;
  },
  extraCoinbase: (block, site) => {
    const at = site.dice.between(1, block.transactions.length);
    block.transactions.splice(at, 0, coinbaseFor(site, 0n));
    return true;
  },
  coinbaseHeight: (block, { dice, height }) => {
    const [coinbase] = block.transactions;
    if (coinbase?.kind !== 'coinbase') return false;
    coinbase.height = dice.pick([height - 1, height + 1, 0, 2 ** 32 - 1]);
    return coinbase.height !== height;
  },
  coinbaseSignatures: (block, { dice }) => {
    const [coinbase] = block.transactions;
    if (coinbase?.kind !== 'coinbase') return false;
    coinbase.signatures = [dice.bytes(65)];
    return true;
  },
  greed: (block, site) => {
    const [coinbase, ...others] = block.transactions;
    if (coinbase?.kind !== 'coinbase') return false;
    const value = claimable(site, others) + BigInt(site.dice.pick([1, 1, 1_000]));
    coinbase.outputs = [{ address: site.dice.pick(KEYS).address, value: value > 0n ? value : 1n }];
    return true;
  },
  twice: (block, { dice }) => {
    const again = block.transactions.slice(1);
    if (again.length === 0) return false;
    block.transactions.splice(dice.between(1, block.transactions.length), 0, { ...dice.pick(again) });
    return true;
  },
  /** The same transfer with other signatures: another wtxid, the same txid. */
  twiceResigned: (block, { dice }) => {
    const again = block.transactions.slice(1);
    if (again.length === 0) return false;
    block.transactions.push({ ...dice.pick(again), signatures: [dice.bytes(65)] });
    return true;
  },
  childFirst: (block, site) => {
    const parent = block.transactions[1] ?? transferOf(site, block.transactions);
    const [output] = parent?.outputs ?? [];
    if (parent === undefined || output === undefined) return false;
    const index = site.dice.pick([0, 0, 0, 9]);
    const child = plainDraft({ inputs: [{ txid: txidOf(parent), index }], outputs: [output] });
    block.transactions = [...block.transactions.slice(0, 1), child, parent, ...block.transactions.slice(2)];
    return true;
  },
  doubleSpend: (block, site) => {
    const first = block.transactions[1] ?? transferOf(site, block.transactions);
    const second = first && transferOf({ ...site }, [...block.transactions, first]);
    if (first === undefined) return false;
    if (block.transactions.length < 2) block.transactions.push(first);
    const inputs = site.dice.shuffled([...(second?.inputs ?? []), ...first.inputs.slice(0, 1)]);
    block.transactions.push(plainDraft({ inputs, outputs: first.outputs, memo: Uint8Array.of(1) }));
    return true;
  },
  anyOrder: (block, { dice }) => {
    block.transactions = dice.shuffled(block.transactions);
    return true;
  },
};

/** What can be wrong with a header. */
export const HEADER_FAULTS: Readonly<Record<string, (...given: [Parameters<Fault>[0], BlockSite]) => boolean>> = {
  version: (block, { dice, network, height }) => {
    block.header.version = dice.pick([0, versionAt(network, height) + 1, versionAt(network, height) - 1, 2 ** 32 - 1]);
    return true;
  },
  height: (block, { dice, height }) => {
    block.header.height = dice.pick([0, height - 1, height + 1, 2 ** 32 - 1]);
    return true;
  },
  previous: (block, { dice }) => {
    block.header.previous = toHex(dice.bytes(32));
    return true;
  },
  timeOld: (block, { dice, parent }) => {
    block.header.timestamp = Math.max(
      0,
      medianOf(branchOf(parent).map(({ header }) => header)) - dice.pick([0, 0, 1, 999]),
    );
    return true;
  },
  /** The latest that is allowed, too. */
  timeFuture: (block, { dice, network, now }) => {
    block.header.timestamp = latestAt(network, now) + dice.pick([0, 1, 1, 1_000, 10 ** 9]);
    return true;
  },
  timeImpossible: (block, { dice }) => {
    block.header.timestamp = dice.pick([Number(MAX_TIME), Number(MAX_TIME) + 8]);
    return true;
  },
  bits: (block, { dice, network }) => {
    const easiest = network.genesisBits;
    const other = compactOf(targetOf(easiest) / BigInt(dice.between(2, 9)));
    block.header.bits = dice.pick([easiest, easiest + 1, easiest - 1, other, 0, 0x2200ffff, 0x20ffffff]);
    return true;
  },
  work: (block) => {
    block.lazy = true;
    return true;
  },
  root: (block, { dice }) => {
    block.header.merkleRoot = toHex(dice.bytes(32));
    return true;
  },
};

type Swap = (transactions: readonly Uint8Array[], site: Site) => readonly Uint8Array[];

/** What can become of a body when its root is made already: the header is fine, and so may be the body of another sender. */
export const BODY_FAULTS: Readonly<Record<string, Swap>> = {
  lastTwice: (transactions) => [...transactions, ...transactions.slice(-1)],
  allTwice: (transactions) => [...transactions, ...transactions],
  lastMissing: (transactions) => transactions.slice(0, -1),
  otherOrder: (transactions, { dice }) => dice.shuffled(transactions),
  nothing: () => [],
  /** A block of exactly the most bytes, which only its root betrays, or of one byte more. */
  huge: (transactions, { dice }) => {
    const plain = encodeTransaction({ ...plainDraft({}), signatures: [] });
    const wanted = dice.pick([2_000_000, 2_000_001]) - 93 - join(...transactions).length;
    // The memo's length takes three bytes in place of one.
    const memo = new Uint8Array(wanted - plain.length - 2);
    return [...transactions, encodeTransaction({ ...plainDraft({ memo }), signatures: [] })];
  },
  otherBytes: (transactions, { dice }) => {
    const at = dice.below(transactions.length);
    return transactions.map((bytes, i) =>
      i === at ? flipped(bytes, dice.below(bytes.length), 1 << dice.below(8)) : bytes,
    );
  },
};

export function flipped(bytes: Uint8Array, at: number, bits: number): Uint8Array {
  return bytes.map((byte, i) => (i === at ? byte ^ bits : byte));
}
