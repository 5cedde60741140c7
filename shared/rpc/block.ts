import * as z from 'zod';
import { MAX_BLOCK_BYTES } from '../consensus/params.js';
import { HEADER_BYTES } from '../model/header.js';
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
  nothing,
  outputIndex,
  type Page,
  page,
  pageInput,
  tid,
  timestamp,
} from './fields.js';
import type { Context } from './nodeApi.js';
import { type PeerSession, procedures } from './trpc.js';
import {
  type BlockView,
  blockView,
  type InputView,
  inputView,
  type OutputView,
  outputView,
  type TransactionView,
  transactionView,
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

const ofBlock = z.strictObject({ block: bid });
const ofTransaction = z.strictObject({ block: bid, transaction: tid });

const headersInput = z.strictObject({
  /** Hashes the asker has, newest first; the answer starts after the first one that is on the active chain. */
  locator: z.array(blockHash).min(1).max(MAX_LOCATOR),
  limit: z.int().min(1).max(MAX_HEADERS).default(MAX_HEADERS),
});
const headersOutput = z.strictObject({ headers: base64.max(Math.ceil((MAX_HEADERS * HEADER_BYTES) / 3) * 4) });

const rangeInput = z.strictObject({ from: bid, count: z.int().min(1).max(MAX_RANGE) });
const rangeOutput = z.strictObject({ blocks: z.array(base64).min(1).max(MAX_RANGE) });

const rawOutput = z.strictObject({ hash: blockHash, raw: base64 });

const templateInput = z.strictObject({
  /** Whom the coinbase pays. */
  address: addressInput,
  /** The template the miner works on: the answer waits until there is a better one, or `waitMs` is over. */
  current: hex.length(16).optional(),
  waitMs: z.int().min(0).max(MAX_TEMPLATE_WAIT_MS).default(0),
});
const templateOutput = z.strictObject({
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
export type TemplateView = z.output<typeof templateOutput>;

const solved = z.strictObject({ template: hex.length(16), timestamp, nonce });
const submitInput = z.union([solved, z.strictObject({ block: encoded(MAX_BLOCK_BYTES) })]);
const submitOutput = z.strictObject({
  hash: blockHash,
  height,
  /** `known`: it was here before. `side`: stored, on a branch with less work than the active chain. */
  status: z.enum(['connected', 'side', 'known']),
});
export type SubmittedBlock = z.output<typeof submitOutput>;

const announceInput = z.strictObject({ header: encoded(HEADER_BYTES) });
/** Whether the callee had the block already. */
const announceOutput = z.strictObject({ known: z.boolean() });

const generateInput = z.strictObject({ address: addressInput, count: z.int().min(1).max(MAX_GENERATE).default(1) });
const generateOutput = z.strictObject({ hashes: z.array(blockHash).max(MAX_GENERATE) });

type In<Schema extends z.ZodType> = z.output<Schema>;

/** What a node must be able to do for the `block` router. */
export interface BlockApi {
  get(input: In<typeof ofBlock>): Promise<BlockView>;
  last(): Promise<BlockView>;
  list(input: { cursor?: string | undefined; limit: number }): Promise<Page<BlockView>>;
  headers(input: In<typeof headersInput>): Promise<z.input<typeof headersOutput>>;
  range(input: In<typeof rangeInput>): Promise<z.input<typeof rangeOutput>>;
  raw(input: In<typeof ofBlock>): Promise<z.input<typeof rawOutput>>;
  transactions(input: In<typeof transactionsInput>): Promise<Page<TransactionView>>;
  transaction(input: In<typeof ofTransaction>): Promise<TransactionView>;
  inputs(input: In<typeof ofTransaction>): Promise<InputView[]>;
  input(input: In<typeof inputInput>): Promise<InputView>;
  outputs(input: In<typeof ofTransaction>): Promise<OutputView[]>;
  output(input: In<typeof outputInput>): Promise<OutputView>;
  template(input: In<typeof templateInput>, signal: AbortSignal | undefined): Promise<TemplateView>;
  submit(input: In<typeof submitInput>): Promise<SubmittedBlock>;
  announce(input: In<typeof announceInput>, session: PeerSession): Promise<z.input<typeof announceOutput>>;
  generate(input: In<typeof generateInput>): Promise<z.input<typeof generateOutput>>;
}

const transactionsInput = z.strictObject({ block: bid, ...pageInput });
const inputInput = ofTransaction.extend({ input: outputIndex });
const outputInput = ofTransaction.extend({ output: outputIndex });

const { router, open, peer, operator } = procedures<Context>();

/** Blocks: reading, mining and relaying them. */
export const blockRouter = router({
  /** One block, by height, hash or `"last"`. */
  get: open
    .input(ofBlock)
    .output(blockView)
    .query(({ ctx, input }) => ctx.node.block.get(input)),
  /** The tip of the active chain. */
  last: open
    .input(nothing)
    .output(blockView)
    .query(({ ctx }) => ctx.node.block.last()),
  /** Blocks of the active chain, newest first. */
  list: open
    .input(z.strictObject(pageInput))
    .output(page(blockView))
    .query(({ ctx, input }) => ctx.node.block.list(input)),
  /** Headers of the active chain after what the asker has: 92 bytes each, one after the other. */
  headers: open
    .input(headersInput)
    .output(headersOutput)
    .query(({ ctx, input }) => ctx.node.block.headers(input)),
  /** A block and those after it on the active chain, as many as fit 4 MB; a block off it comes alone. */
  range: open
    .input(rangeInput)
    .output(rangeOutput)
    .query(({ ctx, input }) => ctx.node.block.range(input)),
  /** The canonical bytes of one block. */
  raw: open
    .input(ofBlock)
    .output(rawOutput)
    .query(({ ctx, input }) => ctx.node.block.raw(input)),
  /** The transactions of a block, in order. */
  transactions: open
    .input(transactionsInput)
    .output(page(transactionView))
    .query(({ ctx, input }) => ctx.node.block.transactions(input)),
  /** One transaction of a block, by position or id. */
  transaction: open
    .input(ofTransaction)
    .output(transactionView)
    .query(({ ctx, input }) => ctx.node.block.transaction(input)),
  /** What a transaction of a block spends. */
  inputs: open
    .input(ofTransaction)
    .output(z.array(inputView))
    .query(({ ctx, input }) => ctx.node.block.inputs(input)),
  /** One input of a transaction of a block. */
  input: open
    .input(inputInput)
    .output(inputView)
    .query(({ ctx, input }) => ctx.node.block.input(input)),
  /** Whom a transaction of a block pays. */
  outputs: open
    .input(ofTransaction)
    .output(z.array(outputView))
    .query(({ ctx, input }) => ctx.node.block.outputs(input)),
  /** One output of a transaction of a block. */
  output: open
    .input(outputInput)
    .output(outputView)
    .query(({ ctx, input }) => ctx.node.block.output(input)),
  /** A block to mine: answers at once, or when something better comes up. */
  template: open
    .input(templateInput)
    .output(templateOutput)
    .query(({ ctx, input, signal }) => ctx.node.block.template(input, signal)),
  /** A mined block, as a solved template or whole. Answers once it is stored durably. */
  submit: open
    .input(submitInput)
    .output(submitOutput)
    .mutation(({ ctx, input }) => ctx.node.block.submit(input)),
  /** A peer has a new block; its header proves the work. */
  announce: peer
    .input(announceInput)
    .output(announceOutput)
    .mutation(({ ctx, input }) => ctx.node.block.announce(input, ctx.session)),
  /** Mines blocks at once, on networks without difficulty. */
  generate: operator
    .input(generateInput)
    .output(generateOutput)
    .mutation(({ ctx, input }) => ctx.node.block.generate(input)),
});
