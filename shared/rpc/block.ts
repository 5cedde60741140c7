import * as z from 'zod';
import {
  announceInput,
  announceOutput,
  byHash,
  generateInput,
  generateOutput,
  headersInput,
  headersOutput,
  inputInput,
  inputsInput,
  missingInput,
  missingOutput,
  ofBlock,
  ofTransaction,
  outputInput,
  rangeInput,
  rangeOutput,
  rawOutput,
  submitInput,
  submitOutput,
  templateInput,
  templateOutput,
  tipOutput,
  transactionsInput,
} from './blockSchemas.js';
import { blockChangesInput, blockChangesOutput } from './events.js';
import { nothing, page, pageInput } from './fields.js';
import type { Context } from './nodeApi.js';
import { procedures } from './trpc.js';
import { blockView, inputView, outputView, transactionView } from './views.js';

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
  /** Some transactions of a block that was announced lately, by position: what its reader lacks to put it together. */
  missing: open
    .input(missingInput)
    .output(missingOutput)
    .query(({ ctx, input }) => ctx.node.block.missing(input)),
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
    .input(inputsInput)
    .output(page(inputView))
    .query(({ ctx, input }) => ctx.node.block.inputs(input)),
  /** One input of a transaction of a block. */
  input: open
    .input(inputInput)
    .output(inputView)
    .query(({ ctx, input }) => ctx.node.block.input(input)),
  /** Whom a transaction of a block pays. */
  outputs: open
    .input(inputsInput)
    .output(page(outputView))
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
    .query(({ ctx, input, signal }) => ctx.node.block.template(input, ctx.caller, signal)),
  /** A mined block, as a solved template or whole. Answers once it is stored durably. */
  submit: open
    .input(submitInput)
    .output(submitOutput)
    .mutation(({ ctx, input }) => ctx.node.block.submit(input, ctx.caller)),
  /** Changes of the active chain, as they come; a client that comes back hears what it missed, once each. */
  onChange: open
    .input(blockChangesInput)
    .output(blockChangesOutput)
    .subscription(({ ctx, input, signal }) => ctx.node.block.onChange(input, ctx.caller, signal)),
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
  /**
   * Sets a block aside, with all that stands on it: the node goes on with the best chain without it, until
   * `block.reconsider`. After a deep switch the answer may be `timeout`; the work goes on.
   */
  invalidate: operator
    .input(byHash)
    .output(tipOutput)
    .mutation(({ ctx, input }) => ctx.node.block.invalidate(input)),
  /** Takes back `block.invalidate`, or a verdict of the rules: the block, what it stands on and what stands on it are judged again. */
  reconsider: operator
    .input(byHash)
    .output(tipOutput)
    .mutation(({ ctx, input }) => ctx.node.block.reconsider(input)),
});
