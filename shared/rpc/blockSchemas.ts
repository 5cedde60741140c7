import * as z from 'zod';
import { MAX_BLOCK_BYTES } from '../consensus/params.js';
import { MAX_COMPACT_BYTES, MAX_SHORT_IDS } from '../model/compactBlock.js';
import { HEADER_BYTES } from '../model/header.js';
import type { BlockChange, blockChangesInput } from './events.js';
import {
  addressInput,
  amount,
  base64,
  bid,
  blockHash,
  count,
  encoded,
  height,
  hex,
  hex32,
  nonce,
  outputIndex,
  type Page,
  type PageInput,
  pageInput,
  tid,
  timestamp,
} from './fields.js';
import type { Caller, PeerSession } from './trpc.js';
import {
  type BlockView,
  type InputView,
  type OutputView,
  type TipView,
  type TransactionView,
  tipView,
} from './views.js';

/** How many hashes a locator may have; they grow apart by powers of two, so it spans any chain. */
export const MAX_LOCATOR = 64;
/** How many headers one answer may hold: 184 kB. */
export const MAX_HEADERS = 2_000;
/** How many blocks one answer may hold. */
export const MAX_RANGE = 128;
/** How long `block.template` may be asked to wait for something new: less than the time limit of a request. */
export const MAX_TEMPLATE_WAIT_MS = 4_000;
/** How many blocks `block.generate` makes in one call. */
export const MAX_GENERATE = 500;

/** Names a block. */
export const ofBlock = z.strictObject({ block: bid });
/** Names a transaction within a block. */
export const ofTransaction = z.strictObject({ block: bid, transaction: tid });

export const transactionsInput = z.strictObject({ block: bid, ...pageInput });
export const inputsInput = ofTransaction.extend(pageInput);
export const inputInput = ofTransaction.extend({ input: outputIndex });
export const outputInput = ofTransaction.extend({ output: outputIndex });

export const headersInput = z.strictObject({
  /** Hashes the asker has, newest first; the answer starts after the first one that is on the active chain. */
  locator: z.array(blockHash).min(1).max(MAX_LOCATOR),
  limit: z.int().min(1).max(MAX_HEADERS).default(MAX_HEADERS),
});
export const headersOutput = z.strictObject({ headers: base64.max(Math.ceil((MAX_HEADERS * HEADER_BYTES) / 3) * 4) });

export const rangeInput = z.strictObject({ from: bid, count: z.int().min(1).max(MAX_RANGE) });
export const rangeOutput = z.strictObject({ blocks: z.array(base64).min(1).max(MAX_RANGE) });

/** A whole block in its canonical bytes. */
export const rawOutput = z.strictObject({ hash: blockHash, raw: base64 });

export const templateInput = z.strictObject({
  /** Whom the coinbase pays. */
  address: addressInput,
  /** The template the miner works on: the answer waits until there is a better one, or `waitMs` is over. */
  current: hex.length(16).optional(),
  waitMs: z.int().min(0).max(MAX_TEMPLATE_WAIT_MS).default(0),
});
export const templateOutput = z.strictObject({
  id: hex.length(16),
  /** The header to work on, nonce 0. The miner may change timestamp and nonce. */
  header: hex.length(HEADER_BYTES * 2),
  /** The hash, as a big-endian number, must not exceed it. */
  target: hex32,
  height,
  previous: blockHash,
  /** The timestamp must be at least this. */
  minTime: timestamp,
  transactionCount: count,
  fees: amount,
  reward: amount,
});
/** A block to mine: what `block.template` answers. */
export type TemplateView = z.output<typeof templateOutput>;

const solved = z.strictObject({ template: hex.length(16), timestamp, nonce });
/** A whole block has room above the rules' own limit, so that one a little too large is told so by its rule. */
export const submitInput = z.union([solved, z.strictObject({ block: encoded(MAX_BLOCK_BYTES + 50_000) })]);
export const submitOutput = z.strictObject({
  hash: blockHash,
  height,
  /** `known`: it was here before. `side`: stored, on a branch with less work than the active chain. */
  status: z.enum(['connected', 'side', 'known']),
});
/** What became of a block that was handed in. */
export type SubmittedBlock = z.output<typeof submitOutput>;

/** How many transactions of one block may be asked for at once; who lacks more is better off with the whole block. */
export const MAX_MISSING = 2_000;

export const announceInput = z.strictObject({
  header: encoded(HEADER_BYTES),
  /** The block in its short form; only for peers that say `compact-blocks`. */
  compact: encoded(MAX_COMPACT_BYTES).optional(),
});
/** Whether the callee had the block already. */
export const announceOutput = z.strictObject({ known: z.boolean() });

export const missingInput = z.strictObject({
  block: blockHash,
  /** Positions in the block, the coinbase's being 0, in rising order. */
  positions: z
    .array(count.max(MAX_SHORT_IDS))
    .min(1)
    .max(MAX_MISSING)
    .refine((positions) => positions.every((position, i) => i === 0 || position > (positions[i - 1] ?? 0)), {
      error: 'positions rise',
    }),
});
/** The transactions at those positions, in the same order. */
export const missingOutput = z.strictObject({ transactions: z.array(base64).min(1).max(MAX_MISSING) });

export const generateInput = z.strictObject({
  address: addressInput,
  count: z.int().min(1).max(MAX_GENERATE).default(1),
});
export const generateOutput = z.strictObject({ hashes: z.array(blockHash).max(MAX_GENERATE) });

/** Names a block by its hash alone: a height names another one after every switch. */
export const byHash = z.strictObject({ block: blockHash });
/** The tip that results. */
export const tipOutput = z.strictObject({ tip: tipView });

/** What a node must be able to do for the `block` router. */
export interface BlockApi {
  get(input: z.output<typeof ofBlock>): Promise<BlockView>;
  last(): Promise<BlockView>;
  list(input: PageInput): Promise<Page<BlockView>>;
  headers(input: z.output<typeof headersInput>): Promise<z.input<typeof headersOutput>>;
  range(input: z.output<typeof rangeInput>): Promise<z.input<typeof rangeOutput>>;
  raw(input: z.output<typeof ofBlock>): Promise<z.input<typeof rawOutput>>;
  missing(input: z.output<typeof missingInput>): Promise<z.input<typeof missingOutput>>;
  transactions(input: z.output<typeof transactionsInput>): Promise<Page<TransactionView>>;
  transaction(input: z.output<typeof ofTransaction>): Promise<TransactionView>;
  inputs(input: z.output<typeof inputsInput>): Promise<Page<InputView>>;
  input(input: z.output<typeof inputInput>): Promise<InputView>;
  outputs(input: z.output<typeof inputsInput>): Promise<Page<OutputView>>;
  output(input: z.output<typeof outputInput>): Promise<OutputView>;
  template(
    input: z.output<typeof templateInput>,
    caller: Caller,
    signal: AbortSignal | undefined,
  ): Promise<TemplateView>;
  submit(input: z.output<typeof submitInput>, caller: Caller): Promise<SubmittedBlock>;
  announce(input: z.output<typeof announceInput>, session: PeerSession): Promise<z.input<typeof announceOutput>>;
  generate(input: z.output<typeof generateInput>): Promise<z.input<typeof generateOutput>>;
  onChange(
    input: z.output<typeof blockChangesInput>,
    caller: Caller,
    signal: AbortSignal | undefined,
  ): AsyncIterable<BlockChange>;
  invalidate(input: z.output<typeof byHash>): Promise<{ tip: TipView }>;
  reconsider(input: z.output<typeof byHash>): Promise<{ tip: TipView }>;
}
